import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { formatUsd, picoUsdFromDecimal } from '../kernel/money.ts';
import { readShippedPriceBook } from '../models/price-book.ts';
import { priceUsage } from '../models/price-usage.ts';
import { readSpan } from './dialects/read-span.ts';
import type { AttributeValue, OtlpSpan } from './otlp/span.ts';

/** The counts of one span as an SDK sends them, and what it costs by hand: `sum` is the arithmetic (USD per million tokens). */
interface SpanCase {
  readonly dialect: string;
  readonly scope?: string;
  readonly provider: string;
  readonly model: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly sum: readonly string[];
  readonly usd: string;
  readonly rule?: string;
  readonly inconsistent?: true;
  readonly note?: string;
}

const AT = Date.parse('2026-11-21T12:00:00Z');

const corpus = readFileSync(new URL('./fixtures/cost-corpus.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): SpanCase => JSON.parse(line)); // our own fixture

/** `1000 input × 2.5/M` → pico-dollars. */
function termPico(term: string): bigint {
  const [, count, price] = /^(\d+) [a-z0-9 ]+ × ([\d.]+)\/M$/.exec(term) ?? [];
  assert.ok(count !== undefined && price !== undefined, `not a term: ${term}`);
  return (BigInt(count) * picoUsdFromDecimal(price)) / 1_000_000n;
}

function spanOf({ attributes, scope = '' }: SpanCase): OtlpSpan {
  return {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    parentSpanId: null,
    name: 'chat',
    kind: 3,
    startedAtNs: BigInt(AT) * 1_000_000n,
    endedAtNs: BigInt(AT + 1_000) * 1_000_000n,
    attributes: new Map(Object.entries(attributes)),
    events: [],
    links: [],
    status: { code: 'ok', message: '' },
    resource: 0,
    scope: { name: scope, version: '', attributes: new Map() },
    dropped: 0,
  };
}

describe('cost corpus: counts on spans of SDKs, priced by hand', () => {
  const book = readShippedPriceBook();
  for (const [place, example] of corpus.entries())
    it(`${place + 1} ${example.dialect} ${example.model}: ${example.usd}${example.note === undefined ? '' : ` (${example.note})`}`, () => {
      assert.equal(formatUsd(example.sum.reduce((sum, term) => sum + termPico(term), 0n)), example.usd, 'the arithmetic of the fixture');
      const { tokens, provider, requestModel } = readSpan(spanOf(example), new Map());
      assert.ok(tokens !== null && provider !== null && requestModel !== null);
      const cost = priceUsage(tokens.usage, book.find(provider.name, requestModel, AT)).costPicoUsd;
      assert.equal(cost === null ? null : formatUsd(cost), example.usd);
      if (example.rule !== undefined) assert.equal(tokens.rule, example.rule);
      assert.equal(tokens.isInconsistent, example.inconsistent === true);
    });
});
