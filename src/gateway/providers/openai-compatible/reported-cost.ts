import { type PicoUsd, picoUsdFromDecimal } from '../../../kernel/money.ts';
import { isObject } from '../../hub/json.ts';

/** Digits below a pico-dollar, the noise of a binary fraction, are rounded. */
function picoUsd(usd: unknown): PicoUsd | null {
  return typeof usd === 'number' && usd >= 0 && usd < 1e9 ? picoUsdFromDecimal(usd.toFixed(12)) : null;
}

/**
 * `usage.cost` of OpenRouter, US dollars. With a key of one's own at the provider behind it that is OpenRouter's fee only: what the provider
 * charges is in `cost_details`.
 * @see https://openrouter.ai/docs/use-cases/usage-accounting
 */
export function openRouterCost(usage: unknown): PicoUsd | null {
  if (!isObject(usage)) return null;
  const charged = picoUsd(usage.cost);
  if (charged === null || usage.is_byok !== true) return charged;
  const upstream = isObject(usage.cost_details) ? picoUsd(usage.cost_details.upstream_inference_cost) : null;
  return upstream === null ? null : charged + upstream;
}

/** `usage.cost.total_cost` of Perplexity, US dollars: tokens, searches and the fee per request together. */
export function perplexityCost(usage: unknown): PicoUsd | null {
  return isObject(usage) && isObject(usage.cost) ? picoUsd(usage.cost.total_cost) : null;
}
