import { type Price, perTokenAt } from '../../models/price.ts';
import type { UsedAtPrice } from '../cost-queries.ts';
import { type ClassAmount, COST_CLASSES, type CostClass, type Segment, type SegmentUse } from './decompose.ts';

/** Whose cost it is. Calls that reached another tier of a price's context length are a segment of their own, and so are attempts that failed. */
export interface SegmentKey {
  readonly feature: string;
  readonly team: string | null;
  readonly keyId: string;
  readonly extra: string | null;
  readonly provider: string;
  readonly model: string;
  readonly tier: number;
  readonly isFailed: boolean;
}

/** Prices by id, as they were in force. */
export type PricesById = ReadonlyMap<string, Price>;

/** Pico-dollars a token by class, in the tier of the row; a class that is absent has no known price. */
export function listPrices({ priceId, tier }: UsedAtPrice, prices: PricesById): Partial<Record<CostClass, bigint>> {
  const price = priceId === null ? undefined : prices.get(priceId);
  if (price === undefined) return {};
  const starts = price.tiers.map(({ aboveInputTokens }) => aboveInputTokens).sort((a, b) => a - b);
  const perToken = perTokenAt(price, tier === 0 ? 0 : (starts[tier - 1] ?? 0) + 1);
  return Object.fromEntries(Object.entries(perToken).map(([name, amount]) => [name, BigInt(amount)]));
}

/**
 * What was used, by class, with its cost: tokens at the price at which they were priced; what is left of the cost (a price per request, pieces) is
 * `other`. Without a known price the whole cost is spread over all tokens.
 */
function useOf(row: UsedAtPrice, prices: PricesById): SegmentUse {
  const list = listPrices(row, prices);
  const amounts: Partial<Record<CostClass, ClassAmount>> = {};
  const tokens = Object.entries(row.tokens) as [keyof UsedAtPrice['tokens'], bigint][]; // the keys of a record
  const used = tokens.filter(([, quantity]) => quantity > 0n);
  if (used.every(([name]) => list[name] !== undefined)) {
    let left = row.costPicoUsd;
    for (const [name, quantity] of used) {
      const costPicoUsd = quantity * (list[name] ?? 0n);
      amounts[name] = { quantity, costPicoUsd };
      left -= costPicoUsd;
    }
    if (left !== 0n) amounts.other = { quantity: row.attempts, costPicoUsd: left };
    return { attempts: row.attempts, amounts, listPrices: list };
  }
  const quantity = used.reduce((sum, [, count]) => sum + count, 0n);
  return { attempts: row.attempts, amounts: { blended: { quantity, costPicoUsd: row.costPicoUsd } }, listPrices: {} };
}

function add(a: SegmentUse | null, b: SegmentUse): SegmentUse {
  if (a === null) return b;
  const amounts: Partial<Record<CostClass, ClassAmount>> = {};
  for (const name of COST_CLASSES) {
    const [x, y] = [a.amounts[name], b.amounts[name]];
    if (x === undefined && y === undefined) continue;
    amounts[name] = {
      quantity: (x?.quantity ?? 0n) + (y?.quantity ?? 0n),
      costPicoUsd: (x?.costPicoUsd ?? 0n) + (y?.costPicoUsd ?? 0n),
    };
  }
  return { attempts: a.attempts + b.attempts, amounts, listPrices: { ...a.listPrices, ...b.listPrices } };
}

/** Both periods side by side, a segment a line. */
export function segmentsOf(before: readonly UsedAtPrice[], after: readonly UsedAtPrice[], prices: PricesById): Segment<SegmentKey>[] {
  const segments = new Map<string, { key: SegmentKey; isFailed: boolean; before: SegmentUse | null; after: SegmentUse | null }>();
  for (const [side, rows] of [['before', before] as const, ['after', after] as const])
    for (const row of rows) {
      const { feature, team, keyId, extra, provider, model, tier, isFailed } = row;
      const key = { feature, team, keyId, extra, provider, model, tier, isFailed };
      const id = JSON.stringify(Object.values(key));
      const segment = segments.get(id) ?? { key, isFailed, before: null, after: null };
      segment[side] = add(segment[side], useOf(row, prices));
      segments.set(id, segment);
    }
  return [...segments.values()];
}
