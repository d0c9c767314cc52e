import type { NumberRange, RouteCondition } from './policy.ts';
import { WEEKDAYS } from './policy.ts';

/** What conditions look at. Costly facts are functions: only a route that asks for them pays. */
export interface RouteFacts {
  readonly tags: Readonly<Record<string, string>>;
  readonly feature: string;
  readonly team: string | null;
  readonly estimatedInputTokens: number;
  readonly isStream: boolean;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  /** ISO 639-1; '' = not known. */
  language(): string;
  parameter(name: string): number | null;
  hasTools(): boolean;
}

export type Predicate = (facts: RouteFacts) => boolean;

function isWithin(value: number | null, { min, max }: NumberRange): boolean {
  return value !== null && (min === undefined || value >= min) && (max === undefined || value <= max);
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

function timePredicate({ zone, from, to, days }: NonNullable<RouteCondition['time']>): Predicate {
  const start = from === undefined ? 0 : minuteOf(from);
  const end = to === undefined ? 24 * 60 : minuteOf(to);
  return ({ nowMs }) => {
    const local = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(zone);
    if (days !== undefined && !days.includes(WEEKDAYS[local.dayOfWeek - 1] ?? 'mon')) return false;
    const minute = local.hour * 60 + local.minute;
    return start <= end ? minute >= start && minute < end : minute >= start || minute < end;
  };
}

/** Compiled once per snapshot; cheap tests come first. */
export function compileCondition(condition: RouteCondition): Predicate {
  const tests: Predicate[] = [];
  const { tags, features, teams, inputTokens, languages, time, parameters, isStream, hasTools } = condition;
  if (features !== undefined) tests.push((facts) => features.includes(facts.feature));
  if (teams !== undefined) tests.push((facts) => facts.team !== null && teams.includes(facts.team));
  if (isStream !== undefined) tests.push((facts) => facts.isStream === isStream);
  if (inputTokens !== undefined) tests.push((facts) => isWithin(facts.estimatedInputTokens, inputTokens));
  for (const [name, values] of Object.entries(tags ?? {}))
    tests.push((facts) => Object.hasOwn(facts.tags, name) && values.includes(facts.tags[name] ?? ''));
  for (const [name, bounds] of Object.entries(parameters ?? {})) tests.push((facts) => isWithin(facts.parameter(name), bounds));
  if (time !== undefined) tests.push(timePredicate(time));
  if (hasTools !== undefined) tests.push((facts) => facts.hasTools() === hasTools);
  if (languages !== undefined) tests.push((facts) => languages.includes(facts.language()));
  return (facts) => tests.every((test) => test(facts));
}
