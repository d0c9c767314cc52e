import { formatUsd } from '../../kernel/money.ts';
import type { Usage, UsageClass } from '../../models/usage.ts';
import type { SpanRow } from '../store.ts';

/** A stored span with its texts put together, as it leaves. What the feature's policy did not keep is not there. */
export interface ExportedSpan {
  readonly span: SpanRow;
  /** Exactly as it was sent, or the preview; null = none is stored. */
  readonly input: string | null;
  readonly output: string | null;
  readonly isTruncated: boolean;
}

/** One column of JSON Lines and of Parquet alike. Absent = null. */
export interface ExportColumn {
  readonly name: string;
  /** ClickHouse's; Parquet has its counterparts. */
  readonly type: string;
  /** 64-bit integers and decimals are texts, so that no reader rounds them. */
  readonly value: (exported: ExportedSpan) => unknown;
}

const text = (name: keyof SpanRow): ExportColumn => ({ name, type: 'String', value: ({ span }) => span[name] });
const optional = (name: keyof SpanRow): ExportColumn => ({ name, type: 'Nullable(String)', value: ({ span }) => span[name] });
const flag = (name: keyof SpanRow): ExportColumn => ({ name, type: 'Bool', value: ({ span }) => span[name] });
const words = (name: keyof SpanRow): ExportColumn => ({ name, type: 'Array(String)', value: ({ span }) => span[name] });
const milliseconds = (name: keyof SpanRow): ExportColumn => ({ name, type: 'Nullable(Float64)', value: ({ span }) => span[name] });
const tokens = (name: UsageClass): ExportColumn => ({
  name,
  type: 'Nullable(UInt64)',
  value: ({ span }) => (span.usage as Usage | null)?.[name] ?? null,
});

/** The schema of an export, in the order of its columns: docs/tracing.md describes each. New ones are added at the end. */
export const EXPORT_COLUMNS: readonly ExportColumn[] = [
  text('traceId'),
  text('spanId'),
  optional('parentSpanId'),
  { name: 'startedAtNs', type: 'Int64', value: ({ span }) => span.startedAtNs.toString() },
  { name: 'durationNs', type: 'Int64', value: ({ span }) => span.durationNs.toString() },
  text('name'),
  text('kind'),
  text('status'),
  text('statusMessage'),
  optional('errorType'),
  { name: 'httpStatus', type: 'Nullable(UInt16)', value: ({ span }) => span.httpStatus },
  flag('isEntry'),
  flag('isRequest'),
  text('feature'),
  optional('team'),
  optional('user'),
  optional('session'),
  optional('customer'),
  { name: 'tags', type: 'Map(String, String)', value: ({ span }) => span.tags },
  optional('callId'),
  optional('keyId'),
  optional('route'),
  optional('provider'),
  optional('requestedModel'),
  optional('requestModel'),
  optional('responseModel'),
  optional('responseId'),
  words('finishReasons'),
  words('models'),
  words('providers'),
  words('modelNames'),
  tokens('inputUncachedTokens'),
  tokens('cacheReadTokens'),
  tokens('cacheWrite5mTokens'),
  tokens('cacheWrite1hTokens'),
  tokens('audioInputTokens'),
  tokens('outputTextTokens'),
  tokens('reasoningTokens'),
  tokens('audioOutputTokens'),
  optional('usageSource'),
  { name: 'costPicoUsd', type: 'Nullable(Int64)', value: ({ span }) => span.costPicoUsd?.toString() ?? null },
  {
    name: 'costUsd',
    type: 'Nullable(Decimal(38, 12))',
    value: ({ span }) => (span.costPicoUsd === null ? null : formatUsd(span.costPicoUsd)),
  },
  optional('costStatus'),
  optional('priceId'),
  milliseconds('ttftMs'),
  milliseconds('interTokenMeanMs'),
  milliseconds('interTokenMaxMs'),
  { name: 'attempts', type: 'UInt16', value: ({ span }) => span.attempts },
  optional('fallbackFrom'),
  flag('isStream'),
  flag('isSimulated'),
  flag('isRecovered'),
  { name: 'attributes', type: 'String', value: ({ span }) => span.attributes },
  { name: 'input', type: 'Nullable(String)', value: ({ input }) => input },
  { name: 'output', type: 'Nullable(String)', value: ({ output }) => output },
  { name: 'isTruncated', type: 'Bool', value: ({ isTruncated }) => isTruncated },
];

/** A span as a line of JSON, without its line end. */
export function jsonLine(exported: ExportedSpan): string {
  return JSON.stringify(Object.fromEntries(EXPORT_COLUMNS.map(({ name, value }) => [name, value(exported)])));
}
