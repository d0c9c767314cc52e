import type { CostVariance } from '../api/schema.ts';
import { approximateUsd } from '../format/money.ts';

export type Line = CostVariance['total'];

/** In the order in which the difference is taken apart. */
export const EFFECTS = [
  ['volume', 'Volume', 'More or fewer calls, all else as before'],
  ['answerCache', 'Answer cache', 'Another share of calls that the answer cache answered'],
  ['mix', 'Mix', 'Other features, teams, keys, models, or attempts per call; all of what is new or gone'],
  ['retries', 'Retries', 'More or fewer attempts that failed and cost money all the same'],
  ['tokensPerCall', 'Tokens per call', 'Longer or shorter questions and answers'],
  ['promptCache', 'Prompt cache', 'Another share of input from or to the provider’s prompt cache'],
  ['price', 'Price', 'Another price for the same'],
] as const satisfies readonly (readonly [keyof Line['effects'], string, string])[];

export interface Step {
  readonly name: string;
  readonly tip: string | null;
  /** Pico-dollars, decimal: an amount, or how far this step moves it. */
  readonly picoUsd: string;
  readonly isTotal: boolean;
  /** Where the bar begins and ends, shares of the axis. */
  readonly from: number;
  readonly to: number;
}

export interface Waterfall {
  readonly steps: readonly Step[];
  /** Begin of the axis when it is not $0, pico-dollars. */
  readonly cutAt: string | null;
}

/** A change smaller than this share of the cost would be invisible on an axis from $0. */
const VISIBLE_SHARE = 0.25;

/** From the cost before to the cost after, a step per effect. The amounts are exact and add up; places on the axis are for the eye. */
export function waterfallOf({ beforePicoUsd, afterPicoUsd, effects }: Line): Waterfall {
  let level = BigInt(beforePicoUsd);
  const levels = [level];
  for (const [name] of EFFECTS) {
    level += BigInt(effects[name]);
    levels.push(level);
  }
  let [low, high] = [levels[0] ?? 0n, levels[0] ?? 0n];
  for (const each of levels) {
    if (each < low) low = each;
    if (each > high) high = each;
  }
  const isCut = low > 0n && Number(high - low) < VISIBLE_SHARE * Number(high);
  // A third of the change is left below it, so that the whole amounts have a bar too.
  const start = isCut ? low - (high - low) / 3n : low < 0n ? low : 0n;
  const span = approximateUsd((high - start).toString()) || 1;
  const place = (pico: bigint): number => Math.max(0, Math.min(1, approximateUsd((pico - start).toString()) / span));
  const total = (name: string, pico: string): Step => ({
    name,
    tip: null,
    picoUsd: pico,
    isTotal: true,
    from: place(start < 0n ? 0n : start),
    to: place(BigInt(pico)),
  });
  return {
    steps: [
      total('Before', beforePicoUsd),
      ...EFFECTS.map(([key, name, tip], index): Step => {
        return { name, tip, picoUsd: effects[key], isTotal: false, from: place(levels[index] ?? 0n), to: place(levels[index + 1] ?? 0n) };
      }),
      total('After', afterPicoUsd),
    ],
    cutAt: isCut ? start.toString() : null,
  };
}
