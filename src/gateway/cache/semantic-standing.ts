import { wilsonInterval } from '../../stats/intervals.ts';
import type { SemanticState } from './settings.ts';

/** Semantic hits whose answer was compared with the model's own. */
export interface ShadowCount {
  readonly samples: number;
  /** Those that said something else. */
  readonly falseHits: number;
}

/** Beyond this the counts are halved: what happened long ago must not outweigh what happens now. */
const MAX_SAMPLES = 2000;

/** In shadow nobody is given a wrong answer: one odd answer among the first few is not taken for proof. */
const MIN_SAMPLES_TO_GIVE_UP = 50;

/** Where a semantic cache stands, and why. */
export interface SemanticStanding extends ShadowCount {
  readonly state: SemanticState;
  readonly reason: string;
}

export const UNMEASURED: SemanticStanding = Object.freeze({
  state: 'shadow',
  samples: 0,
  falseHits: 0,
  reason: 'no hit has been compared yet',
});

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`;
}

/**
 * What follows from further comparisons. Hits are served once the 95 % interval of their false share lies within the bound, and no more once
 * the share itself exceeds it; one that the interval shows to be beyond the bound is given up before. The interval is looked at after every
 * report, so that its 95 % are somewhat less: the bound is a rule, not a proof. Off is final: only a new check begins anew.
 * @param bound largest share of false hits (fraction)
 */
export function advanceStanding(standing: SemanticStanding, more: ShadowCount, bound: number): SemanticStanding {
  if (standing.state === 'off' || more.samples === 0) return standing;
  let samples = standing.samples + more.samples;
  let falseHits = standing.falseHits + more.falseHits;
  const [low, high] = wilsonInterval(falseHits, samples);
  const measured = `${falseHits} of ${samples} compared hits were wrong: ${percent(falseHits / samples)}, 95 % interval ${percent(low)} to ${percent(high)}`;
  const isOver = standing.state === 'live' ? falseHits / samples > bound : samples >= MIN_SAMPLES_TO_GIVE_UP && low > bound;
  const state = isOver ? 'off' : standing.state === 'live' || high <= bound ? 'live' : 'shadow';
  if (samples > MAX_SAMPLES) {
    samples = Math.ceil(samples / 2);
    falseHits = Math.ceil(falseHits / 2);
  }
  return { state, samples, falseHits, reason: `${measured}; the bound is ${percent(bound)}` };
}

/** A gateway that control does not hear must not go on by itself when its own comparisons show that hits are wrong. */
export function isPlainlyUnsafe({ samples, falseHits }: ShadowCount, bound: number): boolean {
  return wilsonInterval(falseHits, samples)[0] > bound;
}
