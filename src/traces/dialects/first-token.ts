import { FIRST_TOKEN_ATTRIBUTES, FIRST_TOKEN_EVENTS, FIRST_TOKEN_MOMENTS } from './alias-table.ts';
import type { SpanView } from './span-view.ts';

const NS_PER_MS = 1_000_000;

export interface FirstToken {
  /** Milliseconds from the start of the span. */
  readonly ms: number;
  /** Attribute or event that told it. */
  readonly source: string;
}

/** Epoch nanoseconds of a moment: ISO text (perhaps in quotes, as JSON), or a number of ms, µs or ns, told apart by its size. */
function momentNs(value: unknown): bigint | null {
  const text = typeof value === 'string' ? value.replaceAll('"', '').trim() : typeof value === 'number' ? String(value) : '';
  if (/^(\d{13}|\d{16}|\d{19})$/.test(text)) return BigInt(text.padEnd(19, '0'));
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : BigInt(ms) * BigInt(NS_PER_MS);
}

/** Time to the first token from whatever signal the sender gave; null when it gave none. Nothing outside of the span counts. */
export function firstToken(view: SpanView): FirstToken | null {
  const { startedAtNs, endedAtNs, events } = view.span;
  const spanMs = Number(endedAtNs - startedAtNs) / NS_PER_MS;
  // A moment in whole milliseconds may lie before a start in nanoseconds; the end of a stream may be told of after the span.
  const isWithin = (ms: number): boolean => ms > -1 && ms <= spanMs + 1_000;
  for (const { name, toMs } of FIRST_TOKEN_ATTRIBUTES) {
    const value = view.value(name);
    const ms =
      typeof value === 'number'
        ? value * toMs
        : typeof value === 'string' && /^\d+(\.\d+)?$/.test(value)
          ? Number(value) * toMs
          : Number.NaN;
    if (ms >= 0 && isWithin(ms)) return { ms, source: name };
  }
  for (const name of FIRST_TOKEN_MOMENTS) {
    const atNs = momentNs(view.value(name));
    const ms = atNs === null ? Number.NaN : Number(atNs - startedAtNs) / NS_PER_MS;
    if (isWithin(ms)) return { ms: Math.max(0, ms), source: name };
  }
  let first: FirstToken | null = null;
  for (const { name, atNs } of events) {
    if (!FIRST_TOKEN_EVENTS.has(name) || atNs === 0n) continue;
    const ms = Number(atNs - startedAtNs) / NS_PER_MS;
    if (isWithin(ms) && (first === null || ms < first.ms)) first = { ms: Math.max(0, ms), source: `event ${name}` };
  }
  return first;
}
