import { PlimsollError } from '../kernel/errors.ts';

export interface SprtDesign {
  /** Share of worse pairs among those that differ, if the new version has regressed; in (0.5, 1). Without a change it is 0.5. */
  readonly regressedShare: number;
  /** Greatest chance to stop an unchanged version. */
  readonly alpha: number;
  /** Greatest chance to let a regressed one go. */
  readonly beta: number;
  /** Pairs that differ after which the nearer of the two is taken. */
  readonly maximum: number;
}

export const SPRT_DESIGN: SprtDesign = { regressedShare: 0.75, alpha: 0.05, beta: 0.1, maximum: 60 };

/**
 * Wald's sequential test on the pairs that differ: may be asked after every one of them, and needs half of the pairs of a fixed design.
 * @param worse,better pairs that differ so far, counts
 * @see Wald 1945, Annals of Mathematical Statistics 16:117
 */
export function sprt(worse: number, better: number, design: SprtDesign = SPRT_DESIGN): 'regressed' | 'unchanged' | 'go on' {
  const { regressedShare, alpha, beta, maximum } = design;
  if (!(regressedShare > 0.5 && regressedShare < 1 && alpha > 0 && beta > 0 && alpha + beta < 1))
    throw new PlimsollError('invalid_argument', `No sequential test with ${JSON.stringify(design)}`);
  const evidence = worse * Math.log(2 * regressedShare) + better * Math.log(2 * (1 - regressedShare));
  const upper = Math.log((1 - beta) / alpha);
  const lower = Math.log(beta / (1 - alpha));
  if (evidence >= upper) return 'regressed';
  if (evidence <= lower) return 'unchanged';
  if (worse + better < maximum) return 'go on';
  return evidence > (upper + lower) / 2 ? 'regressed' : 'unchanged';
}

/** Stakes of the mixture: small ones win against small differences, large ones soon against large. */
const STAKES = [0.02, 0.05, 0.1, 0.2, 0.4, 0.7];

/** Wealth of a gambler who bets against "the mean is at most `bound`"; see `betAgainst`. */
export interface Betting {
  readonly logWealth: readonly number[];
  /** Largest wealth so far: 1 / it is a p value that holds at any time. */
  readonly best: number;
}

export const NOT_BET: Betting = { logWealth: STAKES.map(() => 0), best: 1 };

/**
 * One more observation for an e-process against H0: E d ≤ bound. Under H0 the wealth ever reaches 1/α with at most α, however often one looks, and
 * whatever the distribution.
 * @param d     in [−1, 1]
 * @param bound in [−1, 1)
 * @throws PlimsollError `invalid_argument` for a value outside of it: the guarantee would be void
 * @see Waudby-Smith & Ramdas 2024, JRSS B 86:1 (betting); Robbins 1970 (mixtures)
 */
export function betAgainst(state: Betting, d: number, bound = 0): Betting {
  if (!(d >= -1 && d <= 1 && bound >= -1 && bound < 1))
    throw new PlimsollError('invalid_argument', `Cannot bet on ${d} against ${bound}: both belong in [-1, 1]`);
  // At least −1: no stake below 1 can be lost altogether.
  const z = (d - bound) / (1 + bound);
  const logWealth = STAKES.map((stake, index) => (state.logWealth[index] ?? 0) + Math.log1p(stake * z));
  return { logWealth, best: Math.max(state.best, wealthOf(logWealth)) };
}

/** Present wealth, the mean over the stakes; starts at 1. */
export function wealth({ logWealth }: Betting): number {
  return wealthOf(logWealth);
}

function wealthOf(logWealth: readonly number[]): number {
  const most = Math.max(...logWealth);
  return Math.exp(most) * (logWealth.reduce((sum, log) => sum + Math.exp(log - most), 0) / logWealth.length);
}
