import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { Call } from '../call.ts';
import type { SnapshotFeature } from '../snapshot.ts';
import { type AnswerCache, type CachedAnswer, type FeatureHoldings, isSelected } from './answer-cache.ts';
import { refusalByMessage, refusalToKeep } from './answer-policy.ts';
import { CacheCounters } from './cache-counters.ts';
import { scopeOf } from './cache-key.ts';
import { isSameAnswer } from './compare-answers.ts';
import { Flight } from './flight.ts';
import { completionOf } from './hub-answer.ts';
import { MemoryAnswerCache } from './memory-answer-cache.ts';
import { SemanticCache, type ShadowReport } from './semantic-cache.ts';
import { type CacheSettings, DEFAULT_CACHE_SETTINGS } from './settings.ts';

/** A store that failed this often in a row is left alone for a while: a call must not pay for it each time. */
const MAX_FAILURES = 5;
const PAUSE_MS = 1000;

/** What a gateway says of its cache. */
export interface CacheReport {
  readonly driver: 'memory' | 'redis';
  readonly features: readonly (FeatureHoldings & { readonly feature: string; readonly questions: number })[];
  /** Since the last report. */
  readonly shadow: readonly ShadowReport[];
}

/** What a purge is held against: an answer, or one that is on its way. */
interface Purgeable {
  readonly feature: string;
  readonly tags: readonly string[];
  readonly purgeSequence: number;
}

/**
 * A Map that is added to and deleted from all the time moves to a new table again and again, and the tables that it left behind keep what was in them
 * until the next full garbage collection: emptied, it is this and not a whole call.
 */
interface Berth {
  flight: Flight | null;
}

function isPurged(call: Call, { feature, tags, purgeSequence }: Purgeable): boolean {
  return call.snapshot.cache.purges.some((purge) => purge.sequence > purgeSequence && isSelected(purge, feature, tags));
}

/** The cache of one gateway: what is kept, what is on its way, and what both were good for. */
export class ResponseCache {
  readonly #flights = new Map<string, Berth>();
  readonly counters = new CacheCounters();
  readonly semantic = new SemanticCache();
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
  configure(settings: CacheSettings, features: Iterable<SnapshotFeature>): void {
    this.semantic.configure(features);
    this.#settings = settings;
    this.#store = settings.driver === 'redis' && this.#redis !== null ? this.#redis : this.#memory;
    this.#store.resize(settings.maxBytes);
    for (const purge of settings.purges) {
      if (purge.sequence <= this.#purged) continue;
      this.#purged = purge.sequence;
      // Answers of before are void by their sequence already: this gives their bytes back.
      this.#store.purge(purge, purge.sequence).catch(() => this.counters.storeFailures++);
    }
  }

  report(): CacheReport {
    const questions = this.semantic.sizes();
    const features = [...this.holdings()].map(([feature, holdings]) => ({ feature, ...holdings, questions: questions.get(feature) ?? 0 }));
    return { driver: this.#store.driver, features, shadow: this.semantic.takeReports() };
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
      !isPurged(call, answer)
    );
  }

  async #read(keys: readonly string[]): Promise<readonly (CachedAnswer | null)[]> {
    const store = this.#store;
    if (store === this.#memory) return keys.map((key) => this.#memory.find(key));
    const nothing = keys.map(() => null);
    if (this.#clock.monotonicMs() < this.#pausedUntilMs) return nothing;
    try {
      const answers = await this.#inTime(Promise.all(keys.map((key) => store.get(key))), store);
      this.#failures = 0;
      return answers;
    } catch {
      this.#noteFailure();
      return nothing;
    }
  }

  /** @throws what the work throws, or that it takes too long */
  async #inTime<T>(work: Promise<T>, store: AnswerCache): Promise<T> {
    if (store.driver === 'memory') return work;
    const { lookupTimeoutMs } = this.#settings;
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.setTimer(lookupTimeoutMs, () =>
      late.reject(new PlimsollError('store_unavailable', `The cache did not answer within ${lookupTimeoutMs} ms.`)),
    );
    try {
      return await Promise.race([work, late.promise]);
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

  /** An equal call that is on its way, or has just arrived, and whose answer this one may be given. */
  joinable(call: Call, key: string, maxAgeMs: number | null): Flight | null {
    const flight = this.#flights.get(key)?.flight ?? null;
    if (flight === null || !flight.isJoinable || isPurged(call, flight)) return null;
    const answer = flight.landing?.answer ?? null;
    return answer === null || this.#isValid(call, answer, this.#clock.nowMs(), maxAgeMs) ? flight : null;
  }

  /** The call asks a provider and its answer is kept. @param isShared equal calls may wait for it */
  lead(call: Call, key: string, isShared: boolean): void {
    const flight = new Flight(call, this.#settings.maxEntryBytes);
    call.flight = flight;
    if (isShared) this.#flights.set(key, { flight });
  }

  /** What the call is going to be answered with is not what its key stands for. */
  giveUp(call: Call): void {
    const { flight, cache } = call;
    if (flight === null || cache === null) return;
    call.flight = null;
    this.#release(cache.key, flight);
    cache.reason = 'answered by another model than the one that was asked for';
    flight.giveUp();
  }

  /** The call's stages are over: who waits for its answer hears of it. */
  land(call: Call): void {
    const { flight, cache } = call;
    if (flight === null || cache === null) return;
    flight.land(this.#clock.monotonicMs(), cache.settings.ttlMs);
  }

  /** After the client has its answer: counts, and keeps the answer where that is allowed. */
  finish(call: Call): void {
    const { flight, cache } = call;
    if (cache === null) return;
    this.counters.add(call.caller?.feature.name ?? '', cache, call.error === null);
    if (flight !== null) void this.#keep(call, flight).finally(() => this.#release(cache.key, flight));
  }

  #release(key: string | null, flight: Flight): void {
    const berth = key === null ? undefined : this.#flights.get(key);
    if (key === null || berth?.flight !== flight) return;
    berth.flight = null;
    this.#flights.delete(key);
  }

  async #keep(call: Call, flight: Flight): Promise<void> {
    const answer = flight.landing?.answer ?? null;
    const { cache } = call;
    if (answer === null || cache === null || cache.key === null || call.error !== null) return;
    // The key says where answers come from; this one comes from a cheaper route.
    if (call.downgradedFrom !== null) return;
    // It was passed on once, marked; it is not given again.
    if (call.outputValidation?.verdict === 'invalid') return;
    const counters = this.counters.of(answer.feature);
    const { semantic } = cache.settings;
    try {
      await cache.comparing;
      const { texts } = call;
      const known =
        texts === null || texts.isTruncated
          ? undefined
          : refusalByMessage(texts.messagesJson(), answer.origin.finishReasons, cache.settings);
      const refusal = known === undefined ? refusalToKeep(completionOf(answer), cache.settings) : known;
      // An answer that was cut says nothing about the kept one.
      if (semantic !== null && cache.shadow !== null && refusal !== 'truncated' && refusal !== 'incomplete') {
        const isSame = refusal === null && isSameAnswer(completionOf(cache.shadow), completionOf(answer), semantic.sameAnswerSimilarity);
        this.semantic.addComparison(answer.feature, semantic, isSame);
        counters.shadow[isSame ? 'same' : 'different']++;
      }
      if (refusal !== null) {
        counters.refused[refusal]++;
        return;
      }
      const store = this.#store;
      if (await this.#inTime(store.put(cache.key, answer, cache.nearKey === null ? [] : [cache.nearKey]), store)) {
        counters.kept++;
        if (semantic !== null && cache.question !== null) this.semantic.add(answer.feature, cache.question, cache.key, semantic);
      }
    } catch {
      this.counters.storeFailures++;
    }
  }
}
