import { z } from 'zod';
import { CostStatus } from '../../models/usage.ts';
import { TraceQuery, TraceStatus } from '../model.ts';

/** Most calls of one replay. */
export const MAX_REPLAYED_CALLS = 1000;

const epochMs = z.int().describe('Epoch milliseconds');
const picoUsd = z
  .string()
  .regex(/^-?\d+$/)
  .describe('US dollars × 10¹² as a decimal integer');

/** What decides which recorded calls are made again. */
export const ReplaySource = z.union([
  z.strictObject({
    traceId: z
      .string()
      .regex(/^[0-9a-f]{32}$/, 'A trace id has 32 hexadecimal digits')
      .describe('All calls of one trace'),
  }),
  z.strictObject({
    filter: TraceQuery.omit({ cursor: true, limit: true }).describe('Filters of the trace list; newest first'),
    limit: z.int().min(1).max(MAX_REPLAYED_CALLS).default(100).describe('Most calls'),
  }),
]);
export type ReplaySource = z.infer<typeof ReplaySource>;

export const ReplayRequest = z.strictObject({
  source: ReplaySource,
  model: z
    .string()
    .min(1)
    .max(512)
    .nullable()
    .default(null)
    .describe('Route or model alias to ask; null = the recorded one, byte for byte'),
  maxCostUsd: z
    .number()
    .positive()
    .max(100_000)
    .describe('Ceiling: no call is begun that could take the sum of this replay past it, by an upper estimate'),
  concurrency: z.int().min(1).max(16).default(4).describe('Calls at a time'),
  starts: z
    .enum(['at-once', 'when-told'])
    .default('when-told')
    .describe('when-told = choose the calls, estimate, then wait for POST …/start'),
});
export type ReplayRequest = z.infer<typeof ReplayRequest>;

/** selecting → ready (only when-told) → running → done; or stopped (ceiling), cancelled, failed. */
export const ReplayState = z.enum(['selecting', 'ready', 'running', 'done', 'stopped', 'cancelled', 'failed']);
export type ReplayState = z.infer<typeof ReplayState>;

/** One model call as the trace store has it. */
export const ReplayedCall = z.object({
  traceId: z.string(),
  spanId: z.string(),
  /** Null = not known. */
  model: z.string().nullable().describe('Response model, else the one sent'),
  status: TraceStatus,
  errorType: z.string().nullable(),
  statusMessage: z.string(),
  startedAtMs: epochMs,
  durationMs: z.number(),
  ttftMs: z.number().nullable(),
  inputTokens: z.int().nullable(),
  outputTokens: z.int().nullable(),
  costPicoUsd: picoUsd.nullable().describe('Null = unpriced'),
  costStatus: CostStatus.nullable(),
  finishReasons: z.array(z.string()),
});
export type ReplayedCall = z.infer<typeof ReplayedCall>;

/** Two answers beside each other. Says nothing of which is better: that is for an evaluation. */
export const ReplayComparison = z.object({
  isSameText: z.boolean(),
  wordOverlap: z.number().min(0).max(1).describe('Dice coefficient over the words of both answers; 1 = the same words, in any order'),
});
export type ReplayComparison = z.infer<typeof ReplayComparison>;

export const ReplayItem = z
  .object({
    number: z.int().describe('From 1, in the order of the list'),
    feature: z.string(),
    endpoint: z.string(),
    recorded: ReplayedCall,
    estimatePicoUsd: picoUsd.describe('Upper estimate, held against the ceiling while the call runs'),
    state: z.enum(['waiting', 'sent', 'done', 'failed']).describe('failed = no record of the call was found; message says why'),
    replayTraceId: z.string().nullable().describe('Of the newest try'),
    replayed: ReplayedCall.nullable(),
    comparison: ReplayComparison.nullable().describe('Null unless both succeeded and their answers were kept in full'),
    lostPicoUsd: picoUsd.describe('Paid for tries that a crash cut off'),
    message: z.string().nullable(),
  })
  .meta({ id: 'ReplayItem' });
export type ReplayItem = z.infer<typeof ReplayItem>;

const Difference = z.object({
  n: z.int().describe('Pairs in which both are known'),
  recorded: z.number().nullable(),
  replayed: z.number().nullable(),
});

export const ReplaySummary = z.object({
  total: z.int(),
  done: z.int(),
  ok: z.int(),
  errors: z.int().describe('Calls that ended in an error or were aborted'),
  failed: z.int().describe('Calls of which no record was found'),
  spentPicoUsd: picoUsd.describe('What the replay cost so far, lost tries included'),
  unpricedCalls: z.int().describe('Replayed calls without a price; they are not in the sum'),
  cost: z
    .object({ n: z.int(), recordedPicoUsd: picoUsd, replayedPicoUsd: picoUsd })
    .describe('Sums over the pairs in which both calls succeeded and are priced'),
  medianDurationMs: Difference.describe('Of the pairs in which both calls succeeded'),
  medianOutputTokens: Difference,
  sameText: z.object({ n: z.int(), count: z.int() }),
  medianWordOverlap: z.object({ n: z.int(), value: z.number().nullable() }),
  quality: z.literal('unmeasured: needs an evaluation').describe('Likeness is no quality'),
});
export type ReplaySummary = z.infer<typeof ReplaySummary>;

export const ReplayRun = z
  .object({
    id: z.string(),
    state: ReplayState,
    reason: z.string().nullable().describe('Why it stopped, for people'),
    request: ReplayRequest,
    requestedBy: z.string(),
    requestedAtMs: epochMs,
    startedAtMs: epochMs.nullable(),
    endedAtMs: epochMs.nullable(),
    selected: z.int().describe('Calls chosen so far'),
    skipped: z.record(z.string(), z.int()).describe('Recorded calls that cannot be made again, by reason'),
    estimatePicoUsd: picoUsd.nullable().describe('Upper estimate of the whole; null until the calls are chosen'),
    expectedPicoUsd: picoUsd
      .nullable()
      .describe('The recorded tokens at the price of the model that is asked; null until then, or when some are not known'),
  })
  .meta({ id: 'ReplayRun' });
export type ReplayRun = z.infer<typeof ReplayRun>;

export const ReplayReport = ReplayRun.extend({ summary: ReplaySummary }).meta({ id: 'ReplayReport' });
export type ReplayReport = z.infer<typeof ReplayReport>;
