import type { Score } from './score.ts';
import { findScorer, scoreWith } from './score-with.ts';
import type { ScoringTools, Subject } from './scorer.ts';
import { SCORERS } from './scorers/index.gen.ts';

/** A plain answer, without anything that a run may lack. */
export function subject(parts: Partial<Subject> = {}): Subject {
  return {
    question: '',
    messages: [],
    variables: {},
    output: '',
    toolCalls: [],
    finishReason: null,
    reference: null,
    contexts: null,
    contextIds: null,
    referenceContexts: null,
    referenceContextIds: null,
    latencyMs: null,
    costUsd: null,
    isCached: false,
    logProbabilities: null,
    spans: null,
    model: null,
    ...parts,
  };
}

/** For scorers that must not ask anybody. */
export const NO_TOOLS: ScoringTools = {
  judge: () => Promise.reject(new Error('asked a judge')),
  embed: () => Promise.reject(new Error('asked an embedder')),
  moderate: () => Promise.reject(new Error('asked a moderator')),
};

export function score(type: string, options: object, parts: Partial<Subject> = {}, tools = NO_TOOLS): Promise<Score> {
  const found = findScorer(SCORERS, type);
  if (found === null) throw new Error(`No scorer ${type}`);
  return scoreWith(found, options, subject(parts), tools);
}

/** What it is in one word: true and false for an assertion, else the state. */
export async function verdictOf(
  type: string,
  options: object,
  parts: Partial<Subject> = {},
  tools = NO_TOOLS,
): Promise<boolean | null | string> {
  const result = await score(type, options, parts, tools);
  return result.state === 'measured' ? result.passed : result.state;
}

export async function valueGiven(type: string, options: object, parts: Partial<Subject> = {}, tools = NO_TOOLS): Promise<number> {
  const result = await score(type, options, parts, tools);
  return result.state === 'measured' ? result.value : Number.NaN;
}
