import type { CostStatus, Usage } from '../models/usage.ts';

interface AttemptCost {
  /** Decimal integer; null when unpriced. */
  readonly costPicoUsd: string | null;
  readonly costStatus: CostStatus;
  readonly usage: Usage | null;
}

/**
 * Cost of a call: the sum over its attempts. Unpriced as soon as one attempt used tokens that have no price; also when nothing at all is
 * known of what the attempts used. A call that reached no provider cost nothing.
 */
export function sumCost(attempts: readonly AttemptCost[]): { costPicoUsd: string | null; costStatus: CostStatus } {
  if (attempts.length === 1) {
    const [only] = attempts;
    if (only !== undefined) return { costPicoUsd: only.costPicoUsd, costStatus: only.costStatus };
  }
  let sum = 0n;
  let known = attempts.length === 0;
  let isEstimated = false;
  let isReported = false;
  for (const attempt of attempts) {
    if (attempt.costPicoUsd !== null) {
      known = true;
      sum += BigInt(attempt.costPicoUsd);
      if (attempt.costStatus === 'estimated_tokens') isEstimated = true;
      else if (attempt.costStatus === 'provider_reported') isReported = true;
    } else if (attempt.usage !== null) return { costPicoUsd: null, costStatus: 'unpriced' };
  }
  if (!known) return { costPicoUsd: null, costStatus: 'unpriced' };
  return { costPicoUsd: sum.toString(), costStatus: isEstimated ? 'estimated_tokens' : isReported ? 'provider_reported' : 'priced' };
}
