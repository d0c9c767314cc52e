import { PlimsollError } from '../kernel/errors.ts';
import { contentHash } from '../kernel/ids.ts';
import type { FaultRule } from './fault-board.ts';
import { FAULTS, type Fault, parseFaults, splitMagicFault } from './faults.ts';
import { seededRandom } from './seeded-random.ts';
import type { CallTarget } from './wire.ts';

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

/** What is known before it is decided which faults apply. */
export interface FaultSources {
  /** Header `x-sim-fault`. */
  readonly header: string | null;
  readonly target: CallTarget;
  readonly apiKey: string;
  /** Rules of the configuration and those switched on at run time. */
  readonly rules: readonly FaultRule[];
  readonly seed: number;
  /** How often this very request was seen before: rates are drawn anew for each try, so that a retry can succeed. */
  readonly occurrence: number;
  readonly firstCounter: OccurrenceCounter;
}

/**
 * The faults that hit one request. What the request itself asks for (header, then `metadata.sim_fault`, then the last line
 * `[[sim:fault=…]]` of the last user message) replaces what the rules would do.
 * @throws PlimsollError `invalid_argument` when the text of a fault is not understood, or names a fault of the listener
 */
export function selectFaults(sources: FaultSources): readonly Fault[] {
  const { header, target, rules, seed, occurrence } = sources;
  const asked = header ?? target.metadataFault ?? splitMagicFault(target.lastUserText).fault;
  if (asked !== null) {
    const faults = parseFaults(asked);
    const unreachable = faults.find((fault) => FAULTS[fault.name].reach === 'listener');
    if (unreachable !== undefined)
      throw new PlimsollError(
        'invalid_argument',
        `Fault "${unreachable.name}" hits the whole listener: switch it on with POST /sim/faults`,
      );
    return faults.filter((fault) => applies(fault, sources));
  }
  const relevant = rules.filter(({ models }) => models === null || models.includes(target.model));
  if (relevant.length === 0) return [];
  const common = seededRandom(seed, target.fingerprint, 'faults', occurrence);
  return relevant
    .filter(({ rate, seed: own }) => (own === null ? common : seededRandom(own, target.fingerprint, 'faults', occurrence)).chance(rate))
    .flatMap(({ faults }) => faults)
    .filter((fault) => FAULTS[fault.name].reach === 'request' && applies(fault, sources));
}

function applies(fault: Fault, { target, apiKey, firstCounter }: FaultSources): boolean {
  if (fault.model !== null && fault.model !== target.model) return false;
  if (fault.key !== null && fault.key !== apiKey) return false;
  return fault.first === null || firstCounter.next(contentHash(`${fault.text}\u0000${target.lastUserText}`)) < fault.first;
}
