import { median } from '../../stats/robust.ts';
import { HOUR_MS } from './baseline.ts';
import { DAY_MS, detect, type Finding, HISTORY_DAYS } from './detect.ts';
import { type Planted, simulateHours, type Traffic } from './testing.ts';

const MONTH_DAYS = 30;
/** Quiet hours after which the next alarm is a new one; like the service. */
const QUIET_HOURS = 12;
const CREEP_QUIET_HOURS = 48;
const MINIMUM_USD = 1;
/** Days of history before the month that is judged: as short as allowed for every second month, else as long as is used. */
const SHORT_DAYS = 15;

interface Alarm extends Finding {
  /** Hour of the series after which it was raised. */
  readonly raisedAt: number;
}

/** Every anomaly that the job would raise over a series, judged hour by hour. */
export function alarmsOver(hours: readonly number[], fromMs: number, firstHour: number): Alarm[] {
  const alarms: Alarm[] = [];
  const lastSeen = new Map<string, number>();
  for (let end = firstHour + 1; end <= hours.length; end++) {
    const start = Math.max(0, end - HISTORY_DAYS * 24);
    for (const finding of detect({ fromMs: fromMs + start * HOUR_MS, hours: hours.slice(start, end) }, MINIMUM_USD) ?? []) {
      const seen = lastSeen.get(finding.detector);
      lastSeen.set(finding.detector, end);
      const quiet = finding.detector === 'spike' ? QUIET_HOURS : CREEP_QUIET_HOURS;
      if (seen === undefined || end - seen > quiet) alarms.push({ ...finding, raisedAt: end });
    }
  }
  return alarms;
}

interface Detection {
  readonly share: number;
  /** From the planted start to the alarm. */
  readonly medianDelayHours: number | null;
}

export interface Characteristic {
  readonly falseAlarmsPerMonth: number;
  readonly spikes: Detection;
  readonly creeps: Detection;
}

/** Six hours of the working day at ten times the calls; a rise by 3 % of the level a day. */
const SPIKE_FACTOR = 10;
const SPIKE_HOURS = 6;
const CREEP_PER_DAY = 0.03;
const CREEP_DAYS = 28;

function detectionOf(delays: readonly (number | null)[]): Detection {
  const found = delays.filter((delay) => delay !== null);
  return { share: found.length / delays.length, medianDelayHours: found.length === 0 ? null : median(found) };
}

/** What the detector does on one kind of traffic. Deterministic by seed. */
export function characteristicOf(
  traffic: Traffic,
  { months, plants, seed }: { readonly months: number; readonly plants: number; readonly seed: number },
): Characteristic {
  let falseAlarms = 0;
  for (let month = 0; month < months; month++) {
    const before = month % 2 === 0 ? HISTORY_DAYS : SHORT_DAYS;
    const { fromMs, hours } = simulateHours(traffic, before + MONTH_DAYS, seed * 10_000 + month);
    falseAlarms += alarmsOver(hours, fromMs, before * 24).length;
  }
  const plantedDay = 30;
  const delayOf = (plant: number, firstHour: number, days: number, isOver: (hour: number) => boolean, planted: Planted): number | null => {
    const { fromMs, hours } = simulateHours(traffic, days, seed * 20_000 + plant, planted);
    const raised = alarmsOver(hours, fromMs, firstHour).find(({ raisedAt }) => !isOver(raisedAt));
    return raised === undefined ? null : raised.raisedAt - firstHour;
  };
  const spikes = Array.from({ length: plants }, (_, plant) => {
    // On a working day.
    const start = (plantedDay + (plant % 5) - 1) * 24 + 9;
    const isIn = (hour: number): boolean => hour >= start && hour < start + SPIKE_HOURS;
    return delayOf(
      plant,
      start,
      plantedDay + 7,
      (hour) => hour > start + SPIKE_HOURS,
      (hour) => (isIn(hour) ? SPIKE_FACTOR : 1),
    );
  });
  const creeps = Array.from({ length: plants }, (_, plant) => {
    const start = plantedDay * 24;
    const growth = (hour: number): number => 1 + CREEP_PER_DAY * Math.max(0, ((hour - start) * HOUR_MS) / DAY_MS);
    return delayOf(plant, start, plantedDay + CREEP_DAYS, () => false, growth);
  });
  return { falseAlarmsPerMonth: falseAlarms / months, spikes: detectionOf(spikes), creeps: detectionOf(creeps) };
}
