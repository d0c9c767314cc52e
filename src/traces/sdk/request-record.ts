import { PlimsollError } from '../../kernel/errors.ts';
import type { JournalEntry, JournalRecord } from '../../kernel/journal/record.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { featureOf, type SenderMeta } from '../otlp/batch-record.ts';
import type { Attributes } from '../otlp/span.ts';
import { ScoreDraft } from '../scores/drafts.ts';
import { scoreRowOf } from '../scores/score-rows.ts';
import { readLangfuseIngestion } from './langfuse-ingestion.ts';
import { readLangSmithBatch, readLangSmithFeedback, readLangSmithMultipart, readLangSmithRun } from './langsmith-runs.ts';
import { readOpikItems, readOpikScores } from './opik-batches.ts';
import type { Receipt, RunPart, SdkRequest, SdkScore } from './run-part.ts';

/** Which endpoint of which SDK a request came to, with what its path and head say of its body. */
export type SdkFormat =
  | { readonly kind: 'langfuse' }
  | { readonly kind: 'langsmith-run'; readonly id: string | null }
  | { readonly kind: 'langsmith-batch' }
  | { readonly kind: 'langsmith-multipart'; readonly boundary: string }
  | { readonly kind: 'langsmith-feedback' }
  | { readonly kind: 'opik-items'; readonly what: 'traces' | 'spans'; readonly id: string | null }
  | { readonly kind: 'opik-scores'; readonly what: 'traces' | 'spans' };

/** What was known of a request when it came: with the body it says the same whenever it is read. */
export interface SdkRequestMeta extends SenderMeta {
  readonly receivedAtMs: number;
  readonly format: SdkFormat;
}

const HOMELESS =
  'the key is not bound to a feature and the project is not called like one: send the header x-plimsoll-feature, or name the project after a feature';

export function resourceOfRun({ project }: RunPart): Attributes {
  return new Map(project === undefined ? [] : [['service.name', project]]);
}

/** The feature that a run is of, as far as it is told of. */
export function featureOfRun(part: RunPart, sender: SenderMeta): string | null {
  return featureOf({ attributes: new Map(Object.entries(part.attributes)) }, resourceOfRun(part), sender);
}

/** The limits of our own API hold for scores of others too. */
function draftOf(score: SdkScore): ScoreDraft {
  const { data, error } = ScoreDraft.safeParse(score);
  if (data !== undefined) return data;
  const [first] = error.issues;
  throw new TypeError(`${first?.path.join('.') || 'it'}: ${first?.message ?? 'is not valid'}`);
}

/** @throws PlimsollError `invalid_argument` when the body is no request of that format at all */
export function decodeSdkRequest(body: Buffer, meta: SdkRequestMeta): SdkRequest {
  const { format, receivedAtMs } = meta;
  const receipt: Receipt = {
    receivedAtMs,
    problemOf: (part) => (featureOfRun(part, meta) === null ? HOMELESS : null),
    scoreRow: (score) => scoreRowOf(meta, draftOf(score), receivedAtMs),
  };
  try {
    switch (format.kind) {
      case 'langfuse':
        return readLangfuseIngestion(body, receipt);
      case 'langsmith-run':
        return readLangSmithRun(body, format.id, receipt);
      case 'langsmith-batch':
        return readLangSmithBatch(body, receipt);
      case 'langsmith-multipart':
        return readLangSmithMultipart(body, format.boundary, receipt);
      case 'langsmith-feedback':
        return readLangSmithFeedback(body, receipt);
      case 'opik-items':
        return readOpikItems(body, format.what, format.id, receipt);
      case 'opik-scores':
        return readOpikScores(body, format.what, receipt);
      default:
        return format satisfies never;
    }
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    throw new PlimsollError('invalid_argument', `The body cannot be read: ${(cause as Error).message}.`, {
      cause,
      details: { param: 'body' },
    });
  }
}

const SCHEMA_VERSION = 1;
const LENGTH_BYTES = 4;

/** Journal record `sdk.request`: `u32le length of meta | meta (JSON) | body`, the body inflated and else as it came. */
export function sdkRequestEntry(id: string, meta: SdkRequestMeta, body: Buffer): JournalEntry {
  const text = Buffer.from(JSON.stringify(meta));
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32LE(text.length, 0);
  return { type: 'sdk.request', schemaVersion: SCHEMA_VERSION, id, payload: [length, text, body] };
}

/** @throws PlimsollError `internal` when it is not a record that this version can read */
export function readSdkRequestRecord({ schemaVersion, payload }: JournalRecord): { meta: SdkRequestMeta; body: Buffer } {
  if (schemaVersion !== SCHEMA_VERSION)
    throw new PlimsollError('internal', `SDK record of version ${schemaVersion}; this Plimsoll reads ${SCHEMA_VERSION}`);
  const end = payload.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : LENGTH_BYTES + payload.readUInt32LE(0);
  if (end > payload.length) throw new PlimsollError('internal', `SDK record of ${payload.length} bytes is cut short`);
  const meta = parseJsonText(payload.toString('utf8', LENGTH_BYTES, end)) as SdkRequestMeta; // written by sdkRequestEntry
  return { meta, body: payload.subarray(end) };
}

/** Journal record `runs.due`: the moment up to which runs are to be looked after. */
export function runsDueEntry(atMs: number): JournalEntry {
  return { type: 'runs.due', schemaVersion: SCHEMA_VERSION, id: `${atMs}`, payload: JSON.stringify({ atMs }) };
}

/** @throws PlimsollError `internal` when it is not a record that this version can read */
export function readRunsDueRecord({ payload }: JournalRecord): number {
  const { atMs } = parseJsonText(payload.toString('utf8')) as { atMs?: unknown };
  if (typeof atMs !== 'number') throw new PlimsollError('internal', 'A record of due runs names no moment');
  return atMs;
}
