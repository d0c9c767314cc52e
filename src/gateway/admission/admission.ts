import type { Clock } from '../../kernel/clock.ts';
import type { CallAttempt } from '../../traces/call-record.ts';
import { SlotList } from '../slot-list.ts';
import type { Counter } from './counter.ts';
import { CounterTable } from './counter-table.ts';
import { type ApplicableLimits, type FixedCaller, LimitBook, type NamedMembers } from './limit-book.ts';
import { alertEveryMs } from './limit-event.ts';
import type { LimitRule } from './limit-rule.ts';
import { Refusal } from './refusal.ts';
import { type Amounts, amountOf, Reservation, TargetHold, usedBy } from './reservation.ts';
import type { WaitingLine } from './waiting-line.ts';

/** One call that wants in. */
export interface AdmissionRequest extends NamedMembers, Amounts {
  readonly limits: ApplicableLimits;
  /** The call goes to a cheaper route already: limits that only send there do not refuse it again. */
  readonly isDowngraded: boolean;
}

/** Where an attempt goes. */
export interface TargetRequest extends Amounts {
  readonly model: string;
  readonly provider: string;
}

export interface AdmissionOptions {
  readonly clock: Clock;
  /** A share of a budget was reached: percents that were not reported in this period yet. */
  readonly onReached: (counter: Counter, percents: readonly number[]) => void;
  /** More is used than a limit of rate or concurrency that only alerts allows. */
  readonly onExceeded: (counter: Counter) => void;
}

/** Which refusal a call hears of when several limits refuse it: the one that waiting or a cheaper route does not help with. */
const SEVERITY = { reject: 3, downgrade: 2, queue: 1, alert: 0 } as const;

/**
 * Who may come in. `reserve` looks at every limit that applies to a call and takes of all of them or of none, in one synchronous step. Money, tokens
 * and requests are counted here and nowhere else.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  /** Counters by id of their limit: they outlive configurations. */
  #tables = new Map<string, CounterTable>();
  #book: LimitBook;
  #rules: readonly LimitRule[] = [];
  readonly #outstanding = new SlotList<Reservation>();
  readonly #refusals = new Map<string, number>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#book = new LimitBook([], () => {
      throw new TypeError('an empty book asks for no table');
    });
  }

  /** Limits of a new configuration. What was used under those that stay, stays; amounts may change. */
  adopt(rules: readonly LimitRule[]): void {
    if (rules === this.#rules) return;
    this.#rules = rules;
    const before = this.#tables;
    this.#book = new LimitBook(rules, (limit) => {
      const table = before.get(limit.id) ?? new CounterTable(limit);
      table.use(limit);
      return table;
    });
    this.#tables = new Map(this.#book.tables);
  }

  applicable(caller: FixedCaller): ApplicableLimits {
    const { clock } = this.#options;
    return this.#book.applicable(caller, clock.monotonicMs(), clock.nowMs());
  }

  /** @param line the waiting line that lets this call in now; others wait in it */
  reserve(request: AdmissionRequest, line: WaitingLine | null = null): Reservation | Refusal {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const epochMs = clock.nowMs();
    const counters = countersOf(request, nowMs, epochMs);
    let worst: Counter | null = null;
    for (const counter of counters) {
      const { rule, unit, isEnforced } = counter.limit;
      if (!isEnforced || (request.isDowngraded && rule.onExceed === 'downgrade')) continue;
      const isBehind = counter.line !== null && counter.line !== line && counter.line.length > 0;
      if (!isBehind && counter.fits(amountOf(unit, request), nowMs, epochMs)) continue;
      if (worst === null || SEVERITY[rule.onExceed] > SEVERITY[worst.limit.rule.onExceed]) worst = counter;
    }
    if (worst !== null) return new Refusal(worst, amountOf(worst.limit.unit, request), counters, nowMs, epochMs);
    for (const counter of counters) {
      counter.take(amountOf(counter.limit.unit, request), nowMs, epochMs);
      if (!counter.limit.isEnforced && counter.takeAlert(nowMs, alertEveryMs(counter))) this.#options.onExceeded(counter);
    }
    const reservation = new Reservation(this, counters, request, nowMs, epochMs);
    this.#outstanding.add(reservation);
    return reservation;
  }

  /**
   * What is refused whatever the call's body says: a rate or a concurrency that is used up already. Takes nothing.
   * @returns null when the body has to be read to know: a call to a model that costs nothing fits under a budget that is used up
   */
  peek(limits: ApplicableLimits, members: NamedMembers): Refusal | null {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const epochMs = clock.nowMs();
    const counters = countersOf({ limits, ...members }, nowMs, epochMs);
    for (const counter of counters) {
      const { rule, unit } = counter.limit;
      if (rule.onExceed !== 'reject' || unit === 'nano_usd') continue;
      if (!counter.fits(1, nowMs, epochMs)) return new Refusal(counter, 1, counters, nowMs, epochMs);
    }
    return null;
  }

  /**
   * Takes of the limits of a model and its provider for one attempt, and of the call's own budgets what earlier attempts have cost already, so that
   * retries never outspend the reservation.
   * @param runningNanoUsd what attempts of the same call that run at this moment may cost
   */
  addTarget(
    reservation: Reservation,
    limits: ApplicableLimits,
    target: TargetRequest,
    attempts: readonly CallAttempt[],
    runningNanoUsd = 0,
  ): TargetHold | Refusal {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const epochMs = clock.nowMs();
    const counters: Counter[] = [];
    for (const { scope, name, table } of limits.byTarget) {
      const member = scope === 'model' ? target.model : target.provider;
      if (name === null || name === member) counters.push(table.get(member, nowMs, epochMs));
    }
    for (const counter of counters) {
      const amount = amountOf(counter.limit.unit, target);
      if (counter.limit.isEnforced && !counter.fits(amount, nowMs, epochMs)) return new Refusal(counter, amount, counters, nowMs, epochMs);
    }
    const before = (attempts.length === 0 ? 0 : usedBy(attempts).nanoUsd) + runningNanoUsd;
    const more = before === 0 && attempts.length === 0 ? 0 : before + target.nanoUsd - reservation.nanoUsd;
    if (more > 0) {
      const budgets = reservation.counters.filter(({ limit }) => limit.unit === 'nano_usd');
      const full = budgets.find((counter) => counter.limit.isEnforced && !counter.fits(more, nowMs, epochMs));
      if (full !== undefined) return new Refusal(full, more, reservation.counters, nowMs, epochMs);
      for (const counter of budgets) counter.take(more, nowMs, reservation.takenEpochMs);
      reservation.nanoUsd += more;
    }
    for (const counter of counters) counter.take(amountOf(counter.limit.unit, target), nowMs, epochMs);
    const hold = new TargetHold(this, counters, target, nowMs, epochMs);
    reservation.addHold(hold);
    return hold;
  }

  /** For the metrics: a call was told that it does not fit. */
  countRefusal({ counter }: Refusal): void {
    const { id } = counter.limit;
    this.#refusals.set(id, (this.#refusals.get(id) ?? 0) + 1);
  }

  /** For reservations that end. */
  forget(reservation: Reservation): void {
    this.#outstanding.delete(reservation);
  }

  reportReached(counter: Counter): void {
    const reached = counter.takeReached();
    if (reached.length > 0) this.#options.onReached(counter, reached);
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Every counter there is, by limit. */
  get tables(): ReadonlyMap<string, CounterTable> {
    return this.#tables;
  }

  get stats(): { readonly outstanding: number; readonly refusals: ReadonlyMap<string, number> } {
    return { outstanding: this.#outstanding.size, refusals: this.#refusals };
  }
}

function countersOf(request: NamedMembers & { readonly limits: ApplicableLimits }, nowMs: number, epochMs: number): readonly Counter[] {
  const { limits } = request;
  if (limits.byMember.length === 0) return limits.counters;
  const counters = limits.counters.slice();
  for (const { scope, name, table } of limits.byMember) {
    const member = request[scope];
    if (member !== null && (name === null || name === member)) counters.push(table.get(member, nowMs, epochMs));
  }
  return counters;
}
