import type { Scope } from '../../kernel/scope.ts';
import type { Price } from '../../models/price.ts';
import type { CostPeriod, CostQueries, PriceTiers } from '../cost-queries.ts';

/** A price as it was in force; null = not known here. */
export type FindPrice = (priceId: string) => Promise<Price | null>;

/** The prices at which calls of some periods were priced, and where those change with the length of the input. */
export async function readPrices(
  scope: Scope,
  costs: Pick<CostQueries, 'priceIds'>,
  findPrice: FindPrice,
  periods: readonly CostPeriod[],
): Promise<{ readonly prices: ReadonlyMap<string, Price>; readonly tiers: readonly PriceTiers[] }> {
  const ids = new Set<string>();
  for (const found of await Promise.all(periods.map((period) => costs.priceIds(scope, period)))) for (const id of found) ids.add(id);
  const prices = new Map<string, Price>();
  for (const id of ids) {
    const price = await findPrice(id);
    if (price !== null) prices.set(id, price);
  }
  const tiers = [...prices.values()]
    .filter((price) => price.tiers.length > 0)
    .map(({ priceId, tiers: of }) => ({ priceId, aboveInputTokens: of.map(({ aboveInputTokens }) => aboveInputTokens) }));
  return { prices, tiers };
}
