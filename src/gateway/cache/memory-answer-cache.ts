import type { Clock } from '../../kernel/clock.ts';
import {
  type AnswerCache,
  answerBytes,
  type CachedAnswer,
  decodeAnswer,
  EncodedAnswer,
  type FeatureHoldings,
  isSelected,
} from './answer-cache.ts';
import { ByteArena, type Cell } from './byte-arena.ts';
import type { PurgeSelector } from './settings.ts';

/** Share of the bytes for answers that were asked for again. */
const PROTECTED_RATIO = 0.8;

const NO_NAMES: readonly string[] = [];

interface Entry {
  readonly key: string;
  /** As `EncodedAnswer` writes it, outside the heap: a hundred thousand small objects would keep the garbage collector busy. */
  readonly cell: Cell;
  readonly feature: string;
  readonly tags: readonly string[];
  readonly purgeSequence: number;
  readonly expiresAtMs: number;
  readonly aliases: readonly string[];
  readonly bytes: number;
  isProtected: boolean;
}

/**
 * Answers in this process: segmented LRU. A new answer is on probation; only one that was asked for again is protected, so that a flood of
 * questions that come once does not push out what is asked all day.
 */
export class MemoryAnswerCache implements AnswerCache {
  readonly driver = 'memory';
  readonly #clock: Clock;
  #maxBytes: number;
  #bytes = 0;
  #protectedBytes = 0;
  evictions = 0;
  readonly #arena = new ByteArena();
  readonly #aliases = new Map<string, string>();
  readonly #entries = new Map<string, Entry>();
  /** Both in order of use, the one used longest ago first. */
  readonly #probation = new Set<Entry>();
  readonly #protected = new Set<Entry>();

  constructor(clock: Clock, maxBytes: number) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  get(key: string): Promise<CachedAnswer | null> {
    return Promise.resolve(this.find(key));
  }

  /** As `get`, at once. */
  find(key: string): CachedAnswer | null {
    const entry = this.#entries.get(key) ?? this.#entries.get(this.#aliases.get(key) ?? '');
    if (entry === undefined) return null;
    if (entry.expiresAtMs <= this.#clock.nowMs()) {
      this.#remove(entry);
      return null;
    }
    this.#promote(entry);
    const { bytes, start, length } = entry.cell;
    // Copied: the cell may hold another answer before this one is sent.
    return decodeAnswer(Buffer.from(bytes.subarray(start, start + length)));
  }

  put(key: string, answer: CachedAnswer, aliases: readonly string[]): Promise<boolean> {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remove(known);
    const bytes = answerBytes(answer) + aliases.length * 200;
    if (bytes > this.#maxBytes) return Promise.resolve(false);
    const encoded = new EncodedAnswer(answer);
    const cell = this.#arena.allocate(encoded.length);
    encoded.writeTo(cell.bytes, cell.start);
    const entry: Entry = {
      key,
      cell,
      feature: answer.feature,
      tags: answer.tags.length === 0 ? NO_NAMES : answer.tags,
      purgeSequence: answer.purgeSequence,
      expiresAtMs: answer.expiresAtMs,
      aliases: aliases.length === 0 ? NO_NAMES : aliases,
      bytes,
      isProtected: false,
    };
    this.#entries.set(key, entry);
    this.#probation.add(entry);
    this.#bytes += entry.bytes;
    for (const alias of aliases) this.#aliases.set(alias, key);
    this.#shrink();
    return Promise.resolve(true);
  }

  purge(selector: PurgeSelector, sequence: number): Promise<number> {
    let removed = 0;
    for (const entry of [...this.#entries.values()]) {
      const { feature, tags, purgeSequence } = entry;
      if (purgeSequence >= sequence || !isSelected(selector, feature, tags)) continue;
      this.#remove(entry);
      removed++;
    }
    return Promise.resolve(removed);
  }

  holdings(): Promise<ReadonlyMap<string, FeatureHoldings>> {
    const nowMs = this.#clock.nowMs();
    const found = new Map<string, { entries: number; bytes: number }>();
    for (const entry of [...this.#entries.values()]) {
      if (entry.expiresAtMs <= nowMs) {
        this.#remove(entry);
        continue;
      }
      const sum = found.get(entry.feature) ?? { entries: 0, bytes: 0 };
      sum.entries++;
      sum.bytes += entry.bytes;
      found.set(entry.feature, sum);
    }
    return Promise.resolve(found);
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#shrink();
  }

  #promote(entry: Entry): void {
    if (entry.isProtected) {
      this.#protected.delete(entry);
      this.#protected.add(entry);
      return;
    }
    this.#probation.delete(entry);
    this.#protected.add(entry);
    entry.isProtected = true;
    this.#protectedBytes += entry.bytes;
    for (const oldest of this.#protected) {
      if (this.#protectedBytes <= this.#maxBytes * PROTECTED_RATIO || oldest === entry) break;
      this.#protected.delete(oldest);
      this.#protectedBytes -= oldest.bytes;
      oldest.isProtected = false;
      this.#probation.add(oldest);
    }
  }

  #shrink(): void {
    for (const segment of [this.#probation, this.#protected]) {
      for (const entry of segment) {
        if (this.#bytes <= this.#maxBytes) return;
        this.#remove(entry);
        this.evictions++;
      }
    }
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#arena.release(entry.cell);
    for (const alias of entry.aliases) if (this.#aliases.get(alias) === entry.key) this.#aliases.delete(alias);
    this.#bytes -= entry.bytes;
    if (entry.isProtected) {
      this.#protected.delete(entry);
      this.#protectedBytes -= entry.bytes;
    } else this.#probation.delete(entry);
  }
}
