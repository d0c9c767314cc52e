import { contentHash } from '../kernel/ids.ts';
import type { ChatRequest } from './chat-request.ts';
import type { ModelProfile, SimConfig } from './config.ts';
import { type Fault, parseFaults, splitMagicFault } from './faults.ts';
import { seededRandom } from './seeded-random.ts';

/** Counts how often a key was seen; forgets the oldest keys beyond its size. */
export class OccurrenceCounter {
  readonly #counts = new Map<string, number>();
  readonly #maximumKeys: number;

  constructor(maximumKeys: number) {
    this.#maximumKeys = maximumKeys;
  }

  /** @returns how often the key was seen before (count ≥ 0) */
  next(key: string): number {
    const seen = this.#counts.get(key) ?? 0;
    this.#counts.delete(key);
    this.#counts.set(key, seen + 1);
    if (this.#counts.size > this.#maximumKeys) {
      const [oldest] = this.#counts.keys();
      if (oldest !== undefined) this.#counts.delete(oldest);
    }
    return seen;
  }
}

/** Faults that a request may ask for, before it is decided which apply. */
export interface FaultSources {
  /** Header `x-sim-fault`. */
  readonly header: string | null;
  readonly request: ChatRequest;
  readonly profile: ModelProfile;
  readonly config: SimConfig;
  readonly seed: number;
  /** How often this very request was seen before: configured rates are drawn anew for each try, so that a retry can succeed. */
  readonly occurrence: number;
  readonly firstCounter: OccurrenceCounter;
}

/**
 * The faults that hit one request. What the request itself asks for (header, then `metadata.sim_fault`, then the last line
 * `[[sim:fault=…]]` of the last user message) replaces what the configuration would do.
 * @throws PlimsollError `invalid_argument` when the text of a fault is not understood
 */
export function selectFaults(sources: FaultSources): readonly Fault[] {
  const { header, request, profile, config, seed, occurrence, firstCounter } = sources;
  const lastUserText = request.turns.findLast((turn) => turn.role === 'user')?.text ?? '';
  const asked = header ?? request.metadataFault ?? splitMagicFault(lastUserText).fault;
  if (asked !== null) return parseFaults(asked).filter((fault) => applies(fault, request.model, lastUserText, firstCounter));
  const configured = [...profile.faults, ...config.faults.filter(({ models }) => models === undefined || models.includes(request.model))];
  const random = seededRandom(seed, request.fingerprint, 'faults', occurrence);
  return configured
    .filter(({ rate }) => random.chance(rate))
    .flatMap(({ fault }) => parseFaults(fault))
    .filter((fault) => applies(fault, request.model, lastUserText, firstCounter));
}

function applies(fault: Fault, model: string, lastUserText: string, firstCounter: OccurrenceCounter): boolean {
  if (fault.model !== null && fault.model !== model) return false;
  return fault.first === null || firstCounter.next(contentHash(`${fault.text}\u0000${lastUserText}`)) < fault.first;
}
