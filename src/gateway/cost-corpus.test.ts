import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { formatUsd, picoUsdFromDecimal } from '../kernel/money.ts';
import type { MeteredUnits } from '../models/metered-units.ts';
import { readShippedPriceBook } from '../models/price-book.ts';
import { compilePrice, priceCompiled, priceMetered } from '../models/price-usage.ts';
import type { Usage } from '../models/usage.ts';
import { explainUsage } from '../models/usage-check.ts';
import { findAdapter } from './adapter-for.ts';
import type { Operation } from './provider.ts';
import { readResponsesUsage } from './providers/openai/responses-answer.ts';

/** One usage object as a provider sends it, and what it costs by hand: `sum` is the arithmetic (USD per million tokens, or per piece). */
interface CorpusCase {
  readonly dialect: string;
  /** Kind of the provider in plimsoll.yaml. */
  readonly kind: string;
  readonly model: string;
  readonly operation?: Operation;
  readonly usage: unknown;
  readonly sum: readonly string[];
  /** Null = unpriced, for the reason that `unpriced` gives. */
  readonly usd: string | null;
  readonly unpriced?: string;
  readonly rule?: string;
  readonly conflict?: true;
  readonly note?: string;
}

/** Prices of this day, so that a later book does not change what these calls cost. */
const AT = Date.parse('2026-11-21T12:00:00Z');

const corpus = readFileSync(new URL('./fixtures/cost-corpus.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): CorpusCase => JSON.parse(line)); // our own fixture

/** `1000 input × 2.5/M` → pico-dollars. */
function termPico(term: string): bigint {
  const reported = /^([\d.]+) reported$/.exec(term);
  if (reported?.[1] !== undefined) return picoUsdFromDecimal(reported[1]);
  const [, count, price, perMillion] = /^(\d+) [a-z0-9 ]+ × ([\d.]+)(\/M)?$/.exec(term) ?? [];
  assert.ok(count !== undefined && price !== undefined, `not a term: ${term}`);
  const whole = BigInt(count) * picoUsdFromDecimal(price);
  if (perMillion === undefined) return whole;
  assert.equal(whole % 1_000_000n, 0n, term);
  return whole / 1_000_000n;
}

function adapterOf(kind: string) {
  const adapter = findAdapter(kind);
  assert.ok(adapter, kind);
  return adapter;
}

function read({ dialect, kind, operation, usage }: CorpusCase): { usage: Usage | null; units: MeteredUnits } {
  const adapter = adapterOf(kind);
  if (operation !== undefined) {
    const endpoint = adapter.operations[operation];
    assert.ok(endpoint, `${kind} serves no ${operation}`);
    return endpoint.readMetered(usage);
  }
  return { usage: dialect === 'openai-responses' ? readResponsesUsage(usage) : adapter.readUsage(usage), units: {} };
}

describe('cost corpus: raw usage objects of providers, priced by hand', () => {
  const book = readShippedPriceBook();

  it('is large and many-tongued', () => {
    assert.ok(corpus.length >= 200, `${corpus.length} cases`);
    assert.ok(new Set(corpus.map(({ dialect }) => dialect)).size >= 10);
  });

  for (const [place, example] of corpus.entries())
    it(`${place + 1} ${example.dialect} ${example.model}: ${example.usd ?? 'unpriced'}${example.note === undefined ? '' : ` (${example.note})`}`, () => {
      const byHand = example.sum.reduce((sum, term) => sum + termPico(term), 0n);
      if (example.usd !== null) assert.equal(formatUsd(byHand), example.usd, 'the arithmetic of the fixture');
      const adapter = adapterOf(example.kind);
      const { usage, units } = read(example);
      const reported = adapter.readCost?.(example.usage) ?? null;
      const found = book.find(adapter.priceList ?? example.kind, example.model, AT);
      const price = found === null ? null : compilePrice(found);
      const priced = example.operation === undefined && usage !== null ? priceCompiled(usage, price) : priceMetered(usage, units, price);
      const cost = reported ?? priced.costPicoUsd;
      assert.equal(cost === null ? null : formatUsd(cost), example.usd);
      if (usage === null) return;
      const { rule, conflict } = explainUsage(example.usage, usage, units.inputImageTokens);
      assert.equal(rule, example.rule ?? null);
      assert.equal(conflict !== null, example.conflict === true, conflict ?? 'no conflict was found');
    });
});
