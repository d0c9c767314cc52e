import { z } from 'zod';
import { CSAT_SCALE, ScoreDataType, ScoreSource } from './model.ts';

const MAX_BATCH = 500;
/** Whole dollars that fit into 64 bits of pico-dollars, with room. */
const MAX_USD = 9_000_000;

/** No control characters: these stand in lists, headers and URLs. */
const label = z
  .string()
  .min(1)
  .max(256)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not hold control characters');
const traceId = z
  .string()
  .regex(/^[0-9a-fA-F]{32}$/, 'a trace id has 32 hexadecimal digits')
  .transform((id) => id.toLowerCase());

const target = {
  id: label.optional().describe('Your own id: sent again under it, the item takes the place of the one before'),
  traceId: traceId.optional().describe('As in the answer header x-plimsoll-trace-id'),
  spanId: z
    .string()
    .regex(/^[0-9a-fA-F]{16}$/, 'a span id has 16 hexadecimal digits')
    .transform((id) => id.toLowerCase())
    .optional()
    .describe('A span of the trace; left out = the whole trace'),
  session: label.optional().describe('Conversation, as calls carry it in x-plimsoll-session'),
  externalId: label.optional().describe('Your own id of the matter, as calls carry it in the tag external_id'),
  feature: label.optional().describe('Needed only when neither the key nor the trace tells the feature'),
  user: label.optional().describe('Who gave it, by the id that calls carry in x-plimsoll-user'),
  at: z.int().positive().optional().describe('When it was given, epoch ms; now when left out. Of two under one id the later one holds'),
};

function hasTarget(item: { traceId?: string | undefined; session?: string | undefined; externalId?: string | undefined }): boolean {
  return item.traceId !== undefined || item.session !== undefined || item.externalId !== undefined;
}
const NO_TARGET = 'needs one of traceId, session and externalId: what it is about';
const SPAN_ALONE = { path: ['spanId'], error: 'needs traceId beside it' };
const spanHasTrace = (item: { traceId?: string | undefined; spanId?: string | undefined }): boolean =>
  item.spanId === undefined || item.traceId !== undefined;

const comment = z.string().max(4_000).optional();

export const FeedbackDraft = z
  .strictObject({
    ...target,
    thumbs: z.enum(['up', 'down']).nullable().optional().describe('null takes an earlier one back'),
    stars: z
      .int()
      .min(CSAT_SCALE.least)
      .max(CSAT_SCALE.most)
      .nullable()
      .optional()
      .describe('Satisfaction, 1 (least) to 5; null takes it back'),
    comment: comment.describe('In the user’s words'),
    correctedAnswer: z.string().min(1).max(100_000).optional().describe('What the answer should have been'),
  })
  .refine(hasTarget, NO_TARGET)
  .refine(spanHasTrace, SPAN_ALONE)
  .refine(
    ({ thumbs, stars, comment: words, correctedAnswer }) => [thumbs, stars, words, correctedAnswer].some((given) => given !== undefined),
    'needs one of thumbs, stars, comment and correctedAnswer',
  )
  .meta({ id: 'FeedbackDraft' });
export type FeedbackDraft = z.output<typeof FeedbackDraft>;

export const OutcomeDraft = z
  .strictObject({
    ...target,
    outcome: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,63}$/, 'an outcome is named like "resolved": small letters, digits and "_"')
      .describe('resolved, converted, task_done, or one of your own'),
    success: z.boolean().nullable().default(true).describe('Whether it came about; null takes an earlier report back'),
    valueUsd: z
      .union([z.number().min(-MAX_USD).max(MAX_USD), z.string().regex(/^-?\d{1,7}(\.\d{1,12})?$/, 'a decimal amount, such as "12.50"')])
      .optional()
      .describe('What it was worth, US dollars; a decimal text is kept exactly'),
    comment: comment.describe('Why, for people'),
  })
  .refine(hasTarget, NO_TARGET)
  .refine(spanHasTrace, SPAN_ALONE)
  .meta({ id: 'OutcomeDraft' });
export type OutcomeDraft = z.output<typeof OutcomeDraft>;

export const ScoreDraft = z
  .strictObject({
    ...target,
    name: label.describe('What was measured, such as "faithfulness"'),
    value: z
      .union([z.number(), z.boolean(), z.string().min(1).max(10_000)])
      .nullable()
      .describe('null takes an earlier one back'),
    dataType: ScoreDataType.optional().describe('Left out: a text is a category, the others are what they are'),
    source: ScoreSource.default('code'),
    evaluator: label.optional().describe('Who or what judged, with its version, such as "faithfulness-judge@3"'),
    evaluatorTraceId: traceId.optional().describe('Trace of the judge’s own call'),
    comment: comment.describe('Reason of the judgement'),
    metadata: z
      .record(label, z.union([z.string().max(1_000), z.number(), z.boolean()]))
      .refine((fields) => Object.keys(fields).length <= 32, 'at most 32 fields')
      .optional(),
  })
  .refine(hasTarget, NO_TARGET)
  .refine(spanHasTrace, SPAN_ALONE)
  .refine(({ value, dataType }) => isOfType(value, dataType), { path: ['value'], error: 'is not of the data type that is named' })
  .meta({ id: 'ScoreDraft' });
export type ScoreDraft = z.output<typeof ScoreDraft>;

function isOfType(value: number | boolean | string | null, dataType: ScoreDataType | undefined): boolean {
  if (value === null || dataType === undefined) return true;
  if (dataType === 'numeric') return typeof value === 'number';
  if (dataType === 'boolean') return typeof value === 'boolean';
  return typeof value === 'string';
}

const batchOf = <T extends z.ZodType>(draft: T) => z.strictObject({ batch: z.array(draft).min(1).max(MAX_BATCH) });
export const FeedbackBatch = batchOf(FeedbackDraft);
export const OutcomeBatch = batchOf(OutcomeDraft);
export const ScoreBatch = batchOf(ScoreDraft);

export const ScoresAccepted = z
  .object({ ids: z.array(z.string()).describe('Of the scores that it became, in the order of the items') })
  .meta({ id: 'ScoresAccepted' });
export type ScoresAccepted = z.infer<typeof ScoresAccepted>;
