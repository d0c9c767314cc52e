import type { CallRouting } from '../../traces/call-record.ts';
import type { Candidate } from './compiled-route.ts';
import { orderByCost, orderByRendezvous, orderByTwoChoices, orderByWeight, type Random } from './order.ts';
import { type Strategy, TIERS, type Tier } from './policy.ts';

/** How difficult a request is, and who says so. */
export interface Difficulty {
  readonly tier: Tier;
  /** Probability of the tier; null when a model judged. */
  readonly confidence: number | null;
  readonly probabilities: Readonly<Record<Tier, number>> | null;
  /** The judge did not know: medium is what it falls back to. */
  readonly isUndecided: boolean;
}

/** What a strategy needs to know of a call; only the strategy that needs a thing asks for it. */
export interface ChoiceInputs {
  readonly random: Random;
  /** Expected cost of the call, pico-dollars; null = unpriced. */
  costOf(candidate: Candidate): bigint | null;
  /** Expected wait for the first content × load; 0 = never measured. */
  latencyOf(candidate: Candidate): number;
  /** Uniform in (0, 1) for a candidate and what sticks; null = the call has nothing that sticks. */
  readonly stickyHash: ((candidate: Candidate) => number) | null;
  readonly difficulty: Difficulty | null;
  readonly disabledTiers: ReadonlySet<Tier> | undefined;
}

/** An order of targets with its reason. */
export interface Choice {
  readonly ordered: readonly Candidate[];
  /** For people. */
  readonly reason: string;
  /** For counters: one of a closed set. */
  readonly reasonClass: string;
  readonly tier: Tier | null;
}

/** The tier that serves a difficulty: itself, or the next higher one that is not below the feature's quality floor. */
function servingTier(tier: Tier, disabled: ReadonlySet<Tier> | undefined): Tier {
  if (disabled === undefined) return tier;
  return TIERS.slice(TIERS.indexOf(tier)).find((candidate) => !disabled.has(candidate)) ?? 'complex';
}

/** Targets of the tier first, then of higher ones, then of lower ones: rather too good than too weak. */
function orderByTier(candidates: readonly Candidate[], tier: Tier): Candidate[] {
  const wanted = TIERS.indexOf(tier);
  return orderByCost(candidates, ({ tier: own }) => {
    const index = own === null ? wanted : TIERS.indexOf(own);
    return index >= wanted ? index - wanted : TIERS.length + wanted - index;
  });
}

function byComplexity(candidates: readonly Candidate[], { difficulty, disabledTiers }: ChoiceInputs): Choice {
  const judged = difficulty?.tier ?? 'medium';
  const tier = servingTier(judged, disabledTiers);
  const certainty =
    difficulty === null || difficulty.isUndecided
      ? 'undecided'
      : difficulty.confidence === null
        ? 'by model'
        : difficulty.confidence.toFixed(2);
  const raised = tier === judged ? '' : `; ${judged} is below the quality floor`;
  return {
    ordered: orderByTier(candidates, tier),
    reason: `complexity ${tier} ${certainty}${raised}`,
    reasonClass: `complexity:${tier}${tier === judged ? '' : ':floor'}`,
    tier,
  };
}

/** @param candidates that may be used, in the route's order; not empty */
export function chooseTargets(strategy: Strategy, candidates: readonly Candidate[], inputs: ChoiceInputs): Choice {
  const plain = (ordered: readonly Candidate[], reason: string, reasonClass = strategy as string): Choice => ({
    ordered,
    reason,
    reasonClass,
    tier: null,
  });
  const weightOf = ({ weight }: Candidate): number => weight;
  switch (strategy) {
    case 'priority':
      return plain(candidates, 'priority');
    case 'condition': {
      const { position, when } = candidates[0] as Candidate; // not empty
      return plain(
        candidates,
        when === null ? 'condition none' : `condition ${position}`,
        `condition:${when === null ? 'none' : position}`,
      );
    }
    case 'weight':
      return plain(orderByWeight(candidates, weightOf, inputs.random), 'weight');
    case 'latency': {
      const ordered = orderByTwoChoices(candidates, inputs.latencyOf, inputs.random);
      return plain(ordered, `latency ${Math.round(inputs.latencyOf(ordered[0] as Candidate))} ms`); // as many as came in
    }
    case 'cost':
      return plain(orderByCost(candidates, inputs.costOf), 'cost');
    case 'sticky': {
      const hash = inputs.stickyHash;
      return hash === null
        ? plain(orderByWeight(candidates, weightOf, inputs.random), 'sticky by weight', 'sticky:none')
        : plain(orderByRendezvous(candidates, weightOf, hash), 'sticky');
    }
    case 'complexity':
      return byComplexity(candidates, inputs);
    default:
      return strategy satisfies never;
  }
}

/** What would have been asked without the strategy: where difficulty decides, the model of the highest tier; else the route's first. */
export function counterfactual(strategy: Strategy, candidates: readonly Candidate[]): Candidate | undefined {
  if (strategy !== 'complexity') return candidates[0];
  return orderByTier(candidates, 'complex')[0];
}

/** A decision as the call's record carries it; the saving is known only when the call is over. */
export function describeChoice(
  strategy: Strategy,
  choice: Choice,
  all: readonly Candidate[],
  leftOut: readonly Candidate[],
  difficulty: Difficulty | null,
): CallRouting {
  const without = leftOut.length === 0 ? '' : `; without ${leftOut.map(({ target }) => target.model).join(', ')} (unhealthy)`;
  return {
    strategy,
    reason: `${choice.reason}${without}`,
    tier: choice.tier,
    probabilities: difficulty?.probabilities ?? null,
    candidates: choice.ordered.map(({ target }) => target.model),
    counterfactualModel: counterfactual(strategy, all)?.target.model ?? null,
    estimatedSavingPicoUsd: null,
  };
}
