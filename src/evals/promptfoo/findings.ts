import { nearest } from '../../kernel/suggest.ts';
import type { LocatedMap } from './located.ts';

/**
 * - `refused`: we cannot do what is asked; the suite does not run, since its verdicts would not be promptfoo's.
 * - `warning`: it runs, and probably does not do what its author believes.
 * - `note`: it changes nothing in the verdicts.
 */
export interface Finding {
  readonly severity: 'refused' | 'warning' | 'note';
  /** `file:line:column`. */
  readonly place: string;
  readonly message: string;
}

/** All that a reader has to say of a file; reading goes on after a refusal, so that one look shows them all. */
export class Findings {
  readonly #all: Finding[] = [];
  readonly #seen = new Set<string>();

  add(severity: Finding['severity'], place: string, message: string): void {
    const key = `${severity} ${place} ${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#all.push({ severity, place, message });
  }

  refuse(place: string, message: string): void {
    this.add('refused', place, message);
  }

  warn(place: string, message: string): void {
    this.add('warning', place, message);
  }

  note(place: string, message: string): void {
    this.add('note', place, message);
  }

  /** Refuses every member that nobody reads. @param reasons for those that promptfoo has */
  onlyKnown(map: LocatedMap, what: string, known: readonly string[], reasons: Readonly<Record<string, string>> = {}): void {
    for (const { key, keyPlace } of map.members.values()) {
      if (known.includes(key)) continue;
      const reason = Object.hasOwn(reasons, key) ? reasons[key] : undefined;
      const close = reason === undefined ? nearest(key, known) : null;
      this.refuse(
        keyPlace,
        `${what} "${key}" is not supported${reason === undefined ? '' : `: ${reason}`}${close === null ? '' : `; did you mean "${close}"?`}`,
      );
    }
  }

  get all(): readonly Finding[] {
    return this.#all;
  }

  get isRefused(): boolean {
    return this.#all.some(({ severity }) => severity === 'refused');
  }
}
