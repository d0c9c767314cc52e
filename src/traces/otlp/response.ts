import protobuf from 'protobufjs/minimal.js';
import type { PlimsollError } from '../../kernel/errors.ts';

export type OtlpEncoding = 'protobuf' | 'json';

/** Null when it is neither of the two that OTLP knows. */
export function encodingOf(contentType: string | undefined): OtlpEncoding | null {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/x-protobuf' || type === 'application/protobuf') return 'protobuf';
  return type === 'application/json' ? 'json' : null;
}

export function contentTypeOf(encoding: OtlpEncoding): string {
  return encoding === 'json' ? 'application/json' : 'application/x-protobuf';
}

/** Items that were not taken, and why the first of them was not. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly reason: string;
}

/** A signal of OTLP, with the words of its answer. */
export const SIGNALS = {
  traces: { noun: 'spans', member: 'rejectedSpans' },
  logs: { noun: 'log records', member: 'rejectedLogRecords' },
  metrics: { noun: 'data points', member: 'rejectedDataPoints' },
} as const;
export type OtlpSignal = keyof typeof SIGNALS;

/** The export response of a signal; empty when every item was taken. The three are one message in protobuf. */
export function encodeResponse({ rejected, reason }: PartialSuccess, encoding: OtlpEncoding, signal: OtlpSignal = 'traces'): Buffer {
  const { noun, member } = SIGNALS[signal];
  const message = rejected > 1 ? `${rejected} ${noun} were rejected; the first: ${reason}` : reason;
  if (encoding === 'json')
    return Buffer.from(rejected === 0 ? '{}' : JSON.stringify({ partialSuccess: { [member]: `${rejected}`, errorMessage: message } }));
  if (rejected === 0) return Buffer.alloc(0);
  const writer = protobuf.Writer.create();
  writer.uint32(0x0a).fork().uint32(0x08).int64(rejected).uint32(0x12).string(message).ldelim();
  return Buffer.from(writer.finish());
}

/** Codes of google.rpc.Status by HTTP status; also those of gRPC. */
const RPC_CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 3, 415: 3, 429: 14, 503: 14 };

/** Whoever must not send the same again gets INVALID_ARGUMENT, whoever may later UNAVAILABLE: exporters decide by it. */
export function rpcCodeOf(error: PlimsollError): number {
  return RPC_CODES[error.status] ?? (error.retryable ? 14 : 13);
}

/** google.rpc.Status, which is what OTLP answers instead of a response; the message ends with what to do. */
export function encodeFailure(error: PlimsollError, encoding: OtlpEncoding): Buffer {
  const code = rpcCodeOf(error);
  const message = `${error.message} ${error.fix}`;
  if (encoding === 'json') return Buffer.from(JSON.stringify({ code, message, details: [] }));
  return Buffer.from(protobuf.Writer.create().uint32(0x08).int32(code).uint32(0x12).string(message).finish());
}
