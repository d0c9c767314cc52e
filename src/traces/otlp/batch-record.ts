import { PlimsollError } from '../../kernel/errors.ts';
import type { JournalEntry, JournalRecord } from '../../kernel/journal/record.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { decodeJsonRequest } from './json.ts';
import { decodeProtobufRequest } from './protobuf.ts';
import type { OtlpEncoding } from './response.ts';
import type { Attributes, OtlpRequest, OtlpSpan } from './span.ts';

/** What is kept of the texts of a feature's calls. */
export type PayloadPolicy = 'full' | 'preview' | 'none';

/** Whose spans they are, and what may be kept of them. */
export interface SenderMeta {
  readonly organisationId: string;
  readonly environment: string;
  /** Of the virtual key. */
  readonly keyId: string;
  readonly team: string | null;
  /** The feature of every span; null = each span or resource names its own. */
  readonly feature: string | null;
  /** Features that a span may belong to, with their policy. */
  readonly features: Readonly<Record<string, PayloadPolicy>>;
  /** Longest text of one payload, in bytes. */
  readonly maxPayloadBytes: number;
}

/** What was known of a request when it came: with the body it gives the same spans whenever it is read. */
export interface OtlpBatchMeta extends SenderMeta {
  /** Epoch milliseconds. */
  readonly receivedAtMs: number;
  readonly encoding: OtlpEncoding;
}

const SCHEMA_VERSION = 1;
const LENGTH_BYTES = 4;

/** Journal records `otlp.batch` (spans) and `otlp.logs`: `u32le length of meta | meta (JSON) | body`, the body inflated and else as it came. */
export function batchEntry(id: string, meta: OtlpBatchMeta, body: Buffer, type: 'otlp.batch' | 'otlp.logs' = 'otlp.batch'): JournalEntry {
  const text = Buffer.from(JSON.stringify(meta));
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32LE(text.length, 0);
  return { type, schemaVersion: SCHEMA_VERSION, id, payload: [length, text, body] };
}

/** @throws PlimsollError `internal` when it is not a record that this version can read */
export function readBatchRecord({ schemaVersion, payload }: JournalRecord): { meta: OtlpBatchMeta; body: Buffer } {
  if (schemaVersion !== SCHEMA_VERSION)
    throw new PlimsollError('internal', `OTLP record of version ${schemaVersion}; this Plimsoll reads ${SCHEMA_VERSION}`);
  const end = payload.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : LENGTH_BYTES + payload.readUInt32LE(0);
  if (end > payload.length) throw new PlimsollError('internal', `OTLP record of ${payload.length} bytes is cut short`);
  const meta = parseJsonText(payload.toString('utf8', LENGTH_BYTES, end)) as OtlpBatchMeta; // written by batchEntry
  return { meta, body: payload.subarray(end) };
}

/** @throws PlimsollError `invalid_argument` when the body is no request */
export function decodeBatch(body: Buffer, meta: OtlpBatchMeta): OtlpRequest {
  return meta.encoding === 'json' ? decodeJsonRequest(body, meta.receivedAtMs) : decodeProtobufRequest(body, meta.receivedAtMs);
}

/** The feature that a span belongs to: that of the key, else what span or resource name, else the service when it is called like a feature. */
export function featureOf(
  span: Pick<OtlpSpan, 'attributes'>,
  resource: Attributes | undefined,
  { feature, features }: SenderMeta,
): string | null {
  if (feature !== null) return feature;
  for (const named of [span.attributes.get('plimsoll.feature'), resource?.get('plimsoll.feature'), resource?.get('service.name')])
    if (typeof named === 'string' && Object.hasOwn(features, named)) return named;
  return null;
}
