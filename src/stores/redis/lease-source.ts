import { Redis } from 'ioredis';
import type { LeaseAnswer, LeaseExchange, LeaseHolder, LeaseReport, LeaseSource } from '../../gateway/admission/lease-source.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { EXCHANGE_LEASE, READ_MEMORY } from './lease-scripts.ts';

/** Without a word for so long a gateway counts as dead. */
const LEASE_MS = 3_000;
/** A Redis that has lost what it knew lends nothing for this long: until every gateway has reported. */
const SETTLING_MS = 2_000;
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
type Answer = [granted: string, isContended: number, used: string, free: string, isForgotten: number, memory: string, settlingMs: string];

/** The scripts as methods: the client adds them at run time. */
interface Scripts {
  exchangeLease(...values: (string | number)[]): unknown;
  readMemory(...values: (string | number)[]): unknown;
}

function textOf(restored: LeaseReport['restored']): string {
  return restored === undefined ? '-' : restored.map(([ageMs, amount]) => `${Math.floor(ageMs)}:${Math.ceil(amount)}`).join(',');
}

/**
 * Limits kept together by the gateways that know one Redis (7 or newer). Two connections: one for exchanges, one that hears of what is asked back.
 * While Redis is away every exchange fails at once.
 */
export function openRedisLeaseSource({ url, holder, name = 'plimsoll', settlingMs = SETTLING_MS }: RedisLeaseSourceOptions): LeaseSource {
  const prefix = `{${name}:limits}`;
  const memoryKey = `${prefix}:memory`;
  const completeKey = `${prefix}:complete`;
  const heardKey = `${prefix}:heard`;
  const channel = `${name}:limits:recall:`;
  const options = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_MS,
    commandTimeout: ANSWER_MS,
    retryStrategy: (attempt: number) => Math.min(50 * attempt, 500),
  };
  const scripts = { exchangeLease: { lua: EXCHANGE_LEASE, numberOfKeys: 4 }, readMemory: { lua: READ_MEMORY, numberOfKeys: 4 } };
  const client = new Redis(url, { ...options, scripts });
  const listener = new Redis(url, { ...options, enableOfflineQueue: true, maxRetriesPerRequest: null });
  // A gateway that has just begun is not told that Redis is away while it still connects.
  let connecting: Promise<unknown> | null = Promise.race([
    new Promise((resolve) => client.once('ready', resolve)),
    new Promise((resolve) => setTimeout(resolve, CONNECT_MS).unref()),
  ]).finally(() => {
    connecting = null;
  });
  let recalled: (keys: readonly string[]) => void = () => {};
  let seq = 0;
  /** Of the server behind the connection; a Redis that was started again has another, also when it has kept its data on disk. */
  let runId: Promise<string> | null = null;
  client.on('close', () => {
    runId = null;
  });
  // What fails, fails at the exchange that needed it.
  client.on('error', () => {});
  listener.on('error', () => {});
  listener.on('message', (_channel: string, key: string) => recalled([key.slice(prefix.length + 1)]));
  listener.subscribe(`${channel}${holder.writer}`).catch(() => {});

  async function readRunId(): Promise<string> {
    runId ??= client.info('server').then((text) => /^run_id:(\w+)/m.exec(text)?.[1] ?? '');
    try {
      return await runId;
    } catch (thrown) {
      runId = null;
      throw thrown;
    }
  }

  function queue(pipeline: Scripts, report: LeaseReport, run: string): void {
    const { key, kind, capacity, windowMs, keepMs, used, inWindow, held, spare, want, least, ahead } = report;
    const numbers = [capacity, windowMs ?? 0, keepMs, used, inWindow, held, spare, want, least, ahead].map((value) => Math.round(value));
    pipeline.exchangeLease(
      `${prefix}:${key}`,
      memoryKey,
      completeKey,
      heardKey,
      holder.writer,
      holder.incarnation,
      seq,
      run,
      kind,
      ...numbers,
      LEASE_MS,
      settlingMs,
      channel,
      textOf(report.restored),
    );
  }

  /** @returns what each command of the pipeline answered */
  async function run(pipeline: ReturnType<Redis['pipeline']>): Promise<unknown[]> {
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, answer]) => {
      if (error !== null) throw error;
      return answer;
    });
  }

  async function exchange(reports: readonly LeaseReport[], isComplete: boolean): Promise<LeaseExchange> {
    const server = await readRunId();
    seq++;
    // Until all of it is heard nothing of an earlier process is given up.
    if (isComplete) await client.hdel(completeKey, holder.writer);
    const answers: LeaseAnswer[] = [];
    let sourceId = '';
    let settling = 0;
    for (let index = 0; index < reports.length; index += BATCH) {
      const batch = reports.slice(index, index + BATCH);
      const pipeline = client.pipeline();
      for (const report of batch) queue(pipeline as unknown as Scripts, report, server);
      for (const [at, answer] of (await run(pipeline)).entries()) {
        const [granted, isContended, used, free, isForgotten, memory, settlingLeft] = answer as Answer; // what the script returns
        sourceId = memory;
        settling = Number(settlingLeft);
        answers.push({
          key: batch[at]?.key ?? '',
          granted: Number(granted),
          isContended: isContended === 1,
          used: Number(used),
          free: Number(free),
          isForgotten: isForgotten === 1,
        });
      }
    }
    if (reports.length === 0)
      sourceId = (await (client as unknown as Scripts).readMemory(prefix, memoryKey, completeKey, heardKey, server, LEASE_MS)) as string; // what the script returns
    if (isComplete) await client.hset(completeKey, holder.writer, holder.incarnation);
    return { answers, sourceId, settlingMs: settling };
  }

  return {
    leaseMs: LEASE_MS,
    async exchange(reports, isComplete) {
      if (connecting !== null) await connecting;
      try {
        return await exchange(reports, isComplete);
      } catch (thrown) {
        throw new PlimsollError('store_unavailable', `Redis does not answer: ${(thrown as Error).message}`, { cause: thrown });
      }
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
