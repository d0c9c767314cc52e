import type { ScoringTools } from '../scorer.ts';
import type { Entailment } from './claim-arithmetic.ts';
import { ANSWER_STATEMENTS, askEntailed, askList, TEXT_CLAIMS } from './statements.ts';

export interface JudgedClaims extends Entailment {
  readonly referenceCovered: readonly boolean[];
  readonly answerClaims: readonly string[];
}

/** Claims of the output and of the reference, each held against each passage and against the other text: 4 + 2 · passages questions at most. */
export async function judgeClaims(
  tools: ScoringTools,
  question: string,
  output: string,
  reference: string,
  passages: readonly string[],
): Promise<JudgedClaims> {
  const [answerClaims, referenceClaims] = await Promise.all([
    askList(tools, ANSWER_STATEMENTS, { question, answer: output }),
    askList(tools, TEXT_CLAIMS, { text: reference }),
  ]);
  const [contextToReference, contextToAnswer, answerCorrect, referenceCovered] = await Promise.all([
    Promise.all(passages.map((passage) => askEntailed(tools, passage, referenceClaims))),
    Promise.all(passages.map((passage) => askEntailed(tools, passage, answerClaims))),
    askEntailed(tools, reference, answerClaims),
    askEntailed(tools, output, referenceClaims),
  ]);
  return { contextToReference, contextToAnswer, answerCorrect, referenceCovered, answerClaims };
}
