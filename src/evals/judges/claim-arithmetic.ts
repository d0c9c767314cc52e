import type { ScorePart } from '../score.ts';

/** From verdicts to scores. Null = nothing to tell; never 0, 1 or NaN instead. */

/** Share of true ones; null of none. */
export function share(flags: readonly boolean[]): number | null {
  return flags.length === 0 ? null : flags.filter(Boolean).length / flags.length;
}

/**
 * Mean precision over the ranks of useful passages: Σ_k v_k · (useful among the first k) / k, divided by the useful ones. 0 when none is useful.
 * Ragas divides by their number + 1e-10, so that its perfect score is 0.9999999999.
 * @param useful verdict of each passage in rank order
 */
export function averagePrecision(useful: readonly boolean[]): number | null {
  if (useful.length === 0) return null;
  let found = 0;
  let sum = 0;
  useful.forEach((isUseful, index) => {
    if (!isUseful) return;
    found++;
    sum += found / (index + 1);
  });
  return sum / (found + 1e-10);
}

export interface Agreement {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
}

/** @param answerSupported answer's claims held against the reference; @param referenceCovered reference's claims held against the answer */
export function agreementOf(answerSupported: readonly boolean[], referenceCovered: readonly boolean[]): Agreement {
  const truePositives = answerSupported.filter(Boolean).length;
  return {
    truePositives,
    falsePositives: answerSupported.length - truePositives,
    falseNegatives: referenceCovered.filter((isCovered) => !isCovered).length,
  };
}

/** Null when the answer claims nothing. */
export function precision({ truePositives, falsePositives }: Agreement): number | null {
  return truePositives + falsePositives === 0 ? null : truePositives / (truePositives + falsePositives);
}

/** Null when the reference claims nothing that could have been missed. */
export function recall({ truePositives, falseNegatives }: Agreement): number | null {
  return truePositives + falseNegatives === 0 ? null : truePositives / (truePositives + falseNegatives);
}

/** @param beta above 1 = recall weighs more, below = precision; > 0 */
export function fBeta(agreement: Agreement, beta: number): number | null {
  const p = precision(agreement);
  const r = recall(agreement);
  if (p === null || r === null) return null;
  return p + r === 0 ? 0 : ((1 + beta * beta) * p * r) / (beta * beta * p + r);
}

/** F1 as TP / (TP + (FP + FN) / 2), which also stands when one side claims nothing. Null when neither claims anything. */
export function statementF1({ truePositives, falsePositives, falseNegatives }: Agreement): number | null {
  const all = truePositives + (falsePositives + falseNegatives) / 2;
  return all === 0 ? null : truePositives / all;
}

/** @param weights of the statements and of the likeness, not both 0 */
export function answerCorrectness(f1: number, similarity: number, weights: readonly [number, number]): number {
  return (weights[0] * f1 + weights[1] * similarity) / (weights[0] + weights[1]);
}

/** Which claims are entailed by what. Rows are passages, columns claims. */
export interface Entailment {
  /** Passage × claim of the reference. */
  readonly contextToReference: readonly (readonly boolean[])[];
  /** Passage × claim of the answer. */
  readonly contextToAnswer: readonly (readonly boolean[])[];
  /** Claim of the answer entailed by the reference: it is correct. */
  readonly answerCorrect: readonly boolean[];
}

interface AnswerClaim {
  readonly isCorrect: boolean;
  readonly inRelevant: boolean;
  readonly inIrrelevant: boolean;
}

function answerClaims({ contextToReference, contextToAnswer, answerCorrect }: Entailment): AnswerClaim[] {
  const isRelevant = contextToReference.map((row) => row.some(Boolean));
  return answerCorrect.map((isCorrect, claim) => ({
    isCorrect,
    inRelevant: contextToAnswer.some((row, passage) => isRelevant[passage] === true && row[claim] === true),
    inIrrelevant: contextToAnswer.some((row, passage) => isRelevant[passage] === false && row[claim] === true),
  }));
}

/**
 * Share of the answer's claims that are wrong and come from a relevant passage (one that entails a claim of the reference); or from an irrelevant one
 * and no relevant one.
 * @see ragas, metrics/_noise_sensitivity.py
 */
export function noiseSensitivity(entailment: Entailment): { readonly relevant: number; readonly irrelevant: number } | null {
  const claims = answerClaims(entailment);
  const relevant = share(claims.map(({ isCorrect, inRelevant }) => !isCorrect && inRelevant));
  const irrelevant = share(claims.map(({ isCorrect, inRelevant, inIrrelevant }) => !isCorrect && inIrrelevant && !inRelevant));
  return relevant === null || irrelevant === null ? null : { relevant, irrelevant };
}

/**
 * All that can be told from claims and what entails them. What has no claims or passages to be told from is left out.
 * Precision + both noise sensitivities + hallucination = 1.
 * @param referenceCovered claim of the reference entailed by the answer
 * @see Ru et al. 2024, "RAGChecker", arXiv 2408.08067; its computation.py
 */
export function claimMetrics(entailment: Entailment, referenceCovered: readonly boolean[]): readonly ScorePart[] {
  const { contextToReference, answerCorrect } = entailment;
  const claims = answerClaims(entailment);
  const noise = noiseSensitivity(entailment);
  const isRetrieved = referenceCovered.map((_, claim) => contextToReference.some((row) => row[claim] === true));
  const isFaithful = claims.map(({ inRelevant, inIrrelevant }) => inRelevant || inIrrelevant);
  const p = share(answerCorrect);
  const r = share(referenceCovered);
  const f1 = p === null || r === null ? null : p + r === 0 ? 0 : (2 * p * r) / (p + r);
  const all: Readonly<Record<string, number | null>> = {
    precision: p,
    recall: r,
    f1,
    claim_recall: contextToReference.length === 0 ? null : share(isRetrieved),
    context_precision: share(contextToReference.map((row) => row.some(Boolean))),
    context_utilization: share(referenceCovered.filter((_, claim) => isRetrieved[claim] === true)),
    noise_sensitivity_in_relevant: noise?.relevant ?? null,
    noise_sensitivity_in_irrelevant: noise?.irrelevant ?? null,
    hallucination: share(claims.map(({ isCorrect }, index) => !isCorrect && isFaithful[index] === false)),
    self_knowledge: share(claims.map(({ isCorrect }, index) => isCorrect && isFaithful[index] === false)),
    faithfulness: share(isFaithful),
  };
  return Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [{ name, value }]));
}

/** Topics of a conversation: whether each is one that the assistant is for, and whether it was answered. */
export function topicAdherence(topics: readonly { readonly isOurs: boolean; readonly isAnswered: boolean }[]): Agreement {
  const count = (isOurs: boolean, isAnswered: boolean): number =>
    topics.filter((topic) => topic.isOurs === isOurs && topic.isAnswered === isAnswered).length;
  return { truePositives: count(true, true), falsePositives: count(false, true), falseNegatives: count(true, false) };
}
