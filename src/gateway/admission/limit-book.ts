import type { Counter } from './counter.ts';
import type { CounterTable } from './counter-table.ts';
import { type Limit, limitsOf } from './limit.ts';
import type { LimitRule, LimitScope } from './limit-rule.ts';

/** Who calls, as far as it is fixed by the key. */
export interface FixedCaller {
  readonly organisationId: string;
  readonly keyId: string;
  readonly keyName: string;
  readonly team: string | null;
  readonly feature: string;
}

/** Members that a request names. */
export interface NamedMembers {
  readonly user: string | null;
  readonly customer: string | null;
  readonly session: string | null;
}

/** A limit whose member is known only with the request, or with the target. */
export interface OpenLimit<Scope extends LimitScope> {
  readonly scope: Scope;
  /** The one member that it is for; null = each. */
  readonly name: string | null;
  readonly table: CounterTable;
}

/** A cap of single requests, and the rule that sets it. */
export interface Cap {
  readonly amount: number;
  readonly rule: LimitRule;
}

/** The tightest caps of some rules. */
export interface Caps {
  readonly inputTokens: Cap | null;
  readonly outputTokens: Cap | null;
  readonly nanoUsd: Cap | null;
}

/** All that limits the calls of one key for one feature, resolved once. */
export interface ApplicableLimits {
  readonly counters: readonly Counter[];
  readonly byMember: readonly OpenLimit<'user' | 'customer' | 'session'>[];
  readonly byTarget: readonly OpenLimit<'model' | 'provider'>[];
  readonly caps: Caps;
  /** Rules with caps for members that a request names. */
  readonly memberCaps: readonly LimitRule[];
  /** False: what the call may use is of no interest to anybody. */
  readonly needsEstimate: boolean;
  /** True when nothing limits these calls. */
  readonly isUnlimited: boolean;
}

/** A member's counter where it is fixed; null for limits of another member, and for scopes that only a request or a target decides. */
export function fixedMember(rule: LimitRule, caller: FixedCaller): string | null {
  const matches = (member: string | null): string | null =>
    member !== null && (rule.name === null || rule.name === member) ? member : null;
  switch (rule.scope) {
    case 'global':
      return '';
    case 'organisation':
      return matches(caller.organisationId);
    case 'team':
      return matches(caller.team);
    case 'feature':
      return matches(caller.feature);
    case 'key':
      return rule.name === null || rule.name === caller.keyId || rule.name === caller.keyName ? caller.keyId : null;
    case 'user':
    case 'customer':
    case 'session':
    case 'model':
    case 'provider':
      return null;
    default:
      return rule.scope satisfies never;
  }
}

function tightest(first: Cap | null, amount: number | null, rule: LimitRule): Cap | null {
  return amount === null || (first !== null && first.amount <= amount) ? first : { amount, rule };
}

const NO_CAPS: Caps = Object.freeze({ inputTokens: null, outputTokens: null, nanoUsd: null });

function tighten(caps: Caps, rules: readonly LimitRule[]): Caps {
  let { inputTokens, outputTokens, nanoUsd } = caps;
  for (const rule of rules) {
    inputTokens = tightest(inputTokens, rule.maxInputTokens, rule);
    outputTokens = tightest(outputTokens, rule.maxOutputTokens, rule);
    nanoUsd = tightest(nanoUsd, rule.maxCostNanoUsd, rule);
  }
  return { inputTokens, outputTokens, nanoUsd };
}

function hasCap(rule: LimitRule): boolean {
  return rule.maxInputTokens !== null || rule.maxOutputTokens !== null || rule.maxCostNanoUsd !== null;
}

/** What caps a request of these members. */
export function capsFor({ caps, memberCaps }: ApplicableLimits, members: NamedMembers): Caps {
  if (memberCaps.length === 0) return caps;
  const isNamed = ({ scope, name }: LimitRule): boolean => {
    const member = members[scope as keyof NamedMembers]; // only rules of these scopes are among memberCaps
    return member !== null && (name === null || name === member);
  };
  return tighten(caps, memberCaps.filter(isNamed));
}

/** The limits of one configuration. Counters outlive it: they belong to the tables. */
export class LimitBook {
  readonly limits: readonly Limit[];
  readonly #rules: readonly LimitRule[];
  /** By id of the limit. */
  readonly tables: ReadonlyMap<string, CounterTable>;
  readonly #resolved = new Map<string, Map<string, ApplicableLimits>>();

  /** @param tableOf the counters of a limit, kept from the configuration before when it had the same limit */
  constructor(rules: readonly LimitRule[], tableOf: (limit: Limit) => CounterTable) {
    this.#rules = rules;
    this.limits = rules.flatMap(limitsOf);
    this.tables = new Map(this.limits.map((limit) => [limit.id, tableOf(limit)]));
  }

  /** What limits the calls of a key for a feature. Found once, then only looked up. @param nowMs monotonic */
  applicable(caller: FixedCaller, nowMs: number, epochMs: number): ApplicableLimits {
    const ofKey = this.#resolved.get(caller.keyId);
    const known = ofKey?.get(caller.feature);
    if (known !== undefined) return known;
    const resolved = this.#resolve(caller, nowMs, epochMs);
    if (ofKey === undefined) this.#resolved.set(caller.keyId, new Map([[caller.feature, resolved]]));
    else ofKey.set(caller.feature, resolved);
    return resolved;
  }

  #resolve(caller: FixedCaller, nowMs: number, epochMs: number): ApplicableLimits {
    const rules = this.#rules.filter((rule) => rule.feature === null || rule.feature === caller.feature);
    const counters: Counter[] = [];
    const byMember: OpenLimit<'user' | 'customer' | 'session'>[] = [];
    const byTarget: OpenLimit<'model' | 'provider'>[] = [];
    const capping: LimitRule[] = [];
    const memberCaps: LimitRule[] = [];
    for (const rule of rules) {
      const { scope, name } = rule;
      const member = fixedMember(rule, caller);
      const tables = limitsOf(rule).map((limit) => this.tables.get(limit.id) as CounterTable); // made above for every limit
      if (scope === 'model' || scope === 'provider') for (const table of tables) byTarget.push({ scope, name, table });
      else if (scope === 'user' || scope === 'customer' || scope === 'session') {
        for (const table of tables) byMember.push({ scope, name, table });
        if (hasCap(rule)) memberCaps.push(rule);
      } else if (member !== null) {
        for (const table of tables) {
          const counter = table.get(member, nowMs, epochMs);
          if (scope === 'key') counter.label = caller.keyName;
          counters.push(counter);
        }
        if (hasCap(rule)) capping.push(rule);
      }
    }
    const limits = [...counters.map(({ limit }) => limit), ...[...byMember, ...byTarget].map(({ table }) => table.limit)];
    const isCapped = capping.length + memberCaps.length > 0;
    return {
      counters,
      byMember,
      byTarget,
      caps: tighten(NO_CAPS, capping),
      memberCaps,
      needsEstimate: isCapped || limits.some(({ unit }) => unit === 'tokens' || unit === 'nano_usd'),
      isUnlimited: limits.length === 0 && !isCapped,
    };
  }
}
