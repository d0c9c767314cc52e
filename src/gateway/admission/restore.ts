import type { CounterTable } from './counter-table.ts';
import { type AdmissionHistory, admittedAtMs, type SettledUse } from './history.ts';
import type { Limit } from './limit.ts';
import { fixedMember } from './limit-book.ts';
import { amountUsed, usedBy } from './reservation.ts';

/** Both clocks of one moment. */
interface Now {
  /** Monotonic. */
  readonly nowMs: number;
  readonly epochMs: number;
}

/** Calls without an attempt use nothing, whoever they belong to. */
function memberOf(limit: Limit, use: SettledUse, keyName: string): string | null {
  const { rule, scope } = limit;
  if (rule.feature !== null && rule.feature !== use.feature) return null;
  if (scope === 'user' || scope === 'customer' || scope === 'session') {
    const member = use[scope];
    return member !== null && (rule.name === null || rule.name === member) ? member : null;
  }
  return fixedMember(rule, { ...use, keyName });
}

function book(table: CounterTable, member: string, attempts: SettledUse['attempts'], atMs: number, { nowMs, epochMs }: Now): void {
  const used = usedBy(attempts);
  const { unit } = table.limit;
  const amount = amountUsed(unit, used);
  const restPicoUsd = unit === 'nano_usd' ? used.restPicoUsd : 0;
  if (amount === 0 && restPicoUsd === 0) return;
  // A record of the future was dated by a clock that has been set back since: it counts as of now.
  const ageMs = Math.max(0, epochMs - atMs);
  table.get(member, nowMs, epochMs).restore(amount, restPicoUsd, nowMs - ageMs, atMs);
}

function bookUse(table: CounterTable, use: SettledUse, keyName: string, now: Now): void {
  const { limit } = table;
  const { rule, scope } = limit;
  if (limit.kind === 'gauge') return;
  if (scope !== 'model' && scope !== 'provider') {
    // Calls that the gateway made by itself spend money and are no requests or steps of anybody.
    if (use.purpose !== undefined && limit.unit !== 'nano_usd') return;
    const member = memberOf(limit, use, keyName);
    if (member !== null) book(table, member, use.attempts, admittedAtMs(use), now);
    return;
  }
  if (rule.feature !== null && rule.feature !== use.feature) return;
  for (const attempt of use.attempts) {
    const member = attempt[scope];
    if (rule.name !== null && rule.name !== member) continue;
    book(table, member, [attempt], Math.round(use.startedAtMs + attempt.startOffsetMs), now);
  }
}

/**
 * Makes the counters of a limit what they were, from a checkpoint and the calls after it. What an earlier process reported is not reported again.
 * @param keyNames of virtual keys by their ids: limits may name either
 */
export function restoreTable(table: CounterTable, history: AdmissionHistory, keyNames: ReadonlyMap<string, string>, now: Now): void {
  for (const [member, state] of history.counters[table.limit.id] ?? [])
    table.get(member, now.nowMs, now.epochMs).restoreState(state, now.nowMs, now.epochMs);
  for (const use of history.uses) bookUse(table, use, keyNames.get(use.keyId) ?? '', now);
  for (const counter of table.counters()) {
    counter.takeReached();
    if (table.limit.scope === 'key') counter.label = keyNames.get(counter.member) ?? counter.label;
  }
}
