import type { AttributeValue, OtlpEvent, OtlpSpan } from '../otlp/span.ts';
import { type CanonicalSpan, readSpan } from './read-span.ts';

/** What tests of dialects share. */
export const START_NS = 1_773_576_000_000_000_000n;

export interface SpanFixture {
  readonly name?: string;
  readonly scope?: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly resource?: Readonly<Record<string, AttributeValue>>;
  readonly events?: readonly {
    readonly name: string;
    readonly afterMs?: number;
    readonly attributes?: Readonly<Record<string, AttributeValue>>;
  }[];
  readonly error?: string;
}

export function otlpSpan({ name = 'span', scope = '', attributes, events = [], error }: SpanFixture): OtlpSpan {
  return {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    parentSpanId: null,
    name,
    kind: 3,
    startedAtNs: START_NS,
    endedAtNs: START_NS + 2_000_000_000n,
    attributes: new Map(Object.entries(attributes)),
    events: events.map(
      (event): OtlpEvent => ({
        name: event.name,
        atNs: START_NS + BigInt(event.afterMs ?? 0) * 1_000_000n,
        attributes: new Map(Object.entries(event.attributes ?? {})),
      }),
    ),
    links: [],
    status: error === undefined ? { code: 'ok', message: '' } : { code: 'error', message: error },
    resource: 0,
    scope: { name: scope, version: '', attributes: new Map() },
    dropped: 0,
  };
}

export function readFixture(fixture: SpanFixture): CanonicalSpan {
  return readSpan(otlpSpan(fixture), new Map(Object.entries(fixture.resource ?? {})));
}

export const json = (value: unknown): string => JSON.stringify(value);

/** The classes that are not zero, as `name=count`. */
export function tokens({ tokens: reading }: CanonicalSpan): string {
  return Object.entries(reading?.usage ?? {})
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name.replace(/Tokens$/, '')}=${count}`)
    .join(' ');
}
