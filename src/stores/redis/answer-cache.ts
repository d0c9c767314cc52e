import { Redis } from 'ioredis';
import {
  type AnswerCache,
  answerBytes,
  type CachedAnswer,
  decodeAnswer,
  encodeAnswer,
  type FeatureHoldings,
  isSelected,
} from '../../gateway/cache/answer-cache.ts';
import type { PurgeSelector } from '../../gateway/cache/settings.ts';
import type { Clock } from '../../kernel/clock.ts';
import { SCRIPTS } from './answer-cache-scripts.ts';

/** The scripts as methods, which the client adds at run time. */
interface Scripts {
  answerGetBuffer(prefix: string, id: string): Promise<Buffer | null>;
  answerPut(prefix: string, ...values: (string | number | Buffer)[]): Promise<number>;
  answerRemove(prefix: string, ...ids: string[]): Promise<number>;
}

interface Meta {
  readonly f: string;
  readonly b: number;
  readonly t: readonly string[];
  readonly a: readonly string[];
  /** Newest purge that was known. */
  readonly s: number;
}

const PURGE_BATCH = 500;

export interface RedisAnswerCacheOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly maxBytes: number;
  /** Keeps several Plimsolls on one Redis apart. */
  readonly name?: string;
}

export interface RedisAnswerCache extends AnswerCache {
  close(): void;
}

/**
 * Answers in Redis 7 or newer, shared by every gateway. A connection of its own, so that long answers hold nothing else up. While Redis is away
 * every call fails at once; the caller takes that for a miss.
 */
export function openRedisAnswerCache({ url, clock, maxBytes, name = 'plimsoll' }: RedisAnswerCacheOptions): RedisAnswerCache {
  const client = new Redis(url, {
    scripts: SCRIPTS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 2000,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1000),
  });
  // What fails, fails at the call that needed it.
  client.on('error', () => {});
  const scripts = client as unknown as Scripts; // defined by `scripts` above
  const prefix = `{${name}:answers}`;
  let most = maxBytes;
  let evictions = 0;

  return {
    driver: 'redis',
    async get(key) {
      const bytes = await scripts.answerGetBuffer(prefix, key);
      const answer = bytes === null ? null : decodeAnswer(bytes);
      return answer === null || answer.expiresAtMs <= clock.nowMs() ? null : answer;
    },
    async put(key, answer: CachedAnswer, aliases) {
      const nowMs = clock.nowMs();
      const ttlMs = answer.expiresAtMs - nowMs;
      if (ttlMs <= 0) return false;
      const bytes = answerBytes(answer) + aliases.length * 200;
      const meta: Meta = { f: answer.feature, b: bytes, t: answer.tags, a: aliases, s: answer.purgeSequence };
      // An empty list would come back from Lua as an object; it is only read there.
      const evicted = await scripts.answerPut(prefix, key, encodeAnswer(answer), bytes, ttlMs, nowMs, most, JSON.stringify(meta));
      if (evicted > 0) evictions += evicted;
      return evicted >= 0;
    },
    async purge(selector: PurgeSelector, sequence) {
      let removed = 0;
      let cursor = '0';
      do {
        const [next, found] = await client.hscan(`${prefix}:meta`, cursor, 'COUNT', PURGE_BATCH);
        cursor = next;
        const ids: string[] = [];
        for (let index = 0; index < found.length; index += 2) {
          const meta = JSON.parse(found[index + 1] ?? '') as Meta; // written by put
          if (meta.s < sequence && isSelected(selector, meta.f, meta.t)) ids.push(found[index] ?? '');
        }
        if (ids.length > 0) removed += await scripts.answerRemove(prefix, ...ids);
      } while (cursor !== '0');
      return removed;
    },
    async holdings() {
      const [counts, bytes] = await Promise.all([client.hgetall(`${prefix}:count`), client.hgetall(`${prefix}:bytes`)]);
      const found = new Map<string, FeatureHoldings>();
      for (const [feature, count] of Object.entries(counts))
        if (Number(count) > 0) found.set(feature, { entries: Number(count), bytes: Number(bytes[feature] ?? 0) });
      return found;
    },
    get evictions() {
      return evictions;
    },
    resize(bytes) {
      most = bytes;
    },
    close: () => client.disconnect(),
  };
}
