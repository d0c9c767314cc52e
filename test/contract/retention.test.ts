import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type RetentionConfig, retentionConfig } from '../../src/audit/retention/config.ts';
import { type BegunDeletion, type Deletion, enforceRetention, type RetentionMemory } from '../../src/audit/retention/enforce.ts';
import { planRetention } from '../../src/audit/retention/plan.ts';
import { reportRetention } from '../../src/audit/retention/report.ts';
import { DEFAULT_SCOPE as scope } from '../../src/kernel/scope.ts';
import { type Engine, startEngine } from '../../src/stores/chdb/engine.ts';
import { ClickHouseConnection } from '../../src/stores/clickhouse/client.ts';
import { type ClickHouseStores, openClickHouse } from '../../src/stores/clickhouse/open.ts';
import { AGING_TABLES } from '../../src/stores/clickhouse/retention.ts';
import type { CallSettled } from '../../src/traces/call-record.ts';
import { batchOf, sampleCall, samplePayload } from './ledger-sample-calls.ts';

const DAY = 86_400_000;
/** Not at midnight, and the days of two months behind it. */
const NOW = Date.UTC(2026, 10, 21, 22, 15);
const DAYS = 50;
const CALLS_A_DAY = 3;
/** Days old, of which the search is asked too: those beside the cuts. */
const SEARCHED = new Set([0, 7, 8, 20, 21, 30, 31, 50]);
const FEATURES = ['customer-support', 'legal', 'chat'] as const;
/** Longer than what is cut into parts, and the same in every call of a conversation on every day. */
const SHARED = 'The same instruction on each of fifty days, word for word, again and again. '.repeat(40);

interface Made {
  readonly call: CallSettled;
  readonly input: string;
  readonly output: string;
}

function madeCalls(): Made[] {
  const made: Made[] = [];
  for (let day = 0; day <= DAYS; day++)
    for (let place = 0; place < CALLS_A_DAY; place++) {
      const feature = FEATURES[place % FEATURES.length] ?? 'chat';
      // From midnight on: the first call of a day lies on its border.
      const startedAtMs = Math.floor(NOW / DAY) * DAY - day * DAY + place * 3_600_000;
      const call = sampleCall(`day ${day} call ${place}`, startedAtMs, { feature, tags: {} });
      const own = `needle${day}x${place} ${'what only this call says. '.repeat(20)}`;
      const messages = [
        { role: 'system', content: SHARED },
        { role: 'user', content: `${SHARED} first question` },
        { role: 'assistant', content: `${SHARED} first answer` },
        { role: 'user', content: own },
      ];
      made.push({
        call,
        input: JSON.stringify({ model: 'default', messages }),
        output: JSON.stringify([{ role: 'assistant', content: `${SHARED} ${own}` }]),
      });
    }
  return made;
}

function memoryOf(): RetentionMemory & { deletions: Deletion[]; open: BegunDeletion | null } {
  const memory = {
    deletions: [] as Deletion[],
    open: null as BegunDeletion | null,
    begun: async () => memory.open,
    begin: async (_scope: unknown, deletion: BegunDeletion) => {
      memory.open = deletion;
    },
    done: async (_scope: unknown, deletion: Deletion) => {
      memory.deletions.push(deletion);
      memory.open = null;
    },
  };
  return memory;
}

describe('retention in the trace store', { timeout: 600_000 }, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-retention-'));
  const token = randomUUID();
  const made = madeCalls();
  let engine: Engine;
  let stores: ClickHouseStores;
  let connection: ClickHouseConnection;

  async function open(): Promise<void> {
    engine = await startEngine({ dataDir, token, port: 0 });
    const options = { url: `http://127.0.0.1:${engine.port}`, token, database: 'plimsoll' };
    stores = openClickHouse(options);
    await stores.migrate();
    connection = new ClickHouseConnection(options, 'plimsoll');
  }
  async function close(): Promise<void> {
    await connection?.close();
    await stores?.close();
    await engine?.close();
  }
  before(async () => {
    await open();
    // A batch a day, the oldest first, as they came.
    for (let day = DAYS; day >= 0; day--) {
      const calls = made.slice(day * CALLS_A_DAY, (day + 1) * CALLS_A_DAY).map(({ call, input, output }) => ({
        call,
        payload: { ...samplePayload(call, '', ''), feature: call.feature, input, output },
      }));
      await stores.insertBatch(batchOf(`day ${day}`, calls));
    }
  });
  after(async () => {
    await close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const configOf = (input: object): RetentionConfig => retentionConfig.parse(input);
  const run = (config: RetentionConfig, memory = memoryOf(), signal = new AbortController().signal) =>
    enforceRetention(scope, { store: stores.retention, memory, config, nowMs: NOW, signal });
  const ageInDays = ({ call }: Made): number => Math.floor(NOW / DAY) - Math.floor(call.startedAtMs / DAY);
  const count = async (sql: string): Promise<number> =>
    Number((await connection.read<{ n: string }>(`SELECT count() AS n FROM ${sql}`, {}))[0]?.n);
  /** Of parts merged into one: what a merge that happens to come in between saves is nobody's deletion. */
  const bytesOf = async (...tables: string[]): Promise<number> => {
    for (const table of tables) await connection.command(`OPTIMIZE TABLE ${table} FINAL`);
    const [row] = await connection.read<{ n: string }>(
      'SELECT sum(bytes_on_disk) AS n FROM system.parts WHERE active AND table IN {tables:Array(String)}',
      { tables },
    );
    return Number(row?.n);
  };
  const costs = async () => ({
    totals: await stores.costs.totals(scope, { from: 0, to: NOW + DAY }),
    days: (await stores.traces.series(scope, { from: NOW - 60 * DAY, to: NOW + DAY, stepMs: DAY })).points.map(
      ({ costPicoUsd, requests }) => [costPicoUsd, requests],
    ),
    models: (await stores.traces.summary(scope, Math.floor(NOW / DAY) * DAY - 60 * DAY, Math.floor(NOW / DAY) * DAY + DAY, 'model')).groups,
  });
  const kept = (days: Readonly<Record<string, number>>, call: Made): boolean =>
    ageInDays(call) <= (days[call.call.feature] ?? days.other ?? 0);

  /** Every text that is young is there to the character; every other one is gone from wherever texts stand. */
  async function assertMessages(days: Readonly<Record<string, number>>): Promise<void> {
    for (const each of made) {
      const texts = await stores.traces.spanTexts(scope, each.call.traceId, each.call.spanId);
      const needle = /needle\d+x\d+/.exec(each.input)?.[0] ?? '';
      const found = SEARCHED.has(ageInDays(each))
        ? (await stores.traces.listTraces(scope, { q: needle, limit: 5 }, NOW)).traces.length
        : null;
      const name = `${each.call.feature}, ${ageInDays(each)} days old`;
      if (kept(days, each)) {
        assert.deepEqual([texts?.input, texts?.output, texts?.textsDeleted], [each.input, each.output, null], name);
        assert.ok(found === null || found === 1, name);
      } else {
        assert.deepEqual([texts?.input ?? null, texts?.output ?? null], [null, null], name);
        assert.ok(found === null || found === 0, name);
      }
    }
    const needles = await connection.read<{ text: string }>(
      "SELECT extract(text, 'needle[0-9]+x[0-9]+') AS text FROM text_parts WHERE text LIKE '%needle%'",
      {},
    );
    const words = await connection.read<{ text: string }>("SELECT extract(words, 'needle[0-9]+x[0-9]+') AS text FROM span_words", {});
    const expected = new Set(made.filter((each) => kept(days, each)).map(({ input }) => /needle\d+x\d+/.exec(input)?.[0]));
    for (const place of [needles, words]) assert.deepEqual(new Set(place.map(({ text }) => text)), expected);
  }

  it('knows every table that holds data', async () => {
    const tables = await connection.read<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations' ORDER BY name",
      {},
    );
    assert.deepEqual(
      tables.map(({ name }) => name),
      [...AGING_TABLES].sort(),
      'a new table belongs to a class of retention',
    );
  });

  it('says what would go, and deletes nothing by saying it', async () => {
    const config = configOf({ messages: 30, features: { legal: { messages: 'never' }, chat: { messages: 7 } } });
    const report = await reportRetention(scope, { store: stores.retention, config, nowMs: NOW, nextRunMs: null });
    const messages = report.classes.find(({ name }) => name === 'messages');
    assert.equal(messages?.rows, made.length);
    const due = made.filter((each) => !kept({ 'customer-support': 30, legal: 999, chat: 7 }, each)).length;
    assert.equal(messages?.due.rows, due);
    assert.equal(messages?.oldestAt, Math.min(...made.map(({ call }) => call.startedAtMs)));
    // The oldest that is kept of each rule is to go at the next midnight: those of chat and of customer-support alike.
    assert.equal(messages?.next?.at, Math.floor(NOW / DAY) * DAY + DAY);
    assert.equal(messages?.next?.rows, CALLS_A_DAY / FEATURES.length);
    const ledger = report.classes.find(({ name }) => name === 'ledger');
    assert.deepEqual([ledger?.rows, ledger?.due.rows, ledger?.keptDays], [made.length, 0, 2_555]);
    await assertMessages({ other: 999 });
  });

  it('deletes old messages by the rule of their feature, and no young one that shares texts with them', async () => {
    const texts = ['span_io', 'text_parts', 'span_words'];
    const [bytes, before] = [await bytesOf(...texts), await costs()];
    const memory = memoryOf();
    const config = configOf({ messages: 30, features: { legal: { messages: 'never' }, chat: { messages: 7 } } });
    await run(config, memory);
    await assertMessages({ 'customer-support': 30, legal: 999, chat: 7 });
    assert.ok((await bytesOf(...texts)) < bytes, 'less on disk');
    assert.deepEqual(await costs(), before);
    assert.equal(memory.deletions.length, 1);
    const [deletion] = memory.deletions;
    assert.deepEqual([deletion?.dataClass, deletion?.days, memory.open], ['messages', 30, null]);
    assert.ok((deletion?.bytesAfter ?? 0) < (deletion?.bytesBefore ?? 0));
    const gone = made.find((each) => each.call.feature === 'chat' && ageInDays(each) === 8);
    const detail = await stores.traces.getTrace(scope, gone?.call.traceId ?? '');
    const entry = detail?.spans.find(({ isEntry }) => isEntry);
    assert.deepEqual(entry?.textsDeleted, { afterDays: 7, by: 'retention.features.chat.messages' });
    assert.deepEqual([detail?.trace.costPicoUsd, detail?.trace.textsDeleted], ['45000000', entry?.textsDeleted]);
    const [listed] = (await stores.traces.listTraces(scope, { traceId: gone?.call.traceId, limit: 1 }, NOW)).traces;
    assert.deepEqual(listed?.textsDeleted, entry?.textsDeleted);
    assert.deepEqual(await run(config, memory), [], 'a second time there is nothing to do');
    assert.equal(memory.deletions.length, 1);
  });

  it('goes on where it was cut off, also when the engine was stopped, and tells of it once', async () => {
    const config = configOf({ messages: 20 });
    const memory = memoryOf();
    const stop = new AbortController();
    const begin = memory.begin;
    memory.begin = async (tenant, deletion) => {
      await begin(tenant, deletion);
      // It is issued, and nobody waits for its end.
      setImmediate(() => stop.abort());
    };
    await assert.rejects(run(config, memory, stop.signal), { name: 'AbortError' });
    assert.deepEqual([memory.deletions.length, memory.open?.dataClass], [0, 'messages']);
    await close();
    await open();
    memory.begin = begin;
    await run(config, memory);
    await assertMessages({ chat: 7, other: 20 });
    assert.deepEqual(
      memory.deletions.map(({ dataClass, rows }) => [dataClass, rows > 0]),
      [['messages', true]],
    );
    assert.equal(memory.open, null);
  });

  it('deletes old spans whole, and leaves what costs and dashboards are made of', async () => {
    const [before, bytes] = [await costs(), await bytesOf('spans', 'trace_index', 'session_days')];
    const ledger = await count('ledger');
    await run(configOf({ messages: 10, spans: 15 }));
    for (const each of made) {
      const detail = await stores.traces.getTrace(scope, each.call.traceId);
      assert.equal(detail !== null, ageInDays(each) <= 15, `${ageInDays(each)} days old`);
    }
    const listed = await stores.traces.listTraces(scope, { limit: 1_000 }, NOW);
    assert.equal(listed.traces.length, 16 * CALLS_A_DAY);
    assert.equal(await count('span_io'), 16 * CALLS_A_DAY);
    assert.equal(await count(`trace_index WHERE last_ns < ${BigInt(Math.floor(NOW / DAY) * DAY - 15 * DAY) * 1_000_000n}`), 0);
    assert.ok((await bytesOf('spans', 'trace_index', 'session_days')) < bytes, 'less on disk');
    assert.equal(await count('ledger'), ledger);
    const now = await costs();
    assert.deepEqual(now, before);
    await assertMessages({ chat: 7, other: 10 });
  });

  it('keeps the spans of a feature whose messages are held', async () => {
    await run(configOf({ messages: 3, spans: 5, features: { legal: { messages: 'never' } } }));
    for (const each of made.filter((one) => ageInDays(one) <= 15)) {
      const detail = await stores.traces.getTrace(scope, each.call.traceId);
      assert.equal(
        detail !== null,
        ageInDays(each) <= 5 || each.call.feature === 'legal',
        `${each.call.feature}, ${ageInDays(each)} days old`,
      );
    }
  });

  it('deletes the ledger, sums and scores in their own time only', async () => {
    const before = await costs();
    await run(configOf({ messages: 2, spans: 2, rollups: 40, ledger: 45 }));
    assert.equal(await count('ledger'), 46 * CALLS_A_DAY);
    const oldest = await connection.read<{ at: string }>('SELECT min(at_ms) AS at FROM rollup_1d', {});
    assert.equal(Number(oldest[0]?.at), Math.floor(NOW / DAY) * DAY - 40 * DAY);
    assert.ok(BigInt((await costs()).totals.costPicoUsd) < BigInt(before.totals.costPicoUsd));
    assert.equal(planRetention(configOf({}), NOW).length, 5);
  });
});
