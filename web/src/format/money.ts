import type { CostStatus } from '../../../src/models/usage.ts';

const PICO_DIGITS = 12;

/** Exact decimal dollars of a decimal pico-dollar integer, e.g. `1250000` → `0.00000125`. */
export function exactUsd(picoUsd: string): string {
  const isNegative = picoUsd.startsWith('-');
  const digits = (isNegative ? picoUsd.slice(1) : picoUsd).padStart(PICO_DIGITS + 1, '0');
  const fraction = digits.slice(-PICO_DIGITS).replace(/0+$/, '');
  const wholeDollars = digits.slice(0, -PICO_DIGITS).replace(/^0+(?=\d)/, '');
  return `${isNegative ? '-' : ''}${wholeDollars}${fraction ? `.${fraction}` : ''}`;
}

/** Dollars as a float, for the position of a mark only; amounts are never added from it. */
export function approximateUsd(picoUsd: string): number {
  return Number(exactUsd(picoUsd));
}

/** Dollars for people: cents from one dollar up, three significant digits below. `$0` is a known zero. */
export function formatUsd(picoUsd: string): string {
  return formatUsdNumber(approximateUsd(picoUsd));
}

export function formatUsdNumber(usd: number): string {
  const size = Math.abs(usd);
  const sign = usd < 0 ? '−' : '';
  if (size === 0) return '$0';
  if (size >= 10_000) return `${sign}$${Math.round(size).toLocaleString('en-US')}`;
  if (size >= 0.9995) return `${sign}$${size.toFixed(2)}`;
  const decimals = Math.min(12, 2 - Math.floor(Math.log10(size)));
  const text = size.toFixed(decimals).replace(/0+$/, '');
  return `${sign}$${text.length < 4 ? text.padEnd(4, '0') : text}`;
}

export interface CostText {
  readonly text: string;
  /** What the sign or word means; shown on hover and read out. */
  readonly explanation: string;
  readonly isUnpriced: boolean;
}

/** Cost of one call or span. Null = unpriced, never zero; an estimate carries `≈`. */
export function costText(picoUsd: string | null, status: CostStatus | null): CostText {
  if (picoUsd === null || status === 'unpriced')
    return { text: 'unpriced', explanation: 'No price is known for a model of this call; it is not in any sum.', isUnpriced: true };
  const exact = `$${exactUsd(picoUsd)}`;
  switch (status) {
    case 'estimated_tokens':
      return {
        text: `≈ ${formatUsd(picoUsd)}`,
        explanation: `${exact}; the tokens are estimated, the provider reported none.`,
        isUnpriced: false,
      };
    case 'provider_reported':
      return { text: formatUsd(picoUsd), explanation: `${exact}, as reported by the provider.`, isUnpriced: false };
    case 'cached_zero':
      return { text: '$0', explanation: 'Answered from the cache: no provider was paid.', isUnpriced: false };
    case 'priced':
    case null:
      return { text: formatUsd(picoUsd), explanation: exact, isUnpriced: false };
    default:
      return status satisfies never;
  }
}

interface CostSum {
  readonly requests: number;
  readonly costPicoUsd: string;
  readonly unpricedRequests: number;
  readonly estimatedCostRequests: number;
}

/** Cost of a set of calls: `unpriced` when nothing in it has a price, `≥` when a part has none, `≈` when tokens were estimated. */
export function costSumText(sum: CostSum): CostText & { readonly note: string | null } {
  const { requests, unpricedRequests, estimatedCostRequests } = sum;
  const isAllUnpriced = requests > 0 && unpricedRequests >= requests;
  if (isAllUnpriced || (unpricedRequests > 0 && BigInt(sum.costPicoUsd) === 0n)) return { ...costText(null, 'unpriced'), note: null };
  const parts = [`$${exactUsd(sum.costPicoUsd)}`];
  if (unpricedRequests > 0) parts.push(`${unpricedRequests} unpriced calls are not in this sum`);
  if (estimatedCostRequests > 0) parts.push(`the tokens of ${estimatedCostRequests} calls are estimated`);
  return {
    text: `${unpricedRequests > 0 ? '≥ ' : estimatedCostRequests > 0 ? '≈ ' : ''}${formatUsd(sum.costPicoUsd)}`,
    explanation: parts.join('; '),
    isUnpriced: false,
    note: unpricedRequests > 0 ? `+ ${unpricedRequests.toLocaleString('en-US')} unpriced` : null,
  };
}

/** Exact product of a token count and a price per token, both decimal integers. */
export function multiplyPico(tokens: number, picoUsdPerToken: string): string {
  return (BigInt(tokens) * BigInt(picoUsdPerToken)).toString();
}

/** Average cost of the priced calls; null when there are none. Rounded to whole pico-dollars. */
export function costPerRequest(sum: CostSum): string | null {
  const priced = sum.requests - sum.unpricedRequests;
  return priced > 0 ? (BigInt(sum.costPicoUsd) / BigInt(priced)).toString() : null;
}
