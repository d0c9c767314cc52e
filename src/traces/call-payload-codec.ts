import { PlimsollError } from '../kernel/errors.ts';
import type { JournalRecord } from '../kernel/journal/record.ts';
import { jsonText } from '../kernel/json-text.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import type { CallPayload } from './call-record.ts';

/**
 * Version 1: a CallPayload as JSON. Version 2: `u32le length of meta | meta | input | output`, meta = JSON of the CallPayload without its
 * texts, with their lengths in bytes; the texts are UTF-8 as they are, so that a prompt is neither decoded nor escaped on its way to disk.
 */
export const CALL_PAYLOAD_SCHEMA_VERSION = 2;
const LENGTH_BYTES = 4;

export type CallPayloadMeta = Omit<CallPayload, 'input' | 'output'>;

interface StoredMeta extends CallPayloadMeta {
  readonly inputBytes: number;
  /** Null = no output. */
  readonly outputBytes: number | null;
}

/** By hand: this runs for every call. */
function storedMetaJson(meta: CallPayloadMeta, inputBytes: StoredMeta['inputBytes'], outputBytes: StoredMeta['outputBytes']): string {
  const feature = meta.feature === undefined ? '' : `,"feature":${jsonText(meta.feature)}`;
  return `{"callId":"${meta.callId}","traceId":"${meta.traceId}","spanId":"${meta.spanId}","organisationId":${jsonText(meta.organisationId)},"environment":${jsonText(meta.environment)}${feature},"startedAtMs":${meta.startedAtMs},"policy":"${meta.policy}","isTruncated":${meta.isTruncated},"inputBytes":${inputBytes},"outputBytes":${outputBytes}}`;
}

/** @param input UTF-8, like `output`; neither is copied */
export function encodeCallPayload(meta: CallPayloadMeta, input: Buffer, output: Buffer | null): readonly Buffer[] {
  const text = storedMetaJson(meta, input.length, output?.length ?? null);
  const head = Buffer.allocUnsafe(LENGTH_BYTES + text.length * 3);
  const metaBytes = head.write(text, LENGTH_BYTES);
  head.writeUInt32LE(metaBytes, 0);
  const parts = [head.subarray(0, LENGTH_BYTES + metaBytes), input];
  if (output !== null) parts.push(output);
  return parts;
}

/** The texts of a record of any version. @throws PlimsollError `internal` when it is not a payload record that this version can read */
export function decodeCallPayload({ schemaVersion, payload }: Pick<JournalRecord, 'schemaVersion' | 'payload'>): CallPayload {
  if (schemaVersion === 1) return parseJsonText(payload.toString('utf8')) as CallPayload; // written by us
  if (schemaVersion !== CALL_PAYLOAD_SCHEMA_VERSION)
    throw new PlimsollError(
      'internal',
      `Payload record of version ${schemaVersion}; this Plimsoll reads 1 and ${CALL_PAYLOAD_SCHEMA_VERSION}`,
    );
  const inputStart = payload.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : LENGTH_BYTES + payload.readUInt32LE(0);
  if (inputStart > payload.length) throw new PlimsollError('internal', `Payload record of ${payload.length} bytes is cut short`);
  const stored = parseJsonText(payload.toString('utf8', LENGTH_BYTES, inputStart)) as StoredMeta; // written by us
  const { inputBytes, outputBytes, ...meta } = stored;
  const outputStart = inputStart + inputBytes;
  const end = outputStart + (outputBytes ?? 0);
  if (end !== payload.length)
    throw new PlimsollError('internal', `Payload record of ${payload.length} bytes; its lengths add up to ${end}`);
  return {
    ...meta,
    input: payload.toString('utf8', inputStart, outputStart),
    output: outputBytes === null ? null : payload.toString('utf8', outputStart, end),
  };
}
