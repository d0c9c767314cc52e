import { CORPUS_FEATURES } from './corpus/features.ts';
import type { CorpusConversation, CorpusFeature } from './corpus/model.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What one simulated person does. */
export interface Scenario {
  readonly feature: CorpusFeature;
  readonly conversation: CorpusConversation;
  readonly user: string;
  readonly session: string;
  readonly isStream: boolean;
  /** The person leaves after the first piece of a streamed answer. */
  readonly leavesEarly: boolean;
  /** Fault asked for in the last user message of the first turn; null = none. */
  readonly fault: string | null;
}

/** Faults of a normal day. `first=1` breaks only the first attempt, so that a fallback can answer. */
const FAULTS = [
  'error:500;first=1',
  'error:503;first=1',
  'error:429;retry-after=1;first=1',
  'connection_reset;first=1',
  'malformed_json;first=1',
  'error_first_event;first=1',
  'error:500',
  'slow_first_byte=1500',
  'cut_after=6',
  'context_length',
  'content_filter',
  'refusal',
  'no_usage',
] as const;

/** Example features have more traffic the earlier they stand. */
const SHARES = [0.45, 0.2, 0.15, 0.2];
const STREAM_RATIO = 0.7;
const LEAVE_RATIO = 0.02;
const USERS = 120;

/**
 * Draws the next scenario.
 * @param features names of the features that there are keys for; scenarios come from these only
 * @param faultRatio share of the sessions with a fault (fraction)
 */
export function drawScenario(features: readonly string[], faultRatio: number, random: SeededRandom): Scenario {
  const offered = CORPUS_FEATURES.map((feature, position) => ({ feature, share: SHARES[position] ?? 0.1 })).filter(({ feature }) =>
    features.includes(feature.name),
  );
  let draw = random.next() * offered.reduce((sum, { share }) => sum + share, 0);
  const feature = (
    offered.find(({ share }) => {
      draw -= share;
      return draw < 0;
    }) ?? { feature: CORPUS_FEATURES[0] }
  ).feature;
  const isStream = random.chance(STREAM_RATIO);
  return {
    feature,
    conversation: random.pick(feature.conversations),
    user: `user-${String(Math.floor(USERS * random.next() ** 2)).padStart(3, '0')}`,
    session: `session-${random.hex(12)}`,
    isStream,
    leavesEarly: isStream && random.chance(LEAVE_RATIO),
    // The id keeps two people with the same question and fault apart.
    fault: random.chance(faultRatio) ? `${random.pick(FAULTS)};id=${random.hex(8)}` : null,
  };
}
