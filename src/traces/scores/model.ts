import { z } from 'zod';

/** How a score came about: a measurement of an answer, what a user said of it, or what became of the user's business. */
export const ScoreKind = z.enum(['score', 'feedback', 'outcome']);
export type ScoreKind = z.infer<typeof ScoreKind>;

export const ScoreDataType = z.enum(['numeric', 'categorical', 'boolean', 'text']);
export type ScoreDataType = z.infer<typeof ScoreDataType>;

/** Who judged: a person of ours, a model, a program, or the user of the feature. */
export const ScoreSource = z.enum(['human', 'llm', 'code', 'user']);
export type ScoreSource = z.infer<typeof ScoreSource>;

/** Names of the scores that feedback becomes. */
export const FEEDBACK_NAMES = { thumbs: 'thumbs', stars: 'csat', comment: 'comment', correctedAnswer: 'correction' } as const;

/** Ends of the scale of customer satisfaction: stars as they were given. */
export const CSAT_SCALE = { least: 1, most: 5 } as const;

const epochMs = z.int().describe('Epoch milliseconds');

export const Score = z
  .object({
    id: z.string().describe('Sent again under it, a score takes the place of the one before'),
    kind: ScoreKind,
    at: epochMs.describe('When it was given, epoch ms'),
    receivedAt: epochMs.describe('When it came here, epoch ms'),
    feature: z.string().nullable().describe('Null = that of the trace'),
    traceId: z.string().nullable(),
    spanId: z.string().nullable(),
    session: z.string().nullable(),
    externalId: z.string().nullable().describe('What calls carry as the tag "external_id"'),
    name: z.string(),
    dataType: ScoreDataType,
    value: z.union([z.number(), z.boolean(), z.string()]).describe('By the data type: a number, a truth value, a category or a text'),
    source: ScoreSource,
    evaluator: z.string().nullable().describe('Who or what judged, with its version'),
    evaluatorTraceId: z.string().nullable().describe('Trace of the judge’s own call'),
    user: z.string().nullable(),
    comment: z.string().nullable(),
    valuePicoUsd: z.string().nullable().describe('What an outcome was worth, US dollars × 10¹²'),
    metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .meta({ id: 'Score' });
export type Score = z.infer<typeof Score>;

export const ScorePage = z.object({ scores: z.array(Score), nextCursor: z.string().nullable() }).meta({ id: 'ScorePage' });
export type ScorePage = z.infer<typeof ScorePage>;

const text = z.string().min(1).max(512).optional();

export const ScoreQuery = z.strictObject({
  from: z.coerce.number().int().optional().describe('Given at or after, epoch ms'),
  to: z.coerce.number().int().optional().describe('Given before, epoch ms'),
  feature: text.describe('Named by the score itself'),
  kind: ScoreKind.optional(),
  name: text,
  source: ScoreSource.optional(),
  session: text,
  externalId: text,
  cursor: text.describe('nextCursor of the page before'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type ScoreQuery = z.infer<typeof ScoreQuery>;

const interval = z.tuple([z.number(), z.number()]).nullable();

/** Scores of one name over a period, put together. */
export const ScoreSummaryRow = z
  .object({
    feature: z.string().nullable().describe('Null = its trace is not known here'),
    kind: ScoreKind,
    name: z.string(),
    dataType: ScoreDataType,
    source: ScoreSource,
    count: z.int().describe('Scores; one that was replaced counts once, one that was withdrawn does not'),
    mean: z.number().nullable().describe('Of numeric scores, else the share of true of boolean ones; null for texts and categories'),
    interval: interval.describe(
      '95 % interval of the mean: Wilson for boolean scores and stars, normal for other numbers from 30 on; null = too few, or no mean',
    ),
    least: z.number().nullable(),
    most: z.number().nullable(),
    categories: z.array(z.object({ value: z.string(), count: z.int() })).describe('The most frequent 20 of categorical scores'),
  })
  .meta({ id: 'ScoreSummaryRow' });
export type ScoreSummaryRow = z.infer<typeof ScoreSummaryRow>;

export const ScoreSummary = z.object({ from: epochMs, to: epochMs, scores: z.array(ScoreSummaryRow) }).meta({ id: 'ScoreSummary' });
export type ScoreSummary = z.infer<typeof ScoreSummary>;
