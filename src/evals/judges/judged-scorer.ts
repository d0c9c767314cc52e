import { z } from 'zod';
import { PlimsollError } from '../../kernel/errors.ts';
import { failed, measured, type Score, type ScorePart, unmeasured } from '../score.ts';
import { defineScorer, type ScorerDefinition, type Subject } from '../scorer.ts';
import { boundedTools } from './bounded-tools.ts';
import { ChatPrompt, checkPrompt } from './prompt.ts';

/**
 * A scorer that asks a model. Without what it needs it is unmeasured, and no model is asked; a judge that cannot be read is a failed score that may be
 * tried again.
 */
export function defineJudgedScorer<Options extends z.ZodType>(definition: ScorerDefinition<Options>): ScorerDefinition<Options> {
  return defineScorer({
    ...definition,
    async score(subject, options, tools) {
      const lacking = whatLacks(subject, definition.needs);
      if (lacking !== null) return unmeasured(lacking);
      try {
        return await definition.score(subject, options, boundedTools(tools));
      } catch (error) {
        if (error instanceof PlimsollError && error.code === 'judge_unreadable') return failed(error.message, true);
        throw error;
      }
    },
  });
}

function whatLacks(subject: Subject, needs: ScorerDefinition['needs']): string | null {
  if (!needs.includes('contexts')) return null;
  if (subject.contexts === null) return 'The run retrieved nothing: there are no contexts.';
  return subject.contexts.every((context) => context.trim() === '') ? 'Retrieval gave no context.' : null;
}

export const NO_REFERENCE = 'The case has no reference answer, and the assertion no value.';

/** The right answer: the assertion's own `value`, else the case's. A scorer that takes either does not *need* a reference. */
export function expectedAnswer(value: string | undefined, reference: string | null): string | null {
  const expected = value ?? reference;
  return expected === null || expected.trim() === '' ? null : expected;
}

/** For metrics that nothing is demanded of unless a threshold is given. */
export const ThresholdOption = z.number().describe('The score must be at least this; absent = nothing is demanded').optional();
/** For metrics of which less is better. */
export const MaximumOption = z.number().describe('The score must be at most this; absent = nothing is demanded').optional();
export const RubricPromptOption = z
  .union([z.string(), ChatPrompt])
  .transform((prompt, context) => {
    const source = typeof prompt === 'string' ? prompt : JSON.stringify(prompt);
    try {
      checkPrompt(source);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
    return source;
  })
  .describe('Your own prompt for the judge in place of ours: a template of a text, or chat messages')
  .optional();

/** A share of what was counted, with its threshold. Comparisons forgive the last bit, as promptfoo's do. */
export function atLeast(value: number, threshold: number | undefined, reason: string, parts?: readonly ScorePart[]): Score {
  return measured(value, threshold === undefined ? null : value >= threshold - Number.EPSILON, reason, parts);
}

export function atMost(value: number, maximum: number | undefined, reason: string, parts?: readonly ScorePart[]): Score {
  return measured(value, maximum === undefined ? null : value <= maximum + Number.EPSILON, reason, parts);
}
