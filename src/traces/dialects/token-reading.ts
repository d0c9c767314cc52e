import { type CountedTokens, type CountRule, type CountRules, countRules } from '../../models/count-rule.ts';
import { NO_USAGE, type Usage } from '../../models/usage.ts';
import type { SpanView } from './span-view.ts';

/** What a dialect says of its counts, before arithmetic is asked. */
export interface DialectRule {
  readonly input: CountRule;
  readonly output: CountRule;
  /** True when the dialect defines it; false when its senders are known to differ. */
  readonly isCertain: boolean;
}

export const INCLUSIVE: DialectRule = Object.freeze({ input: 'inclusive', output: 'inclusive', isCertain: true });

interface Totals {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface TokenReading {
  readonly usage: Usage;
  /** By what the counts were read, e.g. `input inclusive, by dialect`; null where there was nothing to decide. */
  readonly rule: string | null;
  /** All input and output tokens under either reading; equal where nothing is cached and nothing is reasoning. */
  readonly readings: { readonly inclusive: Totals; readonly exclusive: Totals };
  /** True when both readings are possible, they differ, and the dialect does not define which it is. */
  readonly isAmbiguous: boolean;
  /** True when the sender's own total comes out under no reading. */
  readonly isInconsistent: boolean;
}

/** What the sender counted; null = it said nothing of it. */
export interface ReportedCounts {
  readonly input: number | null;
  readonly output: number | null;
  readonly total: number | null;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  readonly cacheWrite1h: number | null;
  readonly reasoning: number | null;
  readonly audioInput: number | null;
  readonly audioOutput: number | null;
}

export function reportedCounts(view: SpanView): ReportedCounts {
  return {
    input: view.countOf('inputTokens'),
    output: view.countOf('outputTokens'),
    total: view.countOf('totalTokens'),
    cacheRead: view.countOf('cacheReadTokens'),
    cacheWrite: view.countOf('cacheWriteTokens'),
    cacheWrite1h: view.countOf('cacheWrite1hTokens'),
    reasoning: view.countOf('reasoningTokens'),
    audioInput: view.countOf('audioInputTokens'),
    audioOutput: view.countOf('audioOutputTokens'),
  };
}

/** E.g. `input exclusive, by arithmetic; output inclusive, by dialect`; only what there was to decide. */
function ruleText({ input, output }: CountRules, counts: CountedTokens, isProven: boolean): string | null {
  const side = (name: string, rule: CountRule, sum: number, parts: number): string[] =>
    parts === 0 ? [] : [`${name} ${rule}, ${parts > sum ? 'by arithmetic' : isProven ? 'by the total' : 'by dialect'}`];
  const sides = [...side('input', input, counts.input, counts.cached), ...side('output', output, counts.output, counts.reasoning)];
  return sides.length === 0 ? null : sides.join('; ');
}

/** Disjoint classes from counts that may overlap; null when nothing was counted. Never negative: what cannot be is said to be inconsistent. */
export function readTokens(counts: ReportedCounts, dialect: DialectRule): TokenReading | null {
  if (counts.input === null && counts.output === null && counts.cacheRead === null && counts.cacheWrite === null) return null;
  const input = counts.input ?? 0;
  const output = counts.output ?? 0;
  const cacheRead = counts.cacheRead ?? 0;
  const cacheWrite = Math.max(counts.cacheWrite ?? 0, counts.cacheWrite1h ?? 0);
  const cacheWrite1h = counts.cacheWrite1h ?? 0;
  const reasoning = counts.reasoning ?? 0;
  const cached = cacheRead + cacheWrite;
  // Input and output added up prove nothing: many SDKs make the total themselves, of whatever they counted.
  const isPartial = counts.input === null || counts.output === null;
  const counted = { input, cached, output, reasoning, total: isPartial || counts.total === input + output ? null : counts.total };
  const rules = countRules(counted, dialect);
  const inputRest = rules.input === 'inclusive' ? input - cached : input;
  const outputRest = rules.output === 'inclusive' ? output - reasoning : output;
  // Audio is a part of what is neither cached nor reasoning; where it is more, it was counted beside it.
  const audioInput = Math.min(counts.audioInput ?? 0, inputRest);
  const audioOutput = Math.min(counts.audioOutput ?? 0, outputRest);
  const usage: Usage = {
    ...NO_USAGE,
    inputUncachedTokens: inputRest - audioInput,
    cacheReadTokens: cacheRead,
    cacheWrite5mTokens: cacheWrite - cacheWrite1h,
    cacheWrite1hTokens: cacheWrite1h,
    audioInputTokens: audioInput,
    outputTextTokens: outputRest - audioOutput,
    reasoningTokens: reasoning,
    audioOutputTokens: audioOutput,
  };
  const isProven = counted.total !== null && rules.isConsistent;
  return {
    usage,
    rule: ruleText(rules, counted, isProven),
    readings: {
      inclusive: { inputTokens: Math.max(input, cached), outputTokens: Math.max(output, reasoning) },
      exclusive: { inputTokens: input + cached, outputTokens: output + reasoning },
    },
    isAmbiguous: cached > 0 && cached <= input && !isProven && !dialect.isCertain,
    isInconsistent: !rules.isConsistent,
  };
}
