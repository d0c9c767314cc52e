import { z } from 'zod';
import { HOURLY_DIMENSIONS, type HourlyCost } from '../cost-queries.ts';
import type { Outlook } from './outlook.ts';
import { outlookOf } from './outlook.ts';
import { ForecastView, HOUR_MS, historyOf, toForecastView, whyUnmeasured } from './report.ts';

const DAY_MS = 24 * HOUR_MS;
const MAX_GROUPS = 100;
const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);

const Line = z.object({
  spentPicoUsd: pico('Cost since the month began'),
  lastMonthPicoUsd: pico('Cost of the whole month before, as far as the history reaches').nullable(),
  forecast: ForecastView.nullable(),
  unmeasured: z.string().nullable().describe('Why there is no forecast'),
});

export const MonthForecast = z
  .object({
    from: z.int().describe('Begin of the month, UTC, epoch ms'),
    to: z.int(),
    at: z.int(),
    groupBy: z.enum(HOURLY_DIMENSIONS),
    total: Line,
    groups: z.array(Line.extend({ key: z.string().nullable().describe('Null = calls without one') })).describe('The dearest first'),
    days: z
      .array(z.object({ at: z.int(), spentPicoUsd: pico('Cost of the day so far') }))
      .describe('Whole days of the month and the one that runs'),
  })
  .meta({ id: 'CostForecast' });
export type MonthForecast = z.infer<typeof MonthForecast>;

interface MonthLine {
  readonly spent: bigint;
  readonly before: bigint | null;
  readonly outlook: Outlook | null;
  readonly why: string | null;
}

/** Calendar month, UTC. */
export function monthAt(nowMs: number): { readonly startMs: number; readonly endMs: number; readonly beforeMs: number } {
  const date = new Date(nowMs);
  const at = (month: number): number => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + month, 1);
  return { startMs: at(0), endMs: at(1), beforeMs: at(-1) };
}

function lineOf(rows: readonly HourlyCost[], nowMs: number): MonthLine {
  const { startMs, endMs, beforeMs } = monthAt(nowMs);
  const history = historyOf(rows, nowMs);
  let spent = 0n;
  let before = 0n;
  for (const { atMs, costPicoUsd } of rows)
    if (atMs >= startMs) spent += costPicoUsd;
    else if (atMs >= beforeMs) before += costPicoUsd;
  const outlook = history === null ? null : outlookOf({ startMs, endMs, nowMs, spentPicoUsd: spent, capacityPicoUsd: null }, history);
  const first = rows[0]?.atMs;
  return {
    spent,
    before: first === undefined || first >= startMs ? null : before,
    outlook,
    why: outlook === null ? whyUnmeasured(history) : null,
  };
}

function toLine({ spent, before, outlook, why }: MonthLine): z.infer<typeof Line> {
  return {
    spentPicoUsd: spent.toString(),
    lastMonthPicoUsd: before?.toString() ?? null,
    forecast: outlook === null ? null : toForecastView(outlook),
    unmeasured: why,
  };
}

/** What this month will cost, in all and by group. Pure. @param rows of at most 56 days, by key and time */
export function monthForecast(rows: readonly HourlyCost[], groupBy: MonthForecast['groupBy'], nowMs: number): MonthForecast {
  const { startMs, endMs } = monthAt(nowMs);
  const byHour = new Map<number, bigint>();
  for (const { atMs, costPicoUsd } of rows) byHour.set(atMs, (byHour.get(atMs) ?? 0n) + costPicoUsd);
  const whole = [...byHour].sort(([a], [b]) => a - b).map(([atMs, costPicoUsd]): HourlyCost => ({ key: '', atMs, costPicoUsd }));
  const byDay = new Map<number, bigint>();
  for (let atMs = startMs; atMs < Math.min(endMs, nowMs); atMs += DAY_MS) byDay.set(atMs, 0n);
  for (const { atMs, costPicoUsd } of whole) {
    const day = Math.floor(atMs / DAY_MS) * DAY_MS;
    if (byDay.has(day)) byDay.set(day, (byDay.get(day) ?? 0n) + costPicoUsd);
  }
  const groups = [...Map.groupBy(rows, ({ key }) => key)]
    .map(([key, own]) => ({ key: key || null, ...lineOf(own, nowMs) }))
    .sort((a, b) => (a.spent === b.spent ? 0 : a.spent > b.spent ? -1 : 1))
    .slice(0, MAX_GROUPS);
  return {
    from: startMs,
    to: endMs,
    at: nowMs,
    groupBy,
    total: toLine(lineOf(whole, nowMs)),
    groups: groups.map(({ key, ...line }) => ({ key, ...toLine(line) })),
    days: [...byDay].map(([at, cost]) => ({ at, spentPicoUsd: cost.toString() })),
  };
}
