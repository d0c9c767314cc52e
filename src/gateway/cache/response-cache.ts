import type { Clock } from '../../kernel/clock.ts';
import type { Call } from '../call.ts';
import type { AnswerCache, CachedAnswer, FeatureHoldings } from './answer-cache.ts';
import { refusalToKeep } from './answer-policy.ts';
import { CacheCounters } from './cache-counters.ts';
import { scopeOf } from './cache-key.ts';
import { Flight } from './flight.ts';
import { completionOf } from './hub-answer.ts';
import { MemoryAnswerCache } from './memory-answer-cache.ts';
import { type CacheSettings, DEFAULT_CACHE_SETTINGS, type PurgeSelector } from './settings.ts';

/** A store that failed this often in a row is left alone for a while: a call must not pay for it each time. */
const MAX_FAILURES = 5;
const PAUSE_MS = 1000;

function names({ feature, tag }: PurgeSelector, answer: CachedAnswer): boolean {
  return (feature === null || feature === answer.feature) && (tag === null || answer.tags.includes(tag));
}

/** The cache of one gateway: what is kept, what is on its way, and what both were good for. */
export class ResponseCache {
  readonly flights = new Map<string, Flight>();
  readonly counters = new CacheCounters();
  readonly #clock: Clock;
  readonly #memory: MemoryAnswerCache;
  readonly #redis: AnswerCache | null;
  #settings: CacheSettings = DEFAULT_CACHE_SETTINGS;
  #store: AnswerCache;
  #holdings: ReadonlyMap<string, FeatureHoldings> = new Map();
  #purged = 0;
  #failures = 0;
  #pausedUntilMs = 0;

  /** @param redis null = there is none; then everything is kept in memory whatever the settings say */
  constructor(clock: Clock, redis: AnswerCache | null) {
    this.#clock = clock;
    this.#memory = new MemoryAnswerCache(clock, this.#settings.maxBytes);
    this.#redis = redis;
    this.#store = this.#memory;
  }

  get store(): AnswerCache {
    return this.#store;
  }

  /** What is kept by feature, as of the last time that somebody looked: looking again takes a moment. */
  holdings(): ReadonlyMap<string, FeatureHoldings> {
    this.#store
      .holdings()
      .then((holdings) => {
        this.#holdings = holdings;
      })
      .catch(() => this.counters.storeFailures++);
    return this.#holdings;
  }

  /** Takes up a new snapshot's settings, and carries out the purges that it brings. */
  configure(settings: CacheSettings): void {
    this.#settings = settings;
    this.#store = settings.driver === 'redis' && this.#redis !== null ? this.#redis : this.#memory;
    this.#store.resize(settings.maxBytes);
    for (const purge of settings.purges) {
      if (purge.sequence <= this.#purged) continue;
      this.#purged = purge.sequence;
      // Answers of before are void by their sequence already: this gives their bytes back.
      this.#store.purge(purge).catch(() => this.counters.storeFailures++);
    }
  }

  /** The answers under the keys, each null where there is none that this call may be given. Never throws, never takes longer than its budget. */
  async find(call: Call, keys: readonly string[], maxAgeMs: number | null): Promise<(CachedAnswer | null)[]> {
    const found = await this.#read(keys);
    const nowMs = this.#clock.nowMs();
    return found.map((answer) => (answer !== null && this.#isValid(call, answer, nowMs, maxAgeMs) ? answer : null));
  }

  #isValid(call: Call, answer: CachedAnswer, nowMs: number, maxAgeMs: number | null): boolean {
    const { snapshot, caller } = call;
    return (
      answer.scope === scopeOf(snapshot.organisationId, snapshot.environment, caller?.feature.name ?? '') &&
      answer.expiresAtMs > nowMs &&
      (maxAgeMs === null || nowMs - answer.storedAtMs <= maxAgeMs) &&
      !snapshot.cache.purges.some((purge) => purge.sequence > answer.purgeSequence && names(purge, answer))
    );
  }

  async #read(keys: readonly string[]): Promise<readonly (CachedAnswer | null)[]> {
    const store = this.#store;
    const reads = Promise.all(keys.map((key) => store.get(key)));
    if (store.driver === 'memory') return reads;
    const nothing = keys.map(() => null);
    if (this.#clock.monotonicMs() < this.#pausedUntilMs) {
      reads.catch(() => {});
      return nothing;
    }
    const late = Promise.withResolvers<'late'>();
    const timer = this.#clock.setTimer(this.#settings.lookupTimeoutMs, () => late.resolve('late'));
    try {
      const answers = await Promise.race([reads, late.promise]);
      if (answers === 'late') {
        reads.catch(() => {});
        this.#noteFailure();
        return nothing;
      }
      this.#failures = 0;
      return answers;
    } catch {
      this.#noteFailure();
      return nothing;
    } finally {
      timer.cancel();
    }
  }

  #noteFailure(): void {
    this.counters.storeFailures++;
    if (++this.#failures < MAX_FAILURES) return;
    this.#failures = 0;
    this.#pausedUntilMs = this.#clock.monotonicMs() + PAUSE_MS;
  }

  /** The call asks a provider and its answer is kept. @param isShared equal calls may wait for it */
  lead(call: Call, key: string, isShared: boolean): void {
    const flight = new Flight(call, this.#settings.maxEntryBytes);
    call.flight = flight;
    if (isShared) this.flights.set(key, flight);
  }

  /** The call's stages are over: who waits for its answer hears of it. */
  land(call: Call): void {
    const { flight, cache } = call;
    if (flight === null || cache === null) return;
    const purgeSequence = call.snapshot.cache.purges.at(-1)?.sequence ?? 0;
    flight.land(this.#clock.monotonicMs(), cache.settings.ttlMs, purgeSequence);
  }

  /** After the client has its answer: counts, and keeps the answer where that is allowed. */
  finish(call: Call): void {
    const { flight, cache } = call;
    if (cache === null) return;
    this.counters.add(call.caller?.feature.name ?? '', cache, call.error === null);
    if (flight !== null) void this.#keep(call, flight).finally(() => this.#release(cache.key, flight));
  }

  #release(key: string | null, flight: Flight): void {
    if (key !== null && this.flights.get(key) === flight) this.flights.delete(key);
  }

  async #keep(call: Call, flight: Flight): Promise<void> {
    const answer = flight.landing?.answer ?? null;
    const { cache } = call;
    if (answer === null || cache === null || cache.key === null || call.error !== null) return;
    const counters = this.counters.of(answer.feature);
    try {
      const refusal = refusalToKeep(completionOf(answer), cache.settings);
      if (refusal !== null) {
        counters.refused[refusal]++;
        return;
      }
      if (await this.#store.put(cache.key, answer, cache.nearKey === null ? [] : [cache.nearKey])) counters.kept++;
    } catch {
      this.counters.storeFailures++;
    }
  }
}
