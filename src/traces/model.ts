import { z } from 'zod';
import { isErrorCode } from '../kernel/errors.ts';
import { CostStatus, Usage } from '../models/usage.ts';

export const TraceStatus = z.enum(['ok', 'error', 'aborted']);
export type TraceStatus = z.infer<typeof TraceStatus>;

export const SPAN_KINDS = [
  'gateway',
  'stage',
  'llm',
  'embedding',
  'tool',
  'retriever',
  'reranker',
  'agent',
  'chain',
  'guardrail',
  'evaluator',
  'prompt',
  'cache',
  'span',
  'event',
] as const;
export const SpanKind = z.enum(SPAN_KINDS);
export type SpanKind = z.infer<typeof SpanKind>;

const picoUsd = z
  .string()
  .regex(/^-?\d+$/)
  .describe('US dollars × 10¹² as a decimal integer')
  .meta({ example: '1250000' });
const epochMs = z.int().describe('Epoch milliseconds');
const errorType = z.string().refine(isErrorCode).nullable().describe('Our closed error code, null when there was no error');

/** Where a search found its words. */
export const TextMatch = z
  .object({
    spanId: z.string(),
    place: z.enum(['input', 'output']),
    text: z.string().describe('The surroundings of the first match'),
    marks: z.array(z.tuple([z.int(), z.int()])).describe('Places of the matches in `text`: [from, to), characters'),
  })
  .meta({ id: 'TextMatch' });
export type TextMatch = z.infer<typeof TextMatch>;

/** What retention did to the texts of a span or a trace. */
const TextsDeleted = z.object({
  afterDays: z.int().describe('Days that they were kept'),
  by: z.string().describe('The rule, by its place in the configuration'),
});

/** One line of the trace list. */
export const TraceSummary = z
  .object({
    traceId: z.string().regex(/^[0-9a-f]{32}$/),
    name: z.string().describe('Name of the root, else of the first entry span'),
    startedAt: epochMs,
    feature: z.string(),
    team: z.string().nullable(),
    user: z.string().nullable(),
    session: z.string().nullable(),
    customer: z.string().nullable(),
    tags: z.record(z.string(), z.string()),
    models: z.array(z.string()).describe('Response models, else the requested ones'),
    providers: z.array(z.string()),
    status: TraceStatus,
    errorType,
    inputTokens: z.int().nullable().describe('Null = not known'),
    outputTokens: z.int().nullable().describe('Null = not known'),
    costPicoUsd: picoUsd.nullable().describe('Null when any part is unpriced'),
    costStatus: CostStatus,
    ttftMs: z.number().nullable(),
    durationMs: z.number(),
    spanCount: z.int(),
    requests: z.int().describe('Calls of models, by the gateway or by a client itself, each counted once'),
    attempts: z.int().describe('Provider calls made; more than requests means a fallback or a retry'),
    isUnfinished: z
      .boolean()
      .describe('True when nobody told the end of it: duration, tokens and cost are those of what has ended, and no cost = not yet'),
    isStream: z.boolean(),
    isSimulated: z.boolean().describe('True when a simulated provider answered'),
    inputPreview: z.string().describe('First 200 characters of the last user message, empty by policy'),
    outputPreview: z.string(),
    textsDeleted: TextsDeleted.nullable().describe('Why there is no preview; null = retention has deleted nothing of it'),
    match: TextMatch.nullable().describe('What the search `q` found; null without one'),
  })
  .meta({ id: 'TraceSummary' });
export type TraceSummary = z.infer<typeof TraceSummary>;

export const Span = z
  .object({
    spanId: z.string(),
    parentSpanId: z.string().nullable(),
    name: z.string(),
    kind: SpanKind,
    startedAtNs: z.string().regex(/^\d+$/).describe('Epoch nanoseconds as a decimal integer'),
    durationNs: z.string().regex(/^\d+$/),
    status: TraceStatus,
    statusMessage: z.string(),
    errorType,
    provider: z.string().nullable(),
    requestModel: z.string().nullable(),
    responseModel: z.string().nullable(),
    finishReasons: z.array(z.string()),
    usage: Usage.nullable().describe('Disjoint token classes; null = not known'),
    usageSource: z.enum(['reported', 'estimated']).nullable(),
    costPicoUsd: picoUsd.nullable(),
    costStatus: CostStatus.nullable().describe('Null on spans that cannot cost anything'),
    priceId: z.string().nullable(),
    ttftMs: z.number().nullable(),
    isEntry: z
      .boolean()
      .describe(
        "By what the trace is found: a call's own root span with its totals, a model call of a client, the root of a client's trace",
      ),
    attributes: z.record(z.string(), z.unknown()),
    input: z.string().nullable().describe('JSON text of the request body, or a preview, or null by policy'),
    output: z.string().nullable().describe('JSON text of the messages answered, or a preview, or null'),
    isTruncated: z.boolean(),
    textsDeleted: TextsDeleted.nullable().describe('Why its texts are gone; null = retention has deleted nothing of it'),
  })
  .meta({ id: 'Span' });
export type Span = z.infer<typeof Span>;

export const TraceDetail = z
  .object({
    trace: TraceSummary,
    hasTexts: z.boolean().describe('False for a trace of many spans: ask for the texts of one span where they are wanted'),
    spans: z.array(Span),
  })
  .meta({ id: 'TraceDetail' });
export type TraceDetail = z.infer<typeof TraceDetail>;

export const SpanTexts = z
  .object({ input: Span.shape.input, output: Span.shape.output, isTruncated: z.boolean(), textsDeleted: Span.shape.textsDeleted })
  .meta({ id: 'SpanTexts' });
export type SpanTexts = z.infer<typeof SpanTexts>;

const optionalText = z.string().min(1).max(512).optional();

/** Filters of the trace list; also the search parameters of the Traces page. */
export const TraceQuery = z.strictObject({
  from: z.coerce.number().int().optional().describe('Epoch ms, inclusive'),
  to: z.coerce.number().int().optional().describe('Epoch ms, exclusive'),
  feature: optionalText,
  team: optionalText,
  user: optionalText,
  session: optionalText,
  customer: optionalText,
  model: optionalText.describe('Requested, upstream or response model'),
  provider: optionalText,
  route: optionalText,
  status: TraceStatus.optional(),
  errorType: optionalText,
  traceId: optionalText,
  attribute: z
    .string()
    .regex(/^[^=]{1,256}=[\s\S]{0,1024}$/, 'An attribute is name=value')
    .optional()
    .describe('name=value of an attribute of any span of the trace, e.g. resource.service.name=shop'),
  q: optionalText.describe('Words, and "phrases", that all occur in what is new in a prompt or in its answer; whole words, without case'),
  minDurationMs: z.coerce.number().nonnegative().optional(),
  minCostUsd: z.coerce.number().nonnegative().optional(),
  cursor: optionalText.describe('nextCursor of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type TraceQuery = z.infer<typeof TraceQuery>;

export const TracePage = z.object({ traces: z.array(TraceSummary), nextCursor: z.string().nullable() }).meta({ id: 'TracePage' });
export type TracePage = z.infer<typeof TracePage>;

export const quantiles = z
  .object({ p50: z.number(), p95: z.number(), p99: z.number() })
  .nullable()
  .describe('Milliseconds, relative error at most 1 %; null without samples');

/** Numbers over a set of calls. Counts are exact; rates carry their sample size; what is unknown is null. */
export const MetricRow = z
  .object({
    requests: z.int(),
    errors: z.int().describe('Calls that ended in an error; aborted calls are counted apart'),
    aborted: z.int(),
    errorRate: z.number().nullable().describe('errors / (requests − aborted); null without such requests'),
    errorRateInterval: z.tuple([z.number(), z.number()]).nullable().describe('95 % Wilson interval'),
    inputTokens: z.int(),
    outputTokens: z.int(),
    costPicoUsd: picoUsd.describe('Sum of the priced calls'),
    unpricedRequests: z.int().describe('Calls whose cost is unknown and is not in the sum'),
    estimatedCostRequests: z.int().describe('Calls in the sum whose tokens are estimated'),
    durationMs: quantiles.describe('Of successful calls; milliseconds, relative error at most 1 %; null without samples'),
    ttftMs: quantiles.describe('Of calls that sent a first byte; milliseconds, relative error at most 1 %; null without samples'),
    outputTokensPerSecond: z.number().nullable().describe('Output tokens of successful calls / their generation time'),
  })
  .meta({ id: 'MetricRow' });
export type MetricRow = z.infer<typeof MetricRow>;

export const MetricGroupBy = z.enum(['feature', 'model', 'team', 'user']);
export type MetricGroupBy = z.infer<typeof MetricGroupBy>;

export const MetricSummary = z
  .object({
    from: epochMs,
    to: epochMs,
    groupBy: MetricGroupBy,
    total: MetricRow,
    groups: z.array(MetricRow.extend({ key: z.string().nullable() })),
  })
  .meta({ id: 'MetricSummary' });
export type MetricSummary = z.infer<typeof MetricSummary>;

export const MetricSeries = z
  .object({
    from: epochMs,
    to: epochMs,
    stepMs: z.int(),
    points: z
      .array(MetricRow.extend({ at: epochMs.describe('Start of the step') }))
      .describe('Steps without traffic are present with requests = 0'),
  })
  .meta({ id: 'MetricSeries' });
export type MetricSeries = z.infer<typeof MetricSeries>;
