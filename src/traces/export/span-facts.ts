import { z } from 'zod';
import { isErrorCode } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { CostStatus, Usage } from '../../models/usage.ts';
import { SpanKind, TraceStatus } from '../model.ts';
import type { Attributes } from '../otlp/span.ts';

/** Attribute of an exported span that holds, as JSON, what no attribute of OpenTelemetry says. */
export const SPAN_ATTRIBUTE = 'plimsoll.span';

const MAX_PICO_USD = 10n ** 18n;
const label = z.string().max(512).nullable();
const labels = z.array(z.string().max(512)).max(256).readonly();
const duration = z.number().nonnegative().nullable();

/** The text = before + the attribute + after. */
const TextPlace = z.object({ attribute: z.string().max(512), before: z.string(), after: z.string() });
export type TextPlace = z.infer<typeof TextPlace>;

/** What one Plimsoll tells another of a span. A sender may say what it likes, as in any span: sizes and ranges are checked. */
const SpanFacts = z.object({
  version: z.literal(1),
  name: z.string().max(512),
  kind: SpanKind,
  status: TraceStatus,
  statusMessage: z.string().max(4_000),
  errorType: z.string().refine(isErrorCode).nullable(),
  httpStatus: z.int().min(100).max(599).nullable(),
  isEntry: z.boolean(),
  isRequest: z.boolean(),
  team: label,
  user: label,
  session: label,
  customer: label,
  tags: z.record(z.string().max(512), z.string().max(512)),
  /** A call of the other Plimsoll: there is none of that id here. */
  originalCallId: label,
  route: label,
  provider: label,
  requestedModel: label,
  requestModel: label,
  responseModel: label,
  responseId: label,
  finishReasons: labels,
  models: labels,
  providers: labels,
  modelNames: labels,
  usage: Usage.nullable(),
  usageSource: z.enum(['reported', 'estimated']).nullable(),
  costPicoUsd: z
    .string()
    .regex(/^\d{1,19}$/)
    .refine((text) => BigInt(text) <= MAX_PICO_USD)
    .nullable(),
  costStatus: CostStatus.nullable(),
  priceId: label,
  ttftMs: duration,
  interTokenMeanMs: duration,
  interTokenMaxMs: duration,
  attempts: z.int().min(0).max(65_535),
  fallbackFrom: label,
  isStream: z.boolean(),
  isSimulated: z.boolean(),
  isRecovered: z.boolean(),
  isTruncated: z.boolean(),
  /** Stored names of what the export added for other readers. */
  added: z.array(z.string().max(1_024)).max(64),
  input: TextPlace.nullable(),
  output: TextPlace.nullable(),
});
export type SpanFacts = z.infer<typeof SpanFacts>;

/** Null for a span that no Plimsoll exported, or of which somebody made something else: it is read like any other then. */
export function factsOfSpan(attributes: Attributes): SpanFacts | null {
  const text = attributes.get(SPAN_ATTRIBUTE);
  if (typeof text !== 'string') return null;
  try {
    return SpanFacts.safeParse(parseJsonText(text)).data ?? null;
  } catch {
    return null;
  }
}
