import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { LIMIT_SCOPES } from '../limits-config.ts';
import type { Admission } from './admission.ts';
import type { Counter } from './counter.ts';
import type { CounterTable } from './counter-table.ts';
import type { Limit } from './limit.ts';

const count = z.int().nonnegative();
const amount = z.string().regex(/^\d+$/);

/** What one member has used of one limit, in the limit's unit; money in pico-dollars as decimal text. */
export const MemberState = z.object({
  /** What counters are kept under; of a key its id. */
  id: z.string(),
  /** The same for people. */
  member: z.string(),
  /** Windows: all that lies in the window, calls in flight included. Gauges: what is in flight. Totals: what was booked, without them. */
  used: amount,
  reserved: amount,
  /** Calls that wait for room. */
  waiting: count,
  /** Epoch milliseconds at which nothing is used any more; null when that is not a matter of time. */
  resetAtMs: z.int().nullable(),
});
export type MemberState = z.infer<typeof MemberState>;

/** A limit as one gateway sees it. */
export const LimitState = z.object({
  id: z.string(),
  scope: z.enum(LIMIT_SCOPES),
  unit: z.enum(['requests', 'tokens', 'concurrency', 'nano_usd', 'steps', 'spent_nano_usd']),
  period: z.string().nullable(),
  /** In the limit's unit; money in pico-dollars. */
  capacity: amount,
  refused: count,
  /** Those that have used something. */
  members: count,
  /** Those that have used most. */
  top: z.array(MemberState),
});
export type LimitState = z.infer<typeof LimitState>;

/** What a gateway worker tells control of its limits. */
export const LimitsReport = z.object({ limits: z.array(LimitState) });
export type LimitsReport = z.infer<typeof LimitsReport>;

/** Members of all limits in one report; with many limits fewer of each. */
const MEMBERS_PER_REPORT = 2_000;
/** Counters looked at before others get their turn. */
const COUNTERS_PER_TURN = 1_000;

export function isMoney({ unit }: Pick<Limit, 'unit'>): boolean {
  return unit === 'nano_usd' || unit === 'spent_nano_usd';
}

function picoText(limit: Limit, value: number): string {
  return isMoney(limit) ? `${BigInt(Math.round(value)) * 1000n}` : `${value}`;
}

function stateOf(counter: Counter, nowMs: number, epochMs: number): MemberState {
  const { limit } = counter;
  const emptyInMs = counter.emptyInMs(nowMs, epochMs);
  return {
    id: counter.member,
    member: counter.label,
    used: limit.unit === 'nano_usd' ? `${counter.spentPicoUsd}` : picoText(limit, counter.used(nowMs)),
    reserved: picoText(limit, counter.reserved),
    waiting: counter.line?.length ?? 0,
    resetAtMs: emptyInMs === null ? null : Math.ceil(epochMs + emptyInMs),
  };
}

interface Used {
  readonly counter: Counter;
  readonly amount: number;
}

/** Keeps the largest ones, the largest first. */
function keepTop(top: Used[], candidate: Used, most: number): void {
  if (top.length === most && candidate.amount <= (top.at(-1)?.amount ?? 0)) return;
  const place = top.findIndex(({ amount: other }) => candidate.amount > other);
  top.splice(place === -1 ? top.length : place, 0, candidate);
  if (top.length > most) top.pop();
}

function* scanTable(admission: Admission, id: string, table: CounterTable, topMembers: number): Generator<void, LimitState> {
  const { clock } = admission;
  const { limit } = table;
  const top: Used[] = [];
  let members = 0;
  let looked = 0;
  for (const counter of table.counters()) {
    if (++looked % COUNTERS_PER_TURN === 0) yield;
    const epochMs = clock.nowMs();
    counter.turnTo(epochMs);
    const used = counter.used(clock.monotonicMs()) + counter.reserved;
    if (used <= 0 && counter.line === null) continue;
    // Counters that move to the end of their table while others have their turn come by again.
    if (top.some((known) => known.counter === counter)) continue;
    members++;
    keepTop(top, { counter, amount: used }, topMembers);
  }
  const nowMs = clock.monotonicMs();
  const epochMs = clock.nowMs();
  return {
    id,
    scope: limit.scope,
    unit: limit.unit,
    period: limit.periodName,
    capacity: picoText(limit, limit.capacity),
    refused: admission.stats.refusals.get(id) ?? 0,
    members,
    top: top.map(({ counter }) => stateOf(counter, nowMs, epochMs)),
  };
}

/**
 * All limits with the members that have used most of them. A limit may have a hundred thousand members: who must not hold up anybody lets others
 * have their turn at each step.
 */
function* scanLimits(admission: Admission, topMembers: number): Generator<void, LimitState[]> {
  const states: LimitState[] = [];
  for (const [id, table] of [...admission.tables]) states.push(yield* scanTable(admission, id, table, topMembers));
  return states;
}

/** The same in one go. */
export function limitStates(admission: Admission, topMembers: number): LimitState[] {
  const scan = scanLimits(admission, topMembers);
  for (;;) {
    const step = scan.next();
    if (step.done) return step.value;
  }
}

/** The same in small steps, for while calls are served. */
export async function limitsReport(admission: Admission, topMembers: number): Promise<LimitsReport> {
  const most = Math.min(topMembers, Math.floor(MEMBERS_PER_REPORT / Math.max(1, admission.tables.size)));
  const scan = scanLimits(admission, Math.max(1, most));
  for (;;) {
    const step = scan.next();
    if (step.done) return { limits: step.value };
    await setImmediate();
  }
}
