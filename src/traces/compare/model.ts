import { z } from 'zod';
import { Usage, type UsageClass } from '../../models/usage.ts';
import { Span, SpanKind, TraceSummary } from '../model.ts';
import { TextDiff } from './text-diff.ts';

const milliseconds = z
  .object({ a: z.number().nullable(), b: z.number().nullable(), difference: z.number().nullable() })
  .describe('Milliseconds, exact to the nanosecond; difference = b − a, null when one of them is not known');
const count = z
  .object({ a: z.int().nullable(), b: z.int().nullable(), difference: z.int().nullable() })
  .describe('difference = b − a, null when one of them is not known');
const picoText = z.string().regex(/^-?\d+$/);
const picoUsd = z
  .object({ a: picoText.nullable(), b: picoText.nullable(), difference: picoText.nullable() })
  .describe('US dollars × 10¹² as decimal integers; null when unpriced');

const usageClasses = Object.keys(Usage.shape) as [UsageClass, ...UsageClass[]]; // keys of a closed schema, which has some

export const TraceNumbers = z.object({
  durationMs: milliseconds,
  ttftMs: milliseconds,
  costPicoUsd: picoUsd,
  inputTokens: count,
  outputTokens: count,
  tokens: z
    .array(count.extend({ usageClass: z.enum(usageClasses) }))
    .nullable()
    .describe('By class, those that either trace used; null when the classes of some request are not known'),
  requests: count,
  attempts: count,
  spans: count,
});
export type TraceNumbers = z.infer<typeof TraceNumbers>;

export const ComparedSpan = z
  .object({
    spanId: z.string(),
    name: z.string(),
    status: Span.shape.status,
    errorType: Span.shape.errorType,
    offsetMs: z.number().describe('After the first span of its trace'),
    durationMs: z.number(),
    model: z.string().nullable().describe('Response model, else the one sent'),
    inputTokens: z.int().nullable(),
    outputTokens: z.int().nullable(),
    costPicoUsd: Span.shape.costPicoUsd,
    costStatus: Span.shape.costStatus,
  })
  .meta({ id: 'ComparedSpan' });
export type ComparedSpan = z.infer<typeof ComparedSpan>;

export const AlignedSpan = z
  .object({
    depth: z.int(),
    kind: SpanKind.describe('Of both: spans of different kinds are never a pair'),
    change: z.enum(['both', 'added', 'removed']).describe('added = only in the second trace, removed = only in the first'),
    a: ComparedSpan.nullable(),
    b: ComparedSpan.nullable(),
    durationDifferenceMs: z.number().nullable().describe('b − a'),
    costDifferencePicoUsd: picoText.nullable().describe('b − a; null when one of them is unpriced, or neither can cost anything'),
  })
  .meta({ id: 'AlignedSpan' });
export type AlignedSpan = z.infer<typeof AlignedSpan>;

export const TraceDiff = z
  .object({
    a: TraceSummary,
    b: TraceSummary,
    numbers: TraceNumbers,
    spans: z
      .array(AlignedSpan)
      .describe('In the order of the first trace, children below their parents; what was added stands where it came in'),
    counts: z.object({ both: z.int(), added: z.int(), removed: z.int() }),
    isPartial: z.boolean().describe('True when a trace has more than 10 000 spans: only the first of them are aligned'),
    entries: z
      .object({ a: z.string().nullable(), b: z.string().nullable() })
      .describe('Spans whose messages say what each trace was asked and what it answered'),
  })
  .meta({ id: 'TraceDiff' });
export type TraceDiff = z.infer<typeof TraceDiff>;

export const TextsDiff = z
  .object({
    input: TextDiff.nullable().describe('Null when neither span has an input that was kept'),
    output: TextDiff.nullable(),
    missing: z
      .object({ a: z.array(z.enum(['input', 'output'])), b: z.array(z.enum(['input', 'output'])) })
      .describe('Texts that one span has and the other has not; they are compared with nothing'),
  })
  .meta({ id: 'TextsDiff' });
export type TextsDiff = z.infer<typeof TextsDiff>;
