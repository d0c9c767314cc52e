import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CallAttempt } from '../../traces/call-record.ts';
import { SlotList } from '../slot-list.ts';
import type { Counter } from './counter.ts';
import { CounterTable } from './counter-table.ts';
import type { AdmissionHistory, CounterState } from './history.ts';
import type { LeaseOutcome } from './lease-broker.ts';
import type { Limit } from './limit.ts';
import { type ApplicableLimits, type FixedCaller, LimitBook, type NamedMembers } from './limit-book.ts';
import { alertEveryMs } from './limit-event.ts';
import type { LimitRule } from './limit-rule.ts';
import { Refusal, type Shortage } from './refusal.ts';
import { type Amounts, amountOf, Reservation, TargetHold, usedBy } from './reservation.ts';
import { restoreTable } from './restore.ts';
import type { WaitingLine } from './waiting-line.ts';

/** One call that wants in. */
export interface AdmissionRequest extends NamedMembers, Amounts {
  readonly limits: ApplicableLimits;
  /** The call goes to a cheaper route already: limits that only send there do not refuse it again. */
  readonly isDowngraded: boolean;
  /** The gateway makes the call by itself: it spends its caller's money, and is no request or step of anybody. */
  readonly isInternal: boolean;
}

/** Where an attempt goes. */
export interface TargetRequest extends Amounts {
  readonly model: string;
  readonly provider: string;
}

/** How limits are kept together with other gateways. */
export interface Sharing {
  borrow(shortages: readonly Shortage[]): Promise<LeaseOutcome>;
  isReachable(): boolean;
  /** Gateways among whom limits are divided while they cannot ask each other; null = nothing is let in then. */
  readonly replicas: number | null;
}

export interface AdmissionOptions {
  readonly clock: Clock;
  /** A share of a budget was reached: percents that were not reported in this period yet. */
  readonly onReached: (counter: Counter, percents: readonly number[]) => void;
  /** More is used than a limit of rate or concurrency that only alerts allows. */
  readonly onExceeded: (counter: Counter) => void;
}

/** Limits that only alert refuse nobody, and those that only downgrade refuse nobody who was downgraded. */
function isEnforced(limit: Limit, isDowngraded: boolean): boolean {
  return limit.isEnforced && !(isDowngraded && limit.rule.onExceed === 'downgrade');
}

/** Which refusal a call hears of when several limits refuse it: the one that waiting or a cheaper route does not help with. */
const SEVERITY = { reject: 3, downgrade: 2, queue: 1, alert: 0 } as const;

/** How often a call that lacks something looks whether its gateway may go on with its share. */
const AWAY_POLL_MS = 25;

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
  /** Null while this gateway is alone with its limits. */
  #sharing: Sharing | null = null;
  readonly #active = new Set<Counter>();
  /** Of an earlier process; null once it was taken up. */
  #history: AdmissionHistory | null = null;
  readonly #outstanding = new SlotList<Reservation>();
  readonly #refusals = new Map<string, number>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#book = new LimitBook([], () => {
      throw new TypeError('an empty book asks for no table');
    });
  }

  /** Limits of a new configuration. What was used under those that stay, stays; amounts may change. */
  adopt(rules: readonly LimitRule[], keyNames: () => ReadonlyMap<string, string> = () => new Map()): void {
    if (rules === this.#rules && this.#history === null) return;
    this.#rules = rules;
    const before = this.#tables;
    this.#book = new LimitBook(rules, (limit) => {
      const table = before.get(limit.id) ?? new CounterTable(limit);
      table.use(limit);
      if (this.#sharing !== null) table.share(this.#active);
      return table;
    });
    this.#tables = new Map(this.#book.tables);
    const history = this.#history;
    this.#history = null;
    if (history === null) return;
    const { clock } = this.#options;
    const now = { nowMs: clock.monotonicMs(), epochMs: clock.nowMs() };
    const names = keyNames();
    for (const table of this.#tables.values()) restoreTable(table, history, names, now);
  }

  /**
   * What an earlier process of this gateway knew. The limits of the next configuration begin with it; those that come later begin empty.
   */
  continue(history: AdmissionHistory): void {
    this.#history = history;
  }

  /** For a process that continues this one: all counters, as of this moment. */
  history(): AdmissionHistory {
    // Before the first configuration nothing is known but what was there.
    if (this.#history !== null) return this.#history;
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const epochMs = clock.nowMs();
    const counters: Record<string, (readonly [string, CounterState])[]> = {};
    for (const [id, table] of this.#tables) {
      const states: (readonly [string, CounterState])[] = [];
      for (const counter of table.counters()) {
        const state = counter.state(nowMs, epochMs);
        if (state !== null) states.push([counter.member, state]);
      }
      if (states.length > 0) counters[id] = states;
    }
    return { counters, uses: [] };
  }

  /** From now on all limits are kept together with other gateways; there is no way back. */
  share(sharing: Sharing): void {
    this.#sharing = sharing;
    for (const table of this.#tables.values()) table.share(this.#active);
  }

  /** Shared counters of which the source has to hear; those that hold nothing are taken out by who tells it. */
  get activeCounters(): Set<Counter> {
    return this.#active;
  }

  /** Every counter there is. */
  *counters(): Iterable<Counter> {
    for (const table of this.#tables.values()) yield* table.counters();
  }

  /** Borrows what a call lacks. Resolves when it should try again. @throws PlimsollError `not_ready` when nobody can say whether it fits */
  async borrow({ shortages, counter }: Refusal): Promise<void> {
    const sharing = this.#sharing;
    if (sharing === null) return;
    if ((await sharing.borrow(shortages)) !== 'away') return;
    if (sharing.replicas !== null) {
      // What the others still hold of their leases comes before anybody's share.
      await this.#options.clock.sleep(AWAY_POLL_MS);
      return;
    }
    throw new PlimsollError(
      'not_ready',
      `Whether the call fits under "${counter.limit.id}" cannot be said: what this gateway shares its limits with does not answer.`,
      { details: { retryAfterSeconds: 1, limit: { id: counter.limit.id, owner: counter.limit.rule.owner } } },
    );
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
    let shortages: Shortage[] | null = null;
    for (const counter of counters) {
      const { rule, unit } = counter.limit;
      if (!isEnforced(counter.limit, request.isDowngraded)) continue;
      const amount = amountOf(unit, request);
      const isBehind = counter.line !== null && counter.line !== line && counter.line.length > 0;
      if (!isBehind && this.#fits(counter, amount, nowMs, epochMs)) continue;
      if (!isBehind && this.#mayBorrow(counter, amount, nowMs)) {
        shortages ??= [];
        shortages.push({ counter, amount: counter.needs(amount) });
        continue;
      }
      if (worst === null || SEVERITY[rule.onExceed] > SEVERITY[worst.limit.rule.onExceed]) worst = counter;
    }
    if (worst !== null) return new Refusal(worst, amountOf(worst.limit.unit, request), counters, nowMs, epochMs);
    const lacking = shortages?.[0];
    if (lacking !== undefined) return new Refusal(lacking.counter, lacking.amount, counters, nowMs, epochMs, shortages ?? []);
    for (const counter of counters) {
      counter.take(amountOf(counter.limit.unit, request), nowMs, epochMs);
      if (!counter.limit.isEnforced && counter.takeAlert(nowMs, alertEveryMs(counter))) this.#options.onExceeded(counter);
    }
    const reservation = new Reservation(this, counters, request, request.isDowngraded, nowMs, epochMs);
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
    const { user, customer, session } = members;
    const counters = countersOf({ limits, user, customer, session }, nowMs, epochMs);
    for (const counter of counters) {
      const { rule, unit } = counter.limit;
      if (rule.onExceed !== 'reject' || unit === 'nano_usd') continue;
      // What others have left over is not known here: such a call is let on to where it may ask.
      if (!this.#fits(counter, 1, nowMs, epochMs) && !this.#mayBorrow(counter, 1, nowMs))
        return new Refusal(counter, 1, counters, nowMs, epochMs);
    }
    return null;
  }

  /**
   * Takes of the limits of a model and its provider for one attempt, and of the call's own budgets what its other attempts have cost already or may
   * still cost, so that neither retries nor hedges outspend the reservation.
   */
  addTarget(
    reservation: Reservation,
    limits: ApplicableLimits,
    target: TargetRequest,
    attempts: readonly CallAttempt[],
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
      if (counter.limit.isEnforced && !this.#fits(counter, amount, nowMs, epochMs))
        return this.#targetRefusal(counter, amount, counters, nowMs, epochMs);
    }
    const spent = attempts.length === 0 ? 0 : usedBy(attempts).nanoUsd + 1;
    const more = spent + reservation.targetsNanoUsd() + target.nanoUsd - reservation.nanoUsd;
    if (more > 0) {
      const budgets = reservation.counters.filter(({ limit }) => limit.unit === 'nano_usd');
      const full = budgets.find(
        (counter) => isEnforced(counter.limit, reservation.isDowngraded) && !this.#fits(counter, more, nowMs, epochMs),
      );
      if (full !== undefined) return this.#targetRefusal(full, more, reservation.counters, nowMs, epochMs);
      for (const counter of budgets) counter.takeMore(more, reservation.takenEpochMs, nowMs);
      reservation.nanoUsd += more;
    }
    for (const counter of counters) counter.take(amountOf(counter.limit.unit, target), nowMs, epochMs);
    const hold = new TargetHold(this, counters, target, nowMs, epochMs);
    reservation.addHold(hold);
    return hold;
  }

  #fits(counter: Counter, amount: number, nowMs: number, epochMs: number): boolean {
    if (counter.fits(amount, nowMs, epochMs)) return true;
    const replicas = this.#replicasFor(counter, nowMs);
    if (replicas === null || !counter.fitsAlone(amount, Math.floor(counter.limit.capacity / replicas), nowMs)) return false;
    // In a period nothing is ever free again: what the others are known to have spent counts too.
    return counter.limit.kind !== 'total' || amount <= counter.remaining(nowMs);
  }

  /** Among how many the limit is divided now: while the others cannot be asked, and what was lent has run out. Null = it is not. */
  #replicasFor({ lease }: Counter, nowMs: number): number | null {
    const sharing = this.#sharing;
    return lease === null || sharing === null || sharing.isReachable() || lease.isValid(nowMs) ? null : sharing.replicas;
  }

  #mayBorrow(counter: Counter, amount: number, nowMs: number): boolean {
    const { lease, limit } = counter;
    const needed = counter.needs(amount);
    return lease !== null && needed <= limit.capacity && !lease.isFull(needed, nowMs) && this.#replicasFor(counter, nowMs) === null;
  }

  #targetRefusal(counter: Counter, amount: number, counters: readonly Counter[], nowMs: number, epochMs: number): Refusal {
    const shortages = this.#mayBorrow(counter, amount, nowMs) ? [{ counter, amount: counter.needs(amount) }] : [];
    return new Refusal(counter, amount, counters, nowMs, epochMs, shortages);
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

function countersOf(
  request: NamedMembers & { readonly limits: ApplicableLimits; readonly isInternal?: boolean },
  nowMs: number,
  epochMs: number,
): readonly Counter[] {
  const { limits } = request;
  if (request.isInternal === true)
    return countersOf({ ...request, isInternal: false }, nowMs, epochMs).filter(({ limit }) => limit.unit === 'nano_usd');
  if (limits.byMember.length === 0) return limits.counters;
  const counters = limits.counters.slice();
  for (const { scope, name, table } of limits.byMember) {
    const member = request[scope];
    if (member !== null && (name === null || name === member)) counters.push(table.get(member, nowMs, epochMs));
  }
  return counters;
}
