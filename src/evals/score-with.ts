import { z } from 'zod';
import { failed, negated, type Score, unmeasured } from './score.ts';
import type { ScorerDefinition, ScoringTools, Subject } from './scorer.ts';

export interface FoundScorer {
  readonly definition: ScorerDefinition;
  /** Asked for as `not-<type>`. */
  readonly isNegated: boolean;
}

/** @param type an assertion's type, `not-` before it included; null when nothing has that name */
export function findScorer(scorers: readonly ScorerDefinition[], type: string): FoundScorer | null {
  const named = (name: string): ScorerDefinition | undefined => scorers.find(({ names }) => names.includes(name));
  const plain = named(type);
  if (plain !== undefined) return { definition: plain, isNegated: false };
  const turned = type.startsWith('not-') ? named(type.slice('not-'.length)) : undefined;
  return turned === undefined ? null : { definition: turned, isNegated: true };
}

/**
 * Scores one output. Never throws: what a scorer or the gateway throws is a failed score, retryable where the error is.
 * @param options as written: `value`, `threshold` and what the type has besides; not the runner's `weight` and `metric`
 */
export async function scoreWith(found: FoundScorer, options: unknown, subject: Subject, tools: ScoringTools): Promise<Score> {
  const { definition, isNegated } = found;
  const missing = missingNeed(definition, subject);
  if (missing !== null) return unmeasured(missing);
  try {
    const parsed = definition.options.safeParse(options);
    if (!parsed.success) return failed(`Options of ${definition.names[0]}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
    if (!isNegated) return await definition.score(subject, parsed.data, tools);
    return definition.scoreNegated === undefined
      ? negated(await definition.score(subject, parsed.data, tools))
      : await definition.scoreNegated(subject, parsed.data, tools);
  } catch (thrown) {
    const { message, retryable } = thrown as { message?: unknown; retryable?: unknown };
    return failed(`${definition.names[0]}: ${String(message ?? thrown).slice(0, 500)}`, retryable === true);
  }
}

/** Needs that a subject alone can answer; a judge that is missing says so itself. */
function missingNeed({ needs }: ScorerDefinition, subject: Subject): string | null {
  if (needs.includes('reference') && subject.reference === null) return 'The case has no reference answer.';
  if (needs.includes('contexts') && subject.contexts === null) return 'The run had no retrieval.';
  if (needs.includes('log probabilities') && (subject.logProbabilities ?? []).length === 0)
    return 'The provider gave no probabilities of the tokens.';
  if (needs.includes('spans') && subject.spans === null) return 'There is no trace of the run.';
  if (needs.includes('cost') && subject.costUsd === null) return 'The cost of the run is not known.';
  if (needs.includes('latency') && (subject.latencyMs === null || subject.isCached))
    return subject.isCached ? 'The answer came from a cache: its time is not the model’s.' : 'The time of the run is not known.';
  return null;
}
