import { inputTokens, outputTokens, type Usage } from './usage.ts';

/** How a provider's counts were read, for whoever wants to check a cost. */
export interface UsageExplanation {
  /** E.g. `input inclusive, output exclusive`: whether its sums hold cached tokens and reasoning; null where there was nothing to decide. */
  readonly rule: string | null;
  /** What does not add up; null when everything does, or the provider gave no total. */
  readonly conflict: string | null;
}

function first(usage: Readonly<Record<string, unknown>>, names: readonly string[]): number | null {
  for (const name of names) if (typeof usage[name] === 'number') return usage[name];
  return null;
}

const INPUT = ['prompt_tokens', 'input_tokens', 'inputTokens', 'promptTokenCount'];
const OUTPUT = ['completion_tokens', 'output_tokens', 'outputTokens', 'candidatesTokenCount'];
const TOTAL = ['total_tokens', 'totalTokens', 'totalTokenCount'];

function ruleOf(reported: number | null, plain: number, parts: number): 'inclusive' | 'exclusive' | null {
  if (reported === null || parts === 0) return null;
  return reported === plain ? 'exclusive' : 'inclusive';
}

/**
 * Holds the provider's usage object against the classes that were read from it. Pure; knows the names of all dialects, not their rules.
 * @param imageTokens input tokens that are measured beside the classes
 */
export function explainUsage(provided: unknown, usage: Usage, imageTokens = 0): UsageExplanation {
  if (typeof provided !== 'object' || provided === null) return { rule: null, conflict: null };
  const reported = provided as Readonly<Record<string, unknown>>; // an object, read member by member
  const cached = usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  const input = ruleOf(first(reported, INPUT), inputTokens(usage) - cached, cached);
  const output = ruleOf(first(reported, OUTPUT), outputTokens(usage) - usage.reasoningTokens, usage.reasoningTokens);
  const rules = [input === null ? null : `input ${input}`, output === null ? null : `output ${output}`].filter((rule) => rule !== null);
  const total = first(reported, TOTAL);
  const sum = inputTokens(usage) + outputTokens(usage) + imageTokens;
  return {
    rule: rules.length === 0 ? null : rules.join(', '),
    conflict: total === null || total === sum ? null : `the provider's total is ${total}, what it counted adds up to ${sum}`,
  };
}
