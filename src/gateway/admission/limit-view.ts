import { z } from 'zod';
import { LIMIT_SCOPES, ON_EXCEED } from '../limits-config.ts';
import { WorkerPresence } from '../worker-presence.ts';
import { type Limit, type LimitKind, limitsOf } from './limit.ts';
import type { LimitRule } from './limit-rule.ts';
import { isMoney, type LimitState, type LimitsReport, type MemberState } from './limit-state.ts';

/** From this share on a limit is near. */
const NEAR_RATIO = 0.8;

const amount = z
  .string()
  .regex(/^-?\d+$/)
  .nullable()
  .describe('In the unit of the limit (usd: pico-dollars), decimal integer; null = no gateway has said, or there is nothing to count');

/** One number of one limit, for one member of its scope. */
export const LimitView = z
  .object({
    id: z.string().describe('The limit, e.g. team:support/budget-per-day'),
    scope: z.enum(LIMIT_SCOPES),
    name: z
      .string()
      .nullable()
      .describe('Member of the scope; null = each member on its own, and nobody has used any yet; global has none'),
    isPerMember: z.boolean().describe('The limit holds for each member of the scope on its own'),
    feature: z.string().nullable().describe('Only calls of this feature are counted; null = of all'),
    kind: z
      .enum(['window', 'gauge', 'total', 'request'])
      .describe('window: any so long time; gauge: what is in flight; total: a period or a run; request: a cap of each request'),
    unit: z.enum(['requests', 'tokens', 'concurrency', 'usd', 'steps', 'input_tokens', 'output_tokens']),
    period: z.string().nullable().describe('second, minute, hour, day, week, month or run; null for gauges and requests'),
    timeZone: z.string().nullable().describe('Whose midnight begins a calendar period'),
    capacity: z.string().regex(/^\d+$/).describe('Of money: pico-dollars'),
    used: amount.describe('Counted for good. A call in flight is not in it'),
    reserved: amount.describe('Held by calls in flight, by their estimate'),
    remaining: amount.describe('What another call can still take: capacity − used − reserved, at least 0'),
    usedRatio: z.number().nullable().describe('(used + reserved) / capacity'),
    isLowerBound: z
      .boolean()
      .describe('A gateway with more members than it reports may have counted more for this one; those with the most are always reported'),
    waiting: z.int().nullable().describe('Calls in the waiting line'),
    resetAt: z
      .int()
      .nullable()
      .describe('Epoch ms at which nothing is used any more: the end of the period, or when the newest entry of a window leaves it'),
    state: z
      .enum(['exceeded', 'near', 'within', 'unused', 'unmeasured', 'cap'])
      .describe('exceeded: nothing remains; near: from 80 % on; cap: of single requests, nothing is counted'),
    alertAtPercent: z.array(z.number()).describe('Shares of the budget at which an event is sent'),
    passedPercent: z.array(z.number()).describe('Of these, those that are used'),
    refused: z.int().nullable().describe('Calls that did not fit under this limit, all members, since the gateways started'),
    onExceed: z.enum(ON_EXCEED),
    downgradeTo: z.string().nullable(),
    isLoopBreaker: z.boolean(),
    owner: z.string().nullable(),
    costOwner: z.string().nullable(),
  })
  .meta({ id: 'Limit' });
export type LimitView = z.infer<typeof LimitView>;

export const LimitList = z
  .object({
    gateways: z.array(WorkerPresence).describe('Gateway workers whose use is added up here, and those that did not answer'),
    configured: z.int().describe('Entries under limits and loop breakers in the configuration'),
    total: z.int().describe('Limits and members that match the query'),
    limits: z.array(LimitView).describe('The most used first; with a query limit the first ones of `total`'),
  })
  .meta({ id: 'LimitList' });
export type LimitList = z.infer<typeof LimitList>;

/** One member, over all workers. */
interface MemberSum {
  readonly name: string;
  readonly used: bigint;
  readonly reserved: bigint;
  readonly waiting: number;
  readonly resetAtMs: number | null;
  /** Of the workers that have more members than they reported, those in whose list it is. */
  readonly seenByCut: number;
}

interface LimitSum {
  readonly refused: number;
  readonly members: ReadonlyMap<string, MemberSum>;
  /** Workers that have more members than they reported. */
  readonly cutWorkers: number;
}

function latest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** What a call in flight holds is counted once, whatever the counter's own notion of used is. */
function settledAndHeld(kind: LimitKind, state: MemberState): { used: bigint; reserved: bigint } {
  const used = BigInt(state.used);
  const reserved = BigInt(state.reserved);
  switch (kind) {
    case 'total':
      return { used, reserved };
    case 'gauge':
      return { used: 0n, reserved: used };
    case 'window': {
      // A call that takes longer than the window has left it.
      const held = smaller(reserved, used);
      return { used: used - held, reserved: held };
    }
    default:
      return kind satisfies never;
  }
}

function addUp(limit: Limit, states: readonly LimitState[]): LimitSum | null {
  if (states.length === 0) return null;
  const members = new Map<string, MemberSum>();
  let cutWorkers = 0;
  for (const state of states) {
    const isCut = state.members > state.top.length;
    if (isCut) cutWorkers++;
    for (const entry of state.top) {
      const { used, reserved } = settledAndHeld(limit.kind, entry);
      const known = members.get(entry.id);
      members.set(entry.id, {
        // A worker that has had no call of a key since its start knows only its id.
        name: known === undefined || known.name === entry.id ? entry.member : known.name,
        used: (known?.used ?? 0n) + used,
        reserved: (known?.reserved ?? 0n) + reserved,
        waiting: (known?.waiting ?? 0) + entry.waiting,
        resetAtMs: latest(known?.resetAtMs ?? null, entry.resetAtMs),
        seenByCut: (known?.seenByCut ?? 0) + (isCut ? 1 : 0),
      });
    }
  }
  return {
    refused: states.reduce((sum, { refused }) => sum + refused, 0),
    members,
    cutWorkers,
  };
}

function describeRule(
  rule: LimitRule,
): Pick<LimitView, 'scope' | 'isPerMember' | 'feature' | 'onExceed' | 'downgradeTo' | 'isLoopBreaker' | 'owner' | 'costOwner'> {
  const { scope, name, feature, onExceed, downgradeTo, isLoopBreaker, owner, costOwner } = rule;
  return { scope, isPerMember: name === null && scope !== 'global', feature, onExceed, downgradeTo, isLoopBreaker, owner, costOwner };
}

const NOTHING_COUNTED = {
  used: null,
  reserved: null,
  remaining: null,
  usedRatio: null,
  isLowerBound: false,
  waiting: null,
  resetAt: null,
  passedPercent: [],
} as const;

function measured(limit: Limit, capacity: bigint, member: MemberSum, sum: LimitSum): Partial<LimitView> {
  const counted = member.used + member.reserved;
  const usedRatio = Number(counted) / Number(capacity);
  const percents = limit.unit === 'nano_usd' ? (limit.rule.budget?.alertAtPercent ?? []) : [];
  const left = capacity - counted;
  return {
    used: `${member.used}`,
    reserved: `${member.reserved}`,
    remaining: `${left > 0n ? left : 0n}`,
    usedRatio,
    isLowerBound: member.seenByCut < sum.cutWorkers,
    waiting: member.waiting,
    resetAt: counted === 0n ? null : member.resetAtMs,
    state: left <= 0n ? 'exceeded' : usedRatio >= NEAR_RATIO ? 'near' : counted === 0n && member.waiting === 0 ? 'unused' : 'within',
    // As the gateways tell it: of what is spent, without what calls in flight may cost.
    passedPercent: percents.filter((percent) => member.used * 100n >= capacity * BigInt(percent)),
  };
}

function viewsOf(limit: Limit, states: readonly LimitState[]): LimitView[] {
  const { rule } = limit;
  const capacity = isMoney(limit) ? BigInt(limit.capacity) * 1000n : BigInt(limit.capacity);
  const isBudget = limit.unit === 'nano_usd';
  const base: LimitView = {
    id: limit.id,
    name: rule.name,
    ...describeRule(rule),
    kind: limit.kind,
    unit: isMoney(limit) ? 'usd' : (limit.unit as Exclude<Limit['unit'], 'nano_usd' | 'spent_nano_usd'>), // isMoney took those two
    period: limit.periodName,
    timeZone: isBudget && rule.budget !== null && rule.budget.per !== 'run' ? rule.budget.timeZone : null,
    capacity: `${capacity}`,
    ...NOTHING_COUNTED,
    passedPercent: [],
    alertAtPercent: isBudget ? [...(rule.budget?.alertAtPercent ?? [])] : [],
    refused: null,
    state: 'unmeasured',
  };
  const sum = addUp(limit, states);
  if (sum === null) return [base];
  const known = { ...base, refused: sum.refused };
  if (sum.members.size > 0)
    return [...sum.members.values()].map((member) => ({
      ...known,
      name: limit.scope === 'global' ? null : member.name,
      ...measured(limit, capacity, member, sum),
    }));
  if (base.isPerMember) return [{ ...known, state: 'unused' }];
  const nobody = { name: '', used: 0n, reserved: 0n, waiting: 0, resetAtMs: null, seenByCut: sum.cutWorkers };
  return [{ ...known, ...measured(limit, capacity, nobody, sum) }];
}

function capsOf(rule: LimitRule): LimitView[] {
  const caps = [
    ['input_tokens', 'input-tokens', rule.maxInputTokens],
    ['output_tokens', 'output-tokens', rule.maxOutputTokens],
    ['usd', 'cost', rule.maxCostNanoUsd],
  ] as const;
  return caps.flatMap(([unit, word, most]): LimitView[] => {
    if (most === null) return [];
    return [
      {
        id: `${rule.id}/${word}-per-request`,
        name: rule.name,
        ...describeRule(rule),
        kind: 'request',
        unit,
        period: null,
        timeZone: null,
        capacity: unit === 'usd' ? `${BigInt(most) * 1000n}` : `${most}`,
        ...NOTHING_COUNTED,
        passedPercent: [],
        alertAtPercent: [],
        refused: null,
        state: 'cap',
      },
    ];
  });
}

const ORDER: readonly LimitView['state'][] = ['exceeded', 'near', 'within', 'unused', 'unmeasured', 'cap'];

/** Exceeded first, then by share; equal ones in the order of the configuration. */
function byUse(a: LimitView, b: LimitView): number {
  const place = ORDER.indexOf(a.state) - ORDER.indexOf(b.state);
  return place !== 0 ? place : (b.usedRatio ?? 0) - (a.usedRatio ?? 0);
}

/**
 * Every limit of the configuration in force with what all workers together have used of it: a line per number and member. Pure.
 * @param reports of the workers that answered
 */
export function limitViews(rules: readonly LimitRule[], reports: readonly LimitsReport[]): LimitView[] {
  const states = Map.groupBy(
    reports.flatMap(({ limits }) => limits),
    ({ id }) => id,
  );
  const views = rules.flatMap((rule) => [
    ...limitsOf(rule).flatMap((limit) => viewsOf(limit, states.get(limit.id) ?? [])),
    ...capsOf(rule),
  ]);
  return views.sort(byUse);
}

export interface LimitQuery {
  readonly scope?: LimitView['scope'] | undefined;
  /** Part of the member, the feature, an owner or the limit's id; case does not matter. */
  readonly q?: string | undefined;
}

export function matchesQuery(view: LimitView, { scope, q }: LimitQuery): boolean {
  if (scope !== undefined && view.scope !== scope) return false;
  if (q === undefined) return true;
  const wanted = q.toLowerCase();
  return [view.name, view.feature, view.owner, view.costOwner, view.id].some((text) => text?.toLowerCase().includes(wanted));
}
