import type { Admission } from './admission.ts';
import type { Counter } from './counter.ts';
import type { Limit } from './limit.ts';

/** What one member has used of one limit, in the limit's unit; money in pico-dollars as decimal text. */
export interface MemberState {
  readonly member: string;
  readonly used: string;
  readonly reserved: string;
  /** Calls that wait for room. */
  readonly waiting: number;
  /** Epoch milliseconds at which nothing is used any more; null when that is not a matter of time. */
  readonly resetAtMs: number | null;
}

/** A limit as one gateway sees it. */
export interface LimitState {
  readonly id: string;
  readonly scope: Limit['scope'];
  readonly unit: Limit['unit'];
  readonly period: string | null;
  /** In the limit's unit; money in pico-dollars. */
  readonly capacity: string;
  readonly refused: number;
  readonly members: number;
  /** Those that have used most. */
  readonly top: readonly MemberState[];
}

function picoText(limit: Limit, amount: number): string {
  return limit.unit === 'nano_usd' || limit.unit === 'spent_nano_usd' ? `${BigInt(Math.round(amount)) * 1000n}` : `${amount}`;
}

function stateOf(counter: Counter, nowMs: number, epochMs: number): MemberState {
  const { limit } = counter;
  const emptyInMs = counter.emptyInMs(nowMs, epochMs);
  return {
    member: counter.label,
    used: limit.unit === 'nano_usd' ? `${counter.spentPicoUsd}` : picoText(limit, counter.used(nowMs)),
    reserved: picoText(limit, counter.reserved),
    waiting: counter.line?.length ?? 0,
    resetAtMs: emptyInMs === null ? null : Math.ceil(epochMs + emptyInMs),
  };
}

/** All limits with the members that have used most of them. */
export function limitStates(admission: Admission, topMembers: number): LimitState[] {
  const nowMs = admission.clock.monotonicMs();
  const epochMs = admission.clock.nowMs();
  const { refusals } = admission.stats;
  return [...admission.tables].map(([id, table]) => {
    const { limit } = table;
    const used = [...table.counters()].map((counter) => {
      counter.turnTo(epochMs);
      return { counter, amount: counter.used(nowMs) + counter.reserved };
    });
    const top = used.filter(({ amount }) => amount > 0).sort((a, b) => b.amount - a.amount);
    return {
      id,
      scope: limit.scope,
      unit: limit.unit,
      period: limit.periodName,
      capacity: picoText(limit, limit.capacity),
      refused: refusals.get(id) ?? 0,
      members: top.length,
      top: top.slice(0, topMembers).map(({ counter }) => stateOf(counter, nowMs, epochMs)),
    };
  });
}
