import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Provider } from '@pydantic/genai-prices';
import { priceAtServiceTier } from '../price.ts';
import { openPriceBook, readShippedPriceBook } from '../price-book.ts';
import { priceUsage } from '../price-usage.ts';
import { NO_USAGE } from '../usage.ts';
import { type BookRow, PriceBookFile } from './book-file.ts';
import { nextChangeAfter, rowAt } from './book-row.ts';
import { buildPriceBook, priceBookText } from './build-book.ts';
import { comparePrices } from './disagreements.ts';
import type { SecondOpinion } from './second-opinion.ts';

const at = (text: string) => Date.parse(text);

function provider(prices: Provider['models'][number]['prices'], id = 'model-a'): Provider {
  return {
    id: 'acme',
    name: 'Acme',
    api_pattern: 'https://api\\.acme\\.example',
    models: [{ id, match: { starts_with: id }, prices }],
  };
}

const NO_OPINION: SecondOpinion = { takenOn: '2026-11-21', sources: {}, rows: [] };
const PACKAGE = { package: 'p', version: '1', licence: 'MIT', url: 'https://example.com' };

function build(prices: Provider['models'][number]['prices'], rows: SecondOpinion['rows'] = []) {
  return buildPriceBook([provider(prices)], '1.0.0', { ...NO_OPINION, sources: { other: PACKAGE }, rows });
}

const rowOf = (prices: Provider['models'][number]['prices']) => build(prices).file.providers[0]?.models[0]?.rows[0];

describe('the shipped price book', () => {
  const file = JSON.parse(readFileSync(new URL('./price-book.json', import.meta.url), 'utf8'));

  it('has the form that it says, and a source for every row', () => {
    const { providers, sources } = PriceBookFile.parse(file);
    for (const { models } of providers) for (const { rows } of models) for (const { source } of rows) assert.ok(source in sources);
    assert.ok(providers.flatMap(({ models }) => models).length > 1_500);
  });

  it('never has two undated rows for one moment, and no hole between dated ones', () => {
    for (const { models } of PriceBookFile.parse(file).providers)
      for (const { id, rows } of models) {
        const dated = rows.filter(({ hours, region }) => hours === undefined && region === undefined);
        for (const [place, row] of dated.entries()) assert.equal(row.validTo, dated[place + 1]?.validFrom, id);
      }
  });

  it('knows batch prices where two sources agree on the standard ones, and takes none for granted', () => {
    const book = readShippedPriceBook();
    const price = book.find('openai', 'o1-pro', at('2026-11-21'));
    assert.ok(price);
    const batch = priceAtServiceTier(price, 'batch');
    assert.equal(price.perToken.inputUncachedTokens, '150000000');
    assert.equal(batch?.perToken.inputUncachedTokens, '75000000');
    assert.match(batch?.priceId ?? '', /#batch$/);
    assert.equal(priceUsage({ ...NO_USAGE, inputUncachedTokens: 2, outputTextTokens: 1 }, batch ?? null).costPicoUsd, 450_000_000n);
    assert.equal(priceUsage({ ...NO_USAGE, cacheWrite5mTokens: 1 }, batch ?? null).costStatus, 'unpriced');
    assert.equal(priceAtServiceTier(price, 'priority'), null);
    assert.equal(priceAtServiceTier(price, 'constructor'), null);
    assert.equal(priceAtServiceTier(price, null), price);
  });
});

describe('taking prices from a source', () => {
  it('turns decimals into pico-dollars without a float between', () => {
    assert.deepEqual(rowOf({ input_mtok: 0.1, output_mtok: 0.3, cache_read_mtok: 0.01875, requests_kcount: 0.007 }), {
      source: 'genai-prices',
      perToken: { inputUncachedTokens: '100000', outputTextTokens: '300000', cacheReadTokens: '18750' },
      perRequest: '7000000',
    });
    assert.equal(rowOf({ input_mtok: 1e-6 })?.perToken.inputUncachedTokens, '1');
    assert.equal(rowOf({ input_mtok: 1e21 / 1e9 })?.perToken.inputUncachedTokens, '1000000000000000000');
  });

  it('rounds half up what is finer, and says so', () => {
    const { file, rounded } = build({ input_mtok: 5e-7, output_mtok: 4.9e-7, audio_hours: 0.111 });
    const row = file.providers[0]?.models[0]?.rows[0];
    assert.equal(row?.perToken.inputUncachedTokens, '1');
    assert.equal(row?.perToken.outputTextTokens, '0');
    assert.equal(row?.perUnit?.seconds, '30833333');
    assert.deepEqual(
      rounded.map(({ key, sourceUsd }) => [key, sourceUsd]),
      [
        ['input_mtok', '5e-7'],
        ['output_mtok', '4.9e-7'],
        ['audio_hours', '0.111'],
      ],
    );
  });

  it('keeps a model that sells only what we do not count, as unpriced', () => {
    const { file } = build({ web_searches_kcount: 10 });
    assert.deepEqual(file.providers[0]?.models[0]?.rows, []);
    assert.equal(openPriceBook(file).find('acme', 'model-a', 0), null);
  });

  it('writes a text that reads back as the same book', () => {
    const { file } = build({ input_mtok: 1, output_mtok: 2 });
    assert.deepEqual(PriceBookFile.parse(JSON.parse(priceBookText(file))), file);
  });

  it('gives one id to one price, whatever the book', () => {
    const idOf = (input: number, version: string) => {
      const built = buildPriceBook([provider({ input_mtok: input, output_mtok: 2 })], version, NO_OPINION);
      return openPriceBook(built.file).find('acme', 'model-a', 0)?.priceId;
    };
    assert.equal(idOf(1, '1.0.0'), idOf(1, '2.0.0'));
    assert.notEqual(idOf(1, '1.0.0'), idOf(2, '1.0.0'));
  });

  it('takes batch prices only where the standard prices beside them are its own', () => {
    const opinion = (model: string, input: string) => ({
      source: 'other',
      provider: 'acme',
      model,
      usdPerMillion: { input, output: '2' },
      batchUsdPerMillion: { input: '0.5', output: '1' },
    });
    const taken = (model: string, input: string) => {
      const { file, batchLeftOut } = build({ input_mtok: 1, output_mtok: 2 }, [opinion(model, input)]);
      return [file.providers[0]?.models[0]?.rows[0]?.serviceTiers?.batch?.perToken ?? null, batchLeftOut.length];
    };
    const batch = { inputUncachedTokens: '500000', outputTextTokens: '1000000' };
    assert.deepEqual(taken('model-a', '1'), [batch, 0]);
    assert.deepEqual(taken('model-a-2026-01-01', '1.0'), [batch, 0]);
    assert.deepEqual(taken('model-a', '1.1'), [null, 1]);
    assert.deepEqual(taken('model-a-mini', '1'), [null, 1]);
    assert.deepEqual(taken('model-b', '1'), [null, 1]);
  });
});

describe('rows in force', () => {
  const row = (changes: Partial<BookRow>, name: string): BookRow => ({ source: name, perToken: {}, ...changes });
  const rows = [
    row({ validTo: '2026-03-01' }, 'old'),
    row({ validFrom: '2026-03-01' }, 'new'),
    row({ hours: { from: '22:00:00Z', to: '06:00:00Z' }, validFrom: '2026-03-01' }, 'night'),
    row({ region: 'eu-west-1', validFrom: '2026-03-01' }, 'eu'),
  ];
  const named = (moment: string, region: string | null = null) => rowAt(rows, at(moment), region)?.source ?? null;

  it('finds day, hour and region', () => {
    assert.equal(named('2026-02-28T23:59:59.999Z'), 'old');
    assert.equal(named('2026-03-01T00:00:00Z'), 'night');
    assert.equal(named('2026-03-01T06:00:00Z'), 'new');
    assert.equal(named('2026-03-01T21:59:59.999Z'), 'new');
    assert.equal(named('2026-03-01T22:00:00Z'), 'night');
    assert.equal(named('2026-03-01T22:00:00Z', 'eu-west-1'), 'eu');
    assert.equal(named('2026-03-01T12:00:00Z', 'us-east-1'), 'new');
    assert.equal(rowAt([row({ validFrom: '2026-03-01' }, 'new')], at('2026-02-01'), null), null);
    assert.equal(rowAt([row({ region: 'eu' }, 'eu')], 0, null), null);
  });

  it('says when another row may hold', () => {
    assert.equal(nextChangeAfter(rows, at('2026-02-28T23:00:00Z')), at('2026-03-01T00:00:00Z'));
    assert.equal(nextChangeAfter(rows, at('2026-03-01T05:00:00Z')), at('2026-03-01T06:00:00Z'));
    assert.equal(nextChangeAfter(rows, at('2026-03-01T22:00:00Z')), at('2026-03-02T06:00:00Z'));
    assert.equal(nextChangeAfter([row({}, 'always')], 0), null);
  });
});

describe('comparing sources', () => {
  it('tells agreement, rounding and difference apart', () => {
    const { file } = build({ input_mtok: 1.25, output_mtok: 10, cache_read_mtok: 0.125 });
    const verdicts = (usdPerMillion: Record<string, string>, model = 'model-a') => {
      const { comparisons, unknown } = comparePrices(openPriceBook(file), [{ source: 'other', provider: 'acme', model, usdPerMillion }], 0);
      return [...comparisons.map(({ verdict }) => verdict), ...unknown];
    };
    assert.deepEqual(verdicts({ input: '1.25', output: '10', cacheRead: '0.13' }), ['agrees', 'agrees', 'rounded']);
    assert.deepEqual(verdicts({ input: '1.3', cacheWrite: '2' }), ['differs']);
    assert.deepEqual(verdicts({ input: '1' }, 'other'), ['acme/other']);
  });
});
