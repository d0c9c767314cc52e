import { inputTokens, NO_USAGE, outputTokens, type Usage, type UsageClass } from '../../models/usage.ts';
import type { Span, SpanTexts, TraceDetail } from '../model.ts';
import { alignSpans, differenceMs, differencePico } from './align-spans.ts';
import { messageLines } from './message-text.ts';
import type { TextsDiff, TraceDiff, TraceNumbers } from './model.ts';
import { diffTexts, type TextDiff } from './text-diff.ts';

const CLASSES = Object.keys(NO_USAGE) as readonly UsageClass[]; // keys of a closed literal

function ofMs(a: number | null, b: number | null): TraceNumbers['durationMs'] {
  return { a, b, difference: a === null || b === null ? null : differenceMs(a, b) };
}

function ofCount(a: number | null, b: number | null): TraceNumbers['requests'] {
  return { a, b, difference: a === null || b === null ? null : b - a };
}

/** Tokens of all requests of a trace by class; null when they do not add up to the trace's own sums: then some class is not known. */
export function usageOfTrace({ trace, spans }: TraceDetail): Usage | null {
  const sum = { ...NO_USAGE };
  for (const { isEntry, usage, attributes } of spans) {
    if (!isEntry || usage === null || attributes['plimsoll.counted_by'] !== undefined) continue;
    for (const usageClass of CLASSES) sum[usageClass] += usage[usageClass];
  }
  return inputTokens(sum) === (trace.inputTokens ?? 0) && outputTokens(sum) === (trace.outputTokens ?? 0) ? sum : null;
}

function compareNumbers(a: TraceDetail, b: TraceDetail): TraceNumbers {
  const [left, right] = [a.trace, b.trace];
  const [leftUsage, rightUsage] = [usageOfTrace(a), usageOfTrace(b)];
  return {
    durationMs: ofMs(left.durationMs, right.durationMs),
    ttftMs: ofMs(left.ttftMs, right.ttftMs),
    costPicoUsd: { a: left.costPicoUsd, b: right.costPicoUsd, difference: differencePico(left.costPicoUsd, right.costPicoUsd) },
    inputTokens: ofCount(left.inputTokens, right.inputTokens),
    outputTokens: ofCount(left.outputTokens, right.outputTokens),
    tokens:
      leftUsage === null || rightUsage === null
        ? null
        : CLASSES.filter((usageClass) => leftUsage[usageClass] > 0 || rightUsage[usageClass] > 0).map((usageClass) => ({
            usageClass,
            ...ofCount(leftUsage[usageClass], rightUsage[usageClass]),
          })),
    requests: ofCount(left.requests, right.requests),
    attempts: ofCount(left.attempts, right.attempts),
    spans: ofCount(left.spanCount, right.spanCount),
  };
}

/** The first entry with texts tells what the trace was about; the root of a client's trace often has none. */
function entryOf(spans: readonly Span[]): string | null {
  const entries = spans.filter(({ isEntry }) => isEntry);
  const request = entries.find(({ kind, usage }) => kind === 'gateway' || usage !== null);
  return (entries.find(({ input, output }) => input !== null || output !== null) ?? request ?? entries[0] ?? spans[0])?.spanId ?? null;
}

/** Two traces side by side. Every difference is b − a. */
export function compareTraces(a: TraceDetail, b: TraceDetail): TraceDiff {
  const spans = alignSpans(a.spans, b.spans);
  const countOf = (change: 'both' | 'added' | 'removed'): number => spans.filter((row) => row.change === change).length;
  return {
    a: a.trace,
    b: b.trace,
    numbers: compareNumbers(a, b),
    spans,
    counts: { both: countOf('both'), added: countOf('added'), removed: countOf('removed') },
    isPartial: a.spans.length < a.trace.spanCount || b.spans.length < b.trace.spanCount,
    entries: { a: entryOf(a.spans), b: entryOf(b.spans) },
  };
}

type Direction = 'input' | 'output';

/** Null = the span has no texts at all. */
export function compareTexts(a: SpanTexts | null, b: SpanTexts | null): TextsDiff {
  const diff = (direction: Direction): TextDiff | null => {
    const [left, right] = [a?.[direction] ?? null, b?.[direction] ?? null];
    if (left === null && right === null) return null;
    return diffTexts(left === null ? '' : messageLines(left), right === null ? '' : messageLines(right));
  };
  const missing = (of: SpanTexts | null, other: SpanTexts | null): Direction[] =>
    (['input', 'output'] as const).filter(
      (direction) => (of?.[direction] ?? null) === null && other?.[direction] !== null && other !== null,
    );
  return { input: diff('input'), output: diff('output'), missing: { a: missing(a, b), b: missing(b, a) } };
}
