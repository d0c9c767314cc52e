import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createAnomalyService } from '../../src/costs/anomalies/service.ts';
import { type WatchState, watchCosts } from '../../src/costs/anomalies/watch.ts';
import type { Scope } from '../../src/kernel/scope.ts';
import { startEngine } from '../../src/stores/chdb/engine.ts';
import { type ClickHouseStores, openClickHouse } from '../../src/stores/clickhouse/open.ts';
import { type ControlStore, openControlStore } from '../../src/stores/sql/control-store.ts';
import type { CallSettled } from '../../src/traces/call-record.ts';
import { batchOf, sampleAttempt, sampleCall } from './ledger-sample-calls.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const scope: Scope = { organisationId: 'org-watch', environment: 'production' };
const START = Date.UTC(2026, 5, 1);
const DAYS = 22;
/** The hour in which a loop begins to run. */
const SPIKE = START + (DAYS - 1) * DAY + 14 * HOUR;
const ACTOR = { kind: 'cluster', id: 'cluster key', organisationId: 'org-watch', grants: ['*'] } as const;

/** A few calls an hour for two features, one of them young; in the end a runaway loop on a dear model. */
function calls(): CallSettled[] {
  const all: CallSettled[] = [];
  const add = (atMs: number, place: number, feature: string, model: string, cost: string): void => {
    const attempts = [sampleAttempt(`${feature}-${atMs}-${place}`, { costPicoUsd: cost, requestModel: model, responseModel: model })];
    all.push(sampleCall(`${feature}-${atMs}-${place}`, atMs + place * 1000, { ...scope, feature, attempts, costPicoUsd: cost }));
  };
  for (let hour = 0; hour < DAYS * 24 + 24; hour++) {
    const atMs = START + hour * HOUR;
    const count = 4 + ((hour * 7) % 3);
    for (let place = 0; place < count; place++) add(atMs, place, 'support', 'gpt-5-mini', `${1_000_000_000_000 + place * 1_000_000_000}`);
    if (hour > 18 * 24) add(atMs, 0, 'young', 'gpt-5-mini', '1000000000000');
    if (atMs >= SPIKE && atMs < SPIKE + 3 * HOUR)
      for (let place = 10; place < 40; place++) add(atMs, place, 'support', 'gpt-5-pro', '2000000000000');
  }
  return all;
}

describe('the hourly watch over costs, on the engine and a control store', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-watch-'));
  let engine: Awaited<ReturnType<typeof startEngine>>;
  let stores: ClickHouseStores;
  let control: ControlStore;
  let state: WatchState | null = null;

  before(async () => {
    const token = randomUUID();
    engine = await startEngine({ dataDir, token, port: 0 });
    stores = openClickHouse({ url: `http://127.0.0.1:${engine.port}`, token, database: 'plimsoll' });
    await stores.migrate();
    await stores.insertBatch(
      batchOf(
        'watch',
        calls().map((call) => ({ call })),
      ),
    );
    control = await openControlStore({ kind: 'sqlite', path: join(dataDir, 'control.db') });
  });
  after(async () => {
    await control?.close();
    await stores?.close();
    await engine?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const watchAt = (nowMs: number): Promise<number> =>
    watchCosts(scope, {
      costs: stores.costs,
      findPrice: async () => null,
      anomalies: control.anomalies,
      eventLog: control.eventLog,
      state: {
        get: async () => state,
        put: async (_, next) => {
          state = next;
        },
      },
      minimumUsd: 1,
      nowMs,
      onError: (thrown) => assert.fail(String(thrown)),
    });
  const service = (nowMs: number) =>
    createAnomalyService({
      store: control.anomalies,
      watchState: async () => state,
      minimumUsd: () => 1,
      nameOf: async () => 'Ada',
      nowMs: () => nowMs,
    });
  const list = (nowMs: number) => service(nowMs).list(scope, { state: null, key: null, cursor: null, limit: 10 });
  const events = () => control.eventLog.list(scope, { names: ['cost.anomaly_found'], subject: null, beforeId: null, limit: 10 });
  const late = 6 * 60_000;

  it('finds nothing in usual hours, and says who is too young to be judged', async () => {
    assert.equal(await watchAt(SPIKE + late), 0);
    const { anomalies, watch } = await list(SPIKE);
    assert.deepEqual(anomalies, []);
    assert.equal(watch.checkedTo, SPIKE);
    assert.deepEqual(
      watch.learning.map(({ dimension, key }) => [dimension, key]),
      [['feature', 'young']],
    );
    assert.equal(watch.learning[0]?.readyAt, START + (18 * 24 + 1) * HOUR + 15 * DAY + HOUR);
  });

  it('finds the loop in its first hour, once, as one anomaly and one event, with its cause', async () => {
    assert.equal(await watchAt(SPIKE + HOUR + late), 1);
    assert.equal(await watchAt(SPIKE + HOUR + 2 * late), 0, 'the same hour again');
    const { anomalies } = await list(SPIKE);
    assert.equal(anomalies.length, 1, 'the team and the models that show the same are folded into the feature');
    const [only] = anomalies;
    assert.ok(only);
    assert.deepEqual([only.dimension, only.key, only.detector, only.endedAt], ['feature', 'support', 'spike', null]);
    assert.ok(BigInt(only.observedPicoUsd) > 60_000_000_000_000n && BigInt(only.expectedPicoUsd) < 8_000_000_000_000n);
    const causes = only.causes;
    assert.ok(causes);
    assert.deepEqual(
      [causes.ranked[0]?.effect, causes.ranked[0]?.model, causes.ranked[0]?.feature],
      ['mix', 'openai/gpt-5-pro', 'support'],
    );
    assert.equal(
      Object.values(causes.effects).reduce((sum, pico) => sum + BigInt(pico), 0n),
      BigInt(causes.differencePicoUsd),
    );
    const [event, ...more] = await events();
    assert.ok(event && more.length === 0);
    assert.match(
      event.message,
      /^feature\/support cost \$6\d\.\d\d where \$\d\.\d\d is usual \(spike, .*Largest cause: mix of openai\/gpt-5-pro/,
    );
  });

  it('keeps one anomaly while it lasts, ends it when it is quiet, and catches up on the hours it missed', async () => {
    assert.equal(await watchAt(SPIKE + 3 * HOUR + late), 0);
    const before = (await list(SPIKE)).anomalies[0];
    assert.equal(before?.lastSeenAt, SPIKE + 3 * HOUR);
    // Ten hours of downtime.
    await watchAt(SPIKE + 13 * HOUR + late);
    assert.equal(state?.checkedToMs, SPIKE + 13 * HOUR);
    assert.equal((await events()).length, 1);
    assert.equal((await list(SPIKE)).anomalies.length, 1);
  });

  it('takes who said that it is expected, and mutes the series', async () => {
    const [only] = (await list(SPIKE)).anomalies;
    assert.ok(only);
    const handled = await service(SPIKE + DAY).handle(scope, only.id, { kind: 'expected', reason: 'load test', muteForMs: 5 * DAY }, ACTOR);
    assert.deepEqual(handled.handling, { kind: 'expected', reason: 'load test', by: 'Ada', at: SPIKE + DAY, mutedUntil: SPIKE + 6 * DAY });
    // Judged anew, as if control had lost its memory of the hours: the open one is extended, nothing new comes.
    state = state === null ? null : { ...state, checkedToMs: SPIKE };
    assert.equal(await watchAt(SPIKE + 2 * HOUR + late), 0);
    await assert.rejects(service(0).handle(scope, 'nobody', { kind: 'acknowledged', reason: 'x', muteForMs: null }, ACTOR), {
      code: 'not_found',
    });
    await assert.rejects(service(0).handle(scope, only.id, { kind: 'acknowledged', reason: 'x', muteForMs: 1 }, ACTOR), {
      code: 'invalid_argument',
    });
  });
});
