import { Redis } from 'ioredis';
import {
  LEASE_MS,
  type LeaseAnswer,
  type LeaseExchange,
  type LeaseHolder,
  type LeaseReport,
  type LeaseSource,
  SETTLING_MS,
} from '../../gateway/admission/lease-source.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { EXCHANGE_LEASE } from './lease-scripts.ts';

/** A Redis that is longer silent counts as away. */
const ANSWER_MS = 1_000;
const CONNECT_MS = 2_000;
/** Limits that one command line carries. */
const BATCH = 256;

export interface RedisLeaseSourceOptions {
  readonly url: string;
  readonly holder: LeaseHolder;
  /** Keeps several Plimsolls on one Redis apart. */
  readonly name?: string;
  /** After a loss of memory; shorter only in tests. */
  readonly settlingMs?: number;
}

/** What the script answers: integers as text. */
type Answer = [granted: string, isContended: number, used: string, free: string, sourceId: string, settlingMs: string];

function textOf(restored: LeaseReport['restored']): string {
  return (restored ?? []).map(([ageMs, amount]) => `${Math.round(ageMs)}:${Math.round(amount)}`).join(',');
}

/**
 * Limits kept together by the gateways that know one Redis (7 or newer). Two connections: one for exchanges, one that hears of what is asked back.
 * While Redis is away every exchange fails at once.
 */
export function openRedisLeaseSource({ url, holder, name = 'plimsoll', settlingMs = SETTLING_MS }: RedisLeaseSourceOptions): LeaseSource {
  const prefix = `{${name}:limits}`;
  const channel = `${name}:limits:recall:`;
  const options = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_MS,
    commandTimeout: ANSWER_MS,
    retryStrategy: (attempt: number) => Math.min(50 * attempt, 500),
  };
  const client = new Redis(url, { ...options, scripts: { exchangeLease: { lua: EXCHANGE_LEASE, numberOfKeys: 4 } } });
  const listener = new Redis(url, { ...options, enableOfflineQueue: true, maxRetriesPerRequest: null });
  // A gateway that has just begun is not told that Redis is away while it still connects.
  let connecting: Promise<unknown> | null = Promise.race([
    new Promise((resolve) => client.once('ready', resolve)),
    new Promise((resolve) => setTimeout(resolve, CONNECT_MS).unref()),
  ]).finally(() => {
    connecting = null;
  });
  let recalled: (keys: readonly string[]) => void = () => {};
  // What fails, fails at the exchange that needed it.
  client.on('error', () => {});
  listener.on('error', () => {});
  listener.on('message', (_channel: string, key: string) => recalled([key.slice(prefix.length + 1)]));
  listener.subscribe(`${channel}${holder.writer}`).catch(() => {});

  function queue(pipeline: ReturnType<Redis['pipeline']>, report: LeaseReport): void {
    const { key, kind, capacity, windowMs, keepMs, used, held, spare, want, least } = report;
    const numbers = [capacity, windowMs ?? 0, keepMs, used, held, spare, want, least].map((value) => Math.round(value));
    const entry = `${prefix}:${key}`;
    // The script as a method of the pipeline: the client adds it at run time.
    (pipeline as unknown as { exchangeLease(...values: (string | number)[]): void }).exchangeLease(
      entry,
      `${entry}\nsteps`,
      `${entry}\namounts`,
      `${prefix}:memory`,
      holder.writer,
      holder.incarnation,
      kind,
      ...numbers,
      LEASE_MS,
      settlingMs,
      channel,
      textOf(report.restored),
    );
  }

  async function exchangeSome(reports: readonly LeaseReport[]): Promise<Answer[]> {
    const pipeline = client.pipeline();
    for (const report of reports) queue(pipeline, report);
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, answer]) => {
      if (error !== null) throw new PlimsollError('store_unavailable', `Redis does not answer: ${error.message}`, { cause: error });
      return answer as Answer; // what the script returns
    });
  }

  return {
    async exchange(reports): Promise<LeaseExchange> {
      if (connecting !== null) await connecting;
      const answers: LeaseAnswer[] = [];
      let sourceId = '';
      let settling = 0;
      for (let index = 0; index < reports.length; index += BATCH) {
        const batch = reports.slice(index, index + BATCH);
        for (const [at, answer] of (await exchangeSome(batch)).entries()) {
          const [granted, isContended, used, free, id, settlingLeft] = answer;
          sourceId = id;
          settling = Number(settlingLeft);
          const key = batch[at]?.key ?? '';
          answers.push({ key, granted: Number(granted), isContended: isContended === 1, used: Number(used), free: Number(free) });
        }
      }
      return { answers, sourceId, settlingMs: settling };
    },
    onRecall(listen) {
      recalled = listen;
    },
    async close() {
      client.disconnect();
      listener.disconnect();
    },
  };
}
