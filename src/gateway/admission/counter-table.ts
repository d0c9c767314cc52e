import { Counter } from './counter.ts';
import type { Limit } from './limit.ts';
import type { LimitScope } from './limit-rule.ts';

/** Members of one limit that are counted on their own. Those beyond share one counter, which can only make the limit stricter for them. */
export const MAX_MEMBERS = 100_000;
/** Name of the shared counter; no member of a scope can have it, since it holds a control character. */
const OTHERS = '\u0000others';
/** Idle counters looked at for each one that is added. */
const LOOKED_AT = 4;

/** Members that the configuration bounds; clients invent those of the other scopes. */
const FIXED_SCOPES: ReadonlySet<LimitScope> = new Set(['global', 'organisation', 'team', 'key', 'feature', 'model', 'provider']);

/**
 * The counters of one limit, by member. Counters of scopes that clients name members of are bounded: idle ones that hold nothing are forgotten as
 * new members come. The others stay, and may be kept by reference.
 */
export class CounterTable {
  limit: Limit;
  readonly #counters = new Map<string, Counter>();
  readonly #maxMembers: number;
  readonly #isFixed: boolean;
  /** Shared counters of which their source has to hear; null while this gateway is alone with its limits. */
  #active: Set<Counter> | null = null;

  constructor(limit: Limit, maxMembers = MAX_MEMBERS) {
    this.limit = limit;
    this.#maxMembers = maxMembers;
    this.#isFixed = FIXED_SCOPES.has(limit.scope);
  }

  /** Takes over changed amounts. */
  use(limit: Limit): void {
    if (limit === this.limit) return;
    this.limit = limit;
    for (const counter of this.#counters.values()) counter.use(limit);
  }

  /** From now on the limit is kept together with other gateways. */
  share(active: Set<Counter>): void {
    this.#active = active;
    for (const counter of this.#counters.values()) counter.share(active);
  }

  /** The counter of a member, made when it is new. @param nowMs monotonic */
  get(member: string, nowMs: number, epochMs: number): Counter {
    return this.#counters.get(member) ?? this.#add(member, nowMs, epochMs);
  }

  /** All of them. */
  counters(): IterableIterator<Counter> {
    return this.#counters.values();
  }

  #add(member: string, nowMs: number, epochMs: number): Counter {
    if (!this.#isFixed) this.#forgetSome(nowMs, epochMs);
    const others = this.#counters.get(OTHERS);
    // Who was counted among the others stays there until they hold nothing: otherwise a place that becomes free would give a second allowance.
    if (others !== undefined && !others.isForgettable(nowMs, epochMs)) return others;
    const name = !this.#isFixed && this.#counters.size >= this.#maxMembers ? OTHERS : member;
    const counter = new Counter(this.limit, name, epochMs);
    if (name === OTHERS) counter.label = '(all others)';
    if (this.#active !== null) counter.share(this.#active);
    this.#counters.set(name, counter);
    return counter;
  }

  /** Looks at the first few; those that still hold something go to the end. */
  #forgetSome(nowMs: number, epochMs: number): void {
    let looked = 0;
    for (const [member, counter] of this.#counters) {
      if (looked++ === LOOKED_AT) return;
      this.#counters.delete(member);
      if (!counter.isForgettable(nowMs, epochMs)) this.#counters.set(member, counter);
    }
  }
}
