import { NO_USAGE, type Usage } from '../../models/usage.ts';
import type { SpanView } from './span-view.ts';

/**
 * Whether a sender's count of input tokens holds those read from and written to a cache (inclusive) or only the rest (exclusive); likewise its
 * output tokens and reasoning.
 */
export type CountRule = 'inclusive' | 'exclusive';

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
  /** By what the counts were read, e.g. `dialect: inclusive` or `arithmetic: cached > input, so exclusive`. */
  readonly rule: string;
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

interface Decision {
  readonly rule: CountRule;
  readonly because: string;
  readonly isProven: boolean;
}

/** One side (input or output) whose parts may or may not be in its sum. @param proven by the total; it cannot stand against the parts */
function decide(sum: number, parts: number, dialect: CountRule, proven: CountRule | null, side: string): Decision {
  if (parts > sum) return { rule: 'exclusive', because: `arithmetic: parts of the ${side} exceed it, so exclusive`, isProven: true };
  if (proven !== null) return { rule: proven, because: `total: ${proven}`, isProven: true };
  return { rule: dialect, because: `dialect: ${dialect}`, isProven: false };
}

interface ByTotal {
  readonly input: CountRule | null;
  readonly output: CountRule | null;
  readonly fits: boolean;
}

/** The sender's own total can prove a reading: only where parts are added beside their sum does more come out than input and output. */
function byTotal({ input, output, total }: ReportedCounts, cached: number, reasoning: number): ByTotal {
  if (total === null || input === null || output === null) return { input: null, output: null, fits: true };
  const extra = total - input - output;
  const isCached = cached > 0 && extra === cached;
  const isReasoning = reasoning > 0 && extra === reasoning;
  if (extra === 0 || (isCached && isReasoning)) return { input: null, output: null, fits: true };
  if (isCached) return { input: 'exclusive', output: reasoning > 0 ? 'inclusive' : null, fits: true };
  if (isReasoning) return { input: cached > 0 ? 'inclusive' : null, output: 'exclusive', fits: true };
  if (extra === cached + reasoning) return { input: 'exclusive', output: 'exclusive', fits: true };
  return { input: null, output: null, fits: false };
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
  const fromTotal = byTotal(counts, cached, reasoning);
  const inputSide = decide(input, cached, dialect.input, fromTotal.input, 'input');
  const outputSide = decide(output, reasoning, dialect.output, fromTotal.output, 'output');
  const inputRest = inputSide.rule === 'inclusive' ? input - cached : input;
  const outputRest = outputSide.rule === 'inclusive' ? output - reasoning : output;
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
  return {
    usage,
    rule:
      reasoning === 0 || inputSide.because === outputSide.because
        ? inputSide.because
        : `${inputSide.because}; output ${outputSide.because}`,
    readings: {
      inclusive: { inputTokens: Math.max(input, cached), outputTokens: Math.max(output, reasoning) },
      exclusive: { inputTokens: input + cached, outputTokens: output + reasoning },
    },
    isAmbiguous: cached > 0 && !inputSide.isProven && !dialect.isCertain,
    isInconsistent: !fromTotal.fits,
  };
}
