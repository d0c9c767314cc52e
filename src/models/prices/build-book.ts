import type { Provider } from '@pydantic/genai-prices';
import { picoUsdFromDecimal } from '../../kernel/money.ts';
import type { TokenPrices } from '../price.ts';
import type { UsageClass } from '../usage.ts';
import { BOOK_FORMAT_VERSION, type BookModel, PriceBookFile } from './book-file.ts';
import { fromGenaiPrices, type RoundedPrice } from './from-genai-prices.ts';
import { findModel } from './model-match.ts';
import { OPINION_CLASSES, type SecondOpinion } from './second-opinion.ts';

export interface BuiltBook {
  readonly file: PriceBookFile;
  readonly rounded: readonly RoundedPrice[];
  /** Batch prices that were not taken over, `provider/model: why`. */
  readonly batchLeftOut: readonly string[];
}

/** Exact, or null where a quote is finer than a pico-dollar per token. */
function batchPrices(usdPerMillion: Readonly<Record<string, string>>): TokenPrices | null {
  const perToken: Partial<Record<UsageClass, string>> = {};
  for (const [name, text] of Object.entries(usdPerMillion)) {
    const tokenClass = OPINION_CLASSES[name];
    const perMillion = picoUsdFromDecimal(text);
    if (tokenClass === undefined || perMillion % 1_000_000n !== 0n) return null;
    perToken[tokenClass] = (perMillion / 1_000_000n).toString();
  }
  return perToken;
}

/** The price that the source lists beside a batch price is the one of the row that holds now. */
function agrees(model: BookModel, usdPerMillion: Readonly<Record<string, string>>): boolean {
  const row = model.rows.at(-1);
  const expected = batchPrices(usdPerMillion);
  return (
    row !== undefined &&
    expected !== null &&
    Object.entries(expected).every(([tokenClass, amount]) => row.perToken[tokenClass as UsageClass] === amount)
  );
}

/**
 * The price book: genai-prices in our form, with the batch prices of the second source where that agrees on the standard prices. A source
 * that differs there may be of another day, and half of an old price is no price.
 * @throws ZodError when the sources hold what the form of the book does not
 */
export function buildPriceBook(providers: readonly Provider[], genaiVersion: string, opinion: SecondOpinion): BuiltBook {
  const source = 'genai-prices';
  const converted = fromGenaiPrices(providers, source);
  const byId = new Map(converted.providers.map((provider) => [provider.id, provider]));
  const batchLeftOut: string[] = [];
  for (const { source: from, provider, model: modelId, usdPerMillion, batchUsdPerMillion } of opinion.rows) {
    if (batchUsdPerMillion === undefined) continue;
    const list = byId.get(provider);
    const model = list === undefined ? null : findModel(list, modelId, byId);
    const perToken = batchPrices(batchUsdPerMillion);
    const name = `${provider}/${modelId}`;
    // A dated version stands for the model without a date; any other name must not change the row of another model.
    if (model === null || (model.id !== modelId && model.id !== modelId.replace(/-\d{4}-\d{2}-\d{2}$/, '')))
      batchLeftOut.push(`${name}: not in the book under this name`);
    else if (perToken === null) batchLeftOut.push(`${name}: finer than a pico-dollar per token`);
    else if (!agrees(model, usdPerMillion)) batchLeftOut.push(`${name}: the standard prices beside it are not those of the book`);
    else {
      const row = model.rows[model.rows.length - 1];
      if (row !== undefined) row.serviceTiers = { batch: { source: from, perToken } };
    }
  }
  const genai = {
    package: '@pydantic/genai-prices',
    version: genaiVersion,
    licence: 'MIT',
    url: 'https://github.com/pydantic/genai-prices',
  };
  const used = new Set(converted.providers.flatMap(({ models }) => models.flatMap(({ rows }) => rows.flatMap((row) => sourcesOf(row)))));
  const file = PriceBookFile.parse({
    formatVersion: BOOK_FORMAT_VERSION,
    version: opinion.takenOn,
    currency: 'USD',
    sources: Object.fromEntries(Object.entries({ [source]: genai, ...opinion.sources }).filter(([name]) => used.has(name))),
    providers: converted.providers,
  });
  return { file, rounded: converted.rounded, batchLeftOut };
}

function sourcesOf(row: BookModel['rows'][number]): string[] {
  return [row.source, ...Object.values(row.serviceTiers ?? {}).map((tier) => tier.source)];
}

/** The file's text: a model a line, so that a change of one price is a change of one line. */
export function priceBookText({ providers, ...head }: PriceBookFile): string {
  const lines = providers.map(({ models, ...provider }) => {
    const open = JSON.stringify(provider).slice(0, -1);
    return `${open},"models":[\n${models.map((model) => `  ${JSON.stringify(model)}`).join(',\n')}\n]}`;
  });
  return `${JSON.stringify(head).slice(0, -1)},"providers":[\n${lines.join(',\n')}\n]}\n`;
}
