import type { PicoUsd } from '../kernel/money.ts';
import type { Scope } from '../kernel/scope.ts';
import type { Usage } from '../models/usage.ts';
import type { SampledCall } from './context/report.ts';
import type { SharedRule } from './shared/config.ts';

/** Calls started in [from, to), epoch ms. */
export interface CostPeriod {
  readonly from: number;
  readonly to: number;
}

export interface PeriodTotals {
  readonly calls: bigint;
  /** Answered from the answer cache. */
  readonly cachedCalls: bigint;
  readonly unpricedCalls: bigint;
  readonly costPicoUsd: PicoUsd;
}

/** What some attempts of priced calls used, all at one price. */
export interface UsedAtPrice {
  readonly feature: string;
  readonly team: string | null;
  readonly keyId: string;
  /** The value by which it was asked to be broken down; null = none, or not asked. */
  readonly extra: string | null;
  readonly provider: string;
  /** As asked for. */
  readonly model: string;
  /** As the provider named what answered; null = it did not say. */
  readonly responseModel: string | null;
  /** Null = no price of ours: the provider's own word, or nothing known. */
  readonly priceId: string | null;
  /** How many of the price's tiers of context length the input reached. */
  readonly tier: number;
  /** The attempts ended in an error and cost money all the same. */
  readonly isFailed: boolean;
  readonly attempts: bigint;
  readonly tokens: Readonly<Record<keyof Usage, bigint>>;
  readonly costPicoUsd: PicoUsd;
}

/** Lengths of input from which a price has other amounts. */
export interface PriceTiers {
  readonly priceId: string;
  readonly aboveInputTokens: readonly number[];
}

/** By what a cost can be broken down beyond feature, team, key and model. */
export const BREAKDOWNS = ['customer', 'user', 'route', 'operation', 'requestedModel', 'tag'] as const;
export type CostBreakdown = { readonly by: Exclude<(typeof BREAKDOWNS)[number], 'tag'> } | { readonly by: 'tag'; readonly tag: string };

export const COST_GROUPS = ['feature', 'team', 'model', 'key', ...BREAKDOWNS] as const;
export type CostGroup = (typeof COST_GROUPS)[number];

export interface EconomicsRow {
  /** Null = calls without one. */
  readonly key: string | null;
  readonly calls: number;
  readonly unpricedCalls: number;
  readonly costPicoUsd: PicoUsd;
  readonly users: number;
  /** Cost of the calls that name a user. */
  readonly userCostPicoUsd: PicoUsd;
  readonly sessions: number;
  readonly sessionCostPicoUsd: PicoUsd;
}

export interface Unallocated {
  readonly team: PicoUsd;
  readonly customer: PicoUsd;
  readonly user: PicoUsd;
  readonly session: PicoUsd;
}

/**
 * errors: all of a call that failed; aborted: all of a call that was given up; retries, hedges: attempts that failed or were given up in a call that
 * went well. A paid attempt is in one of them at most.
 */
export const WASTE_KINDS = ['errors', 'aborted', 'retries', 'hedges'] as const;
export type WasteKind = (typeof WASTE_KINDS)[number];

export interface WasteRow {
  readonly feature: string;
  readonly kind: WasteKind;
  readonly calls: number;
  readonly attempts: number;
  readonly costPicoUsd: PicoUsd;
}

export interface SavingsRow {
  readonly feature: string;
  /** What answers from the answer cache cost when they were new. */
  readonly cachePicoUsd: PicoUsd;
  readonly cacheHits: number;
  /** Hits whose answer had no price: in no sum. */
  readonly unpricedHits: number;
  /** Estimates of the routes: the dearest target less the chosen one. */
  readonly routingPicoUsd: PicoUsd;
  readonly routedCalls: number;
}

export interface ShowbackRow {
  readonly team: string | null;
  readonly feature: string;
  readonly customer: string | null;
  readonly calls: number;
  readonly unpricedCalls: number;
  readonly costPicoUsd: PicoUsd;
}

/** What a team used, apart from what is shared. */
export interface TeamUse {
  readonly team: string | null;
  /** Name of the first rule of `costs.shared` that these calls belong to; null = the team's own. */
  readonly rule: string | null;
  readonly calls: number;
  readonly unpricedCalls: number;
  readonly costPicoUsd: PicoUsd;
}

/** What the ledger has of a model on a day, UTC. */
export interface ModelDay {
  /** `2026-10-31`. */
  readonly day: string;
  /** As the provider named what answered, else as it was asked for. */
  readonly model: string;
  readonly costPicoUsd: PicoUsd;
  /** Of it by estimated tokens. */
  readonly estimatedPicoUsd: PicoUsd;
  /** Attempts that used tokens without a price: in no sum. */
  readonly unpricedAttempts: number;
}

/** Which calls are meant; all of it must hold. */
export interface CostFilter {
  readonly feature?: string | undefined;
  readonly team?: string | undefined;
}

/** By what hourly costs are rolled up. */
export const HOURLY_DIMENSIONS = ['feature', 'team', 'model'] as const;
export type HourlyDimension = (typeof HOURLY_DIMENSIONS)[number];

export interface HourlyCost {
  /** Empty = calls without one. */
  readonly key: string;
  /** Epoch ms of the hour. */
  readonly atMs: number;
  readonly costPicoUsd: PicoUsd;
}

/** Scopes of budgets whose history the ledger or its rollups know. */
const MEMBER_DIMENSIONS = ['global', 'organisation', 'feature', 'team', 'customer', 'user', 'key', 'model', 'provider'] as const;
export type MemberDimension = (typeof MEMBER_DIMENSIONS)[number];

export function isMemberDimension(word: string): word is MemberDimension {
  return (MEMBER_DIMENSIONS as readonly string[]).includes(word);
}

export interface MemberQuery {
  readonly dimension: MemberDimension;
  /** As the ledger names them: ids of keys, aliases of models. Not looked at for `global` and `organisation`. */
  readonly members: readonly string[];
  /** Only calls of this feature. */
  readonly feature: string | null;
}

/** The member is empty for `global` and `organisation`. */
export type MemberHours = HourlyCost;

/** Questions to the ledger. Reads throw like those of TraceStore. */
export interface CostQueries {
  totals(scope: Scope, period: CostPeriod, filter?: CostFilter): Promise<PeriodTotals>;
  /** Ids of the prices at which calls were priced in the hours (UTC) that the period touches. */
  priceIds(scope: Scope, period: CostPeriod): Promise<string[]>;
  /** Attempts of priced calls; their costs add up to the cost of the period. */
  usedAtPrices(
    scope: Scope,
    period: CostPeriod,
    tiers: readonly PriceTiers[],
    filter?: CostFilter,
    breakdown?: CostBreakdown | null,
  ): Promise<UsedAtPrice[]>;
  /** Cost per hour and member, hours with cost only, in order of time; read from rollups. `period` is cut at whole hours. */
  hourly(scope: Scope, period: CostPeriod, dimension: HourlyDimension): Promise<HourlyCost[]>;
  /** The same for members of a budget's scope, the running hour included; from rollups where they know the scope. */
  memberHours(scope: Scope, period: CostPeriod, query: MemberQuery): Promise<MemberHours[]>;
  /** What was paid and led to no answer, by feature and kind. Of priced calls. */
  waste(scope: Scope, period: CostPeriod): Promise<WasteRow[]>;
  savings(scope: Scope, period: CostPeriod): Promise<SavingsRow[]>;
  /** Calls of stretches of five minutes drawn at random, with the five minutes before each, and their recorded texts. The same period draws the same. */
  contextSample(scope: Scope, period: CostPeriod): Promise<SampledCall[]>;
  /** Every team, feature and customer, in a fixed order; the costs add up to that of the period. */
  showback(scope: Scope, period: CostPeriod): Promise<ShowbackRow[]>;
  /** By team and the rule that takes its calls; the costs add up to that of the period. Rules of fees take none. */
  teamUse(scope: Scope, period: CostPeriod, rules: readonly SharedRule[]): Promise<TeamUse[]>;
  /** By day and model, of these providers (names of plimsoll.yaml). */
  modelDays(scope: Scope, period: CostPeriod, providers: readonly string[]): Promise<ModelDay[]>;
  /** By group, dearest first, at most 500, and over all. @param tag name, for the group `tag` */
  economics(
    scope: Scope,
    period: CostPeriod,
    groupBy: CostGroup,
    tag: string | null,
  ): Promise<{ groups: EconomicsRow[]; total: EconomicsRow; unallocated: Unallocated }>;
}
