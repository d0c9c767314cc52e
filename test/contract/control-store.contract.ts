import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { CostAnomaly } from '../../src/costs/anomalies/model.ts';
import { issueStatement } from '../../src/costs/statements/statement.ts';
import type { FeatureSwitch } from '../../src/features/switch.ts';
import type { VirtualKey } from '../../src/identity/model.ts';
import { FakeClock } from '../../src/kernel/clock.ts';
import type { PlimsollError } from '../../src/kernel/errors.ts';
import { newUuidV7 } from '../../src/kernel/ids.ts';
import { type AuditEntry, DEFAULT_SCOPE, type Scope } from '../../src/kernel/scope.ts';
import { type ControlStore, openControlStore } from '../../src/stores/sql/control-store.ts';
import { MIGRATIONS, SCHEMA_VERSION } from '../../src/stores/sql/migrations.ts';
import type { ReplayItem, ReplayRun } from '../../src/traces/replay/model.ts';
import { createViewService } from '../../src/traces/views/service.ts';
import { FIXTURE_VERSIONS, fixture, type TestDatabase, type TestDriver } from './control-store-drivers.ts';

const SCOPE = DEFAULT_SCOPE;
const OTHER: Scope = { organisationId: 'default', environment: 'staging' };
const START_MS = Date.UTC(2026, 0, 5);
const ACTOR = { kind: 'admin_key', id: 'a', organisationId: 'default', grants: ['*'] } as const;

function virtualKey(changes: Partial<VirtualKey> = {}): VirtualKey {
  const id = changes.id ?? newUuidV7(START_MS);
  return {
    id,
    name: 'test',
    prefix: 'abcdefgh',
    hmac: `hmac of ${id}`,
    feature: null,
    team: null,
    models: null,
    createdAtMs: START_MS,
    createdBy: 'a',
    expiresAtMs: null,
    revokedAtMs: null,
    rotatedFrom: null,
    lastUsedAtMs: null,
    ...changes,
  };
}

function anomaly(changes: Partial<CostAnomaly> = {}): CostAnomaly {
  return {
    id: newUuidV7(START_MS),
    dimension: 'feature',
    key: 'support',
    detector: 'spike',
    fromMs: 1,
    toMs: 2,
    lastSeenMs: 2,
    endedAtMs: null,
    detectedAtMs: 3,
    observedPicoUsd: 2n ** 70n,
    expectedPicoUsd: 5n,
    score: 6.25,
    causes: null,
    handling: null,
    ...changes,
  };
}

function entry(action: string): AuditEntry {
  return { action, actor: ACTOR, subject: 'key/1', details: { list: ['ä', null], amount: 5 }, atMs: START_MS };
}

function featureSwitch(changes: Partial<FeatureSwitch> = {}): FeatureSwitch {
  return {
    id: newUuidV7(START_MS),
    feature: 'f',
    kind: 'pause',
    requestsPerSecond: null,
    shareRatio: null,
    reason: 'INC-1',
    setBy: { kind: 'admin_key', id: 'a', name: 'Ada' },
    setAtMs: START_MS,
    expiresAtMs: null,
    endedAtMs: null,
    endedBy: null,
    endReason: null,
    ...changes,
  };
}

function hasCode(code: string): (thrown: PlimsollError) => boolean {
  return (thrown) => {
    assert.equal(thrown.code, code, `${thrown.message}`);
    return true;
  };
}

export function controlStoreContract(driver: TestDriver): void {
  describe(`ControlStore contract: ${driver.kind}`, () => {
    const cleanups: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    });
    const database = async (): Promise<TestDatabase> => {
      const created = await driver.create();
      cleanups.push(() => created.remove());
      return created;
    };
    const open = async (on?: TestDatabase): Promise<ControlStore> => {
      const store = await openControlStore((on ?? (await database())).location, new FakeClock(START_MS));
      cleanups.push(() => store.close());
      return store;
    };

    it('keeps a key with every field, and integers as numbers', async () => {
      const store = await open();
      const full = virtualKey({
        feature: 'f',
        team: 't',
        models: ['m', 'ü"\\'],
        expiresAtMs: 8_640_000_000_000_000,
        revokedAtMs: 1,
        rotatedFrom: 'x',
        lastUsedAtMs: 0,
      });
      await store.keys.insert(SCOPE, full);
      assert.deepEqual(await store.keys.get(SCOPE, full.id), full);
      assert.equal(await store.keys.get(OTHER, full.id), null, 'another environment must not see it');
      assert.equal(await store.keys.get(SCOPE, 'unknown'), null);
    });

    it('keeps replays and their calls, moves them only from where they are, and lists newest first', async () => {
      const store = await open();
      const run = (id: string): ReplayRun => ({
        id,
        state: 'ready',
        reason: null,
        request: { source: { filter: { q: 'ü"\\' }, limit: 5 }, model: null, maxCostUsd: 0.1, concurrency: 1, starts: 'when-told' },
        requestedBy: 'a',
        requestedAtMs: START_MS,
        startedAtMs: null,
        endedAtMs: null,
        selected: 0,
        skipped: { 'a reason': 2 },
        estimatePicoUsd: '170141183460469231731687303715884105727',
        expectedPicoUsd: null,
      });
      for (const id of ['r1', 'r2', 'r3']) await store.replays.put(SCOPE, run(id));
      assert.deepEqual(await store.replays.get(SCOPE, 'r1'), run('r1'));
      assert.equal(await store.replays.get(OTHER, 'r1'), null);
      assert.deepEqual(
        (await store.replays.list(SCOPE, { beforeId: 'r3', limit: 5 })).map(({ id }) => id),
        ['r2', 'r1'],
      );
      const winners = await Promise.all(
        Array.from({ length: 8 }, () => store.replays.move(SCOPE, 'r1', ['ready'], 'running', null, START_MS + 1)),
      );
      assert.equal(winners.filter((moved) => moved !== null).length, 1, 'one of eight starts at once wins');
      assert.equal(await store.replays.move(OTHER, 'r1', ['running'], 'done', null, 1), null);
      const done = await store.replays.move(SCOPE, 'r1', ['running'], 'stopped', 'enough', START_MS + 2);
      assert.deepEqual(done, { ...run('r1'), state: 'stopped', reason: 'enough', startedAtMs: START_MS + 1, endedAtMs: START_MS + 2 });
      const item = (number: number, message: string | null) => ({ number, message }) as ReplayItem; // the store looks at the number only
      await store.replays.putItems(SCOPE, 'r1', [item(1, null), item(2, null), item(10, null)]);
      await store.replays.putItems(SCOPE, 'r1', [item(2, 'changed')]);
      assert.deepEqual(await store.replays.items(SCOPE, 'r1', { afterNumber: 1, limit: 5 }), [item(2, 'changed'), item(10, null)]);
      assert.deepEqual(await store.replays.items(OTHER, 'r1', { afterNumber: 0, limit: 5 }), []);
    });

    it('refuses a second key with the same id or HMAC, and takes it in another environment', async () => {
      const store = await open();
      const key = virtualKey();
      await store.keys.insert(SCOPE, key);
      await assert.rejects(store.keys.insert(SCOPE, { ...key, hmac: 'other' }), hasCode('conflict'));
      await assert.rejects(store.keys.insert(SCOPE, { ...key, id: 'other' }), hasCode('conflict'));
      await store.keys.insert(OTHER, key);
    });

    it('lists newest first, in pages, by bytes and not by the locale', async () => {
      const store = await open();
      const ids = ['B', 'a', 'C', 'b', '_', 'Z', 'é'];
      for (const id of ids) await store.keys.insert(SCOPE, virtualKey({ id }));
      const first = await store.keys.list(SCOPE, { feature: null, beforeId: null, limit: 4 });
      const second = await store.keys.list(SCOPE, { feature: null, beforeId: first.at(-1)?.id ?? null, limit: 4 });
      assert.deepEqual(
        [...first, ...second].map((key) => key.id),
        ['é', 'b', 'a', '_', 'Z', 'C', 'B'],
      );
    });

    it('revokes once: the earliest time stays, unknown is null, others are untouched', async () => {
      const store = await open();
      const [key, other] = [virtualKey(), virtualKey()];
      await store.keys.insert(SCOPE, key);
      await store.keys.insert(SCOPE, other);
      assert.equal((await store.keys.revoke(SCOPE, key.id, 500))?.revokedAtMs, 500);
      assert.equal((await store.keys.revoke(SCOPE, key.id, 900))?.revokedAtMs, 500);
      assert.equal((await store.keys.revoke(SCOPE, key.id, 100))?.revokedAtMs, 100);
      assert.equal(await store.keys.revoke(SCOPE, 'unknown', 1), null);
      assert.equal(await store.keys.revoke(OTHER, other.id, 1), null);
      assert.equal((await store.keys.get(SCOPE, other.id))?.revokedAtMs, null);
      assert.equal(await store.keys.supersede(SCOPE, key.id, 700), false);
      const winners = await Promise.all(Array.from({ length: 10 }, () => store.keys.supersede(SCOPE, other.id, 700)));
      assert.equal(winners.filter(Boolean).length, 1, 'one of ten rotations at once wins');
    });

    it('knows which keys work at a moment, by feature, and notes their last use', async () => {
      const store = await open();
      const working = virtualKey({ feature: 'f' });
      for (const key of [
        working,
        virtualKey({ feature: 'f', expiresAtMs: 1000 }),
        virtualKey({ feature: 'f', revokedAtMs: 1000 }),
        virtualKey(),
      ]) {
        await store.keys.insert(SCOPE, key);
      }
      await store.keys.insert(OTHER, virtualKey({ feature: 'f' }));
      assert.equal((await store.keys.listActive(SCOPE, 999)).length, 4);
      assert.equal((await store.keys.listActive(SCOPE, 1000)).length, 2);
      assert.deepEqual([...(await store.keys.countActiveByFeature(SCOPE, 999))], [['f', 3]]);
      assert.deepEqual([...(await store.keys.countActiveByFeature(SCOPE, 1000))], [['f', 1]]);
      await store.keys.recordUse(
        SCOPE,
        new Map([
          [working.id, 50],
          ['unknown', 9],
        ]),
      );
      await store.keys.recordUse(SCOPE, new Map([[working.id, 40]]));
      assert.equal((await store.keys.get(SCOPE, working.id))?.lastUsedAtMs, 50);
    });

    it('keeps admin keys and sessions', async () => {
      const store = await open();
      const key = { id: '1', name: 'n', prefix: 'p', hmac: 'h', createdAtMs: 1, revokedAtMs: null };
      await store.adminKeys.insert(SCOPE, key);
      assert.deepEqual(await store.adminKeys.findByHmac(SCOPE, 'h'), key);
      assert.equal(await store.adminKeys.findByHmac(OTHER, 'h'), null);
      assert.equal((await store.adminKeys.revoke(SCOPE, '1', 5))?.revokedAtMs, 5);
      assert.equal((await store.adminKeys.revoke(SCOPE, '1', 9))?.revokedAtMs, 5);
      assert.equal(await store.adminKeys.revoke(SCOPE, '2', 9), null);
      const session = { id: 's', tokenHmac: 't', adminKeyId: '1', adminKeyHmac: 'h', createdAtMs: 0, expiresAtMs: 100, endsAtMs: 300 };
      await store.sessions.insert(SCOPE, session);
      await store.sessions.extend(SCOPE, 's', 250);
      await store.sessions.extend(SCOPE, 's', 200);
      await store.sessions.extend(SCOPE, 's', 301);
      assert.deepEqual(
        await store.sessions.findByTokenHmac(SCOPE, 't'),
        { ...session, expiresAtMs: 250 },
        'only forward, and never past its end',
      );
      assert.equal(await store.sessions.prune(SCOPE, 250), 0);
      assert.equal(await store.sessions.prune(SCOPE, 251), 1);
      assert.equal(await store.sessions.remove(SCOPE, 's'), false);
    });

    it('commits all of a transaction or nothing', async () => {
      const store = await open();
      const key = virtualKey();
      await assert.rejects(
        store.transaction(async (tx) => {
          await tx.keys.insert(SCOPE, key);
          await tx.audit.record(SCOPE, entry('key.created'));
          await tx.settings.put(SCOPE, 'a', 1);
          assert.deepEqual(await tx.keys.get(SCOPE, key.id), key, 'it reads its own writes');
          throw new Error('second thoughts');
        }),
        /second thoughts/,
      );
      assert.equal(await store.keys.get(SCOPE, key.id), null);
      assert.deepEqual(await store.audit.list(SCOPE, { afterSequence: 0, limit: 10 }), []);
      assert.equal(await store.settings.get(SCOPE, 'a'), null);
      await store.transaction(async (tx) => {
        await tx.keys.insert(SCOPE, key);
        await tx.audit.record(SCOPE, entry('key.created'));
      });
      assert.notEqual(await store.keys.get(SCOPE, key.id), null);
      const [first] = await store.audit.list(SCOPE, { afterSequence: 0, limit: 10 });
      assert.deepEqual(first, { ...entry('key.created'), sequence: 1 }, 'the number of the rolled back entry is given again: no gap');
    });

    it('answers reads during a write transaction with the state before it', async () => {
      const store = await open();
      const key = virtualKey();
      await store.transaction(async (tx) => {
        await tx.keys.insert(SCOPE, key);
        assert.equal(await store.keys.get(SCOPE, key.id), null, 'not committed, so not seen');
        assert.deepEqual(await store.keys.list(SCOPE, { feature: null, beforeId: null, limit: 5 }), []);
        await new Promise((resolve) => setImmediate(resolve));
        assert.notEqual(await tx.keys.get(SCOPE, key.id), null);
      });
      assert.notEqual(await store.keys.get(SCOPE, key.id), null);
    });

    it('refuses a write past the open transaction instead of waiting for itself, and a store of a finished one', async () => {
      const store = await open();
      let escaped: ControlStore['settings'] | null = null;
      await store.transaction(async (tx) => {
        escaped = tx.settings;
        await assert.rejects(store.settings.put(SCOPE, 'a', 1), hasCode('internal'));
        await assert.rejects(
          store.transaction(async () => {}),
          hasCode('internal'),
        );
        await tx.settings.put(SCOPE, 'a', 2);
      });
      assert.equal(await store.settings.get(SCOPE, 'a'), 2);
      await assert.rejects(Promise.resolve((escaped as ControlStore['settings'] | null)?.put(SCOPE, 'a', 3)), hasCode('internal'));
      await store.settings.put(SCOPE, 'a', 4);
    });

    it('keeps interleaved transactions apart, also with awaits between their statements', async () => {
      const store = await open();
      await store.settings.put(SCOPE, 'counter', 0);
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          store.transaction(async (tx) => {
            const value = await tx.settings.increment(SCOPE, 'counter');
            await new Promise((resolve) => setImmediate(resolve));
            await tx.keys.insert(SCOPE, virtualKey({ id: `key ${value}`, hmac: `hmac ${index}` }));
            if (index % 4 === 3) throw new Error('rolled back');
            return value;
          }),
        ),
      );
      const values = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      assert.equal(values.length, 15);
      assert.deepEqual(
        values.sort((a, b) => a - b),
        Array.from({ length: 15 }, (_, index) => index + 1),
        'rolled back numbers are given again',
      );
      assert.equal((await store.keys.list(SCOPE, { feature: null, beforeId: null, limit: 100 })).length, 15);
    });

    it('gives 20 racing writers the numbers 1..20, on two stores at once', async () => {
      const on = await database();
      const [one, two] = [await open(on), await open(on)];
      const numbers = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : two).settings.nextEpoch(SCOPE)));
      assert.deepEqual(
        numbers.sort((a, b) => a - b),
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
      await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : two).audit.record(SCOPE, entry(`a.b${index}`))));
      const entries = await two.audit.list(SCOPE, { afterSequence: 0, limit: 100 });
      assert.deepEqual(
        entries.map(({ sequence }) => sequence),
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
      assert.equal(new Set(entries.map(({ action }) => action)).size, 20);
      assert.deepEqual(
        (await one.audit.list(SCOPE, { afterSequence: 5, limit: 2 })).map(({ sequence }) => sequence),
        [6, 7],
      );
      assert.deepEqual(await one.audit.list(OTHER, { afterSequence: 0, limit: 2 }), []);
    });

    it('gives audit sequences in the order of commit: a reader that follows them misses nothing', async () => {
      const store = await open();
      const seen: number[] = [];
      let isWriting = true;
      const follow = async () => {
        let last = 0;
        while (isWriting || (await store.audit.list(SCOPE, { afterSequence: last, limit: 1 })).length > 0) {
          for (const { sequence } of await store.audit.list(SCOPE, { afterSequence: last, limit: 100 })) {
            seen.push(sequence);
            last = sequence;
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const following = follow();
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          store.transaction(async (tx) => {
            await tx.audit.record(SCOPE, entry('a.b'));
            for (let turn = 0; turn < index % 5; turn++) await new Promise((resolve) => setImmediate(resolve));
          }),
        ),
      );
      isWriting = false;
      await following;
      assert.deepEqual(
        seen,
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
    });

    it('keeps saved views: shared ones for everybody, private ones for their owner, each name once', async () => {
      const store = await open();
      const clock = new FakeClock(START_MS);
      const views = createViewService({ store: store.views, nameOf: async (_scope, { id }) => `name of ${id}`, clock });
      const [ada, bob] = ['a', 'b'].map((id) => ({ ...ACTOR, id }));
      assert.ok(ada && bob);
      const draft = { name: 'Errors ü', query: '?status=error&range=7d', isShared: false };
      const mine = await views.create(SCOPE, 'traces', draft, ada);
      assert.deepEqual(mine, {
        id: mine.id,
        page: 'traces',
        name: 'Errors ü',
        query: 'range=7d&status=error',
        isShared: false,
        isMine: true,
        owner: 'name of a',
        createdAt: START_MS,
        updatedAt: START_MS,
      });
      assert.deepEqual(await views.list(SCOPE, 'traces', ada), [mine]);
      assert.deepEqual(await views.list(SCOPE, 'sessions', ada), []);
      assert.deepEqual(await views.list(SCOPE, null, bob), [], "a private view is its owner's");
      assert.deepEqual(await views.list(OTHER, null, ada), [], 'another environment must not see it');
      await assert.rejects(views.change(SCOPE, mine.id, draft, bob), hasCode('not_found'));
      await assert.rejects(views.remove(SCOPE, mine.id, bob), hasCode('not_found'));
      await assert.rejects(views.create(SCOPE, 'traces', draft, ada), hasCode('conflict'));
      // The same name is free for somebody else, among the shared ones and on another page.
      const hers = await views.create(SCOPE, 'traces', { ...draft, isShared: true }, ada);
      const his = await views.create(SCOPE, 'traces', draft, bob);
      await views.create(SCOPE, 'sessions', { ...draft, query: 'user=u' }, ada);
      assert.deepEqual(
        (await views.list(SCOPE, 'traces', bob)).map(({ id, isMine }) => [id, isMine]).sort(),
        [
          [hers.id, false],
          [his.id, true],
        ].sort(),
      );
      await clock.advance(5);
      const changed = await views.change(SCOPE, hers.id, { name: 'B', query: 'feature=f', isShared: true }, bob);
      assert.deepEqual(
        [changed.name, changed.query, changed.owner, changed.createdAt, changed.updatedAt],
        ['B', 'feature=f', 'name of a', START_MS, START_MS + 5],
      );
      await assert.rejects(views.change(SCOPE, hers.id, { name: 'B', query: '', isShared: false }, bob), hasCode('invalid_argument'));
      assert.equal((await views.change(SCOPE, hers.id, { name: 'B', query: '', isShared: false }, ada)).isShared, false);
      await views.remove(SCOPE, his.id, bob);
      await assert.rejects(views.remove(SCOPE, his.id, bob), hasCode('not_found'));
      // What two who race write past each other's look: the database keeps one.
      const stored = await store.views.get(SCOPE, mine.id);
      assert.ok(stored);
      await assert.rejects(store.views.put(SCOPE, { ...stored, id: newUuidV7(START_MS) }), hasCode('conflict'));
    });

    it('keeps settings of any JSON, and the first of several first values', async () => {
      const store = await open();
      for (const value of [0, '', false, null, [1, { a: 'ß' }], 1.5, '\u{1f6a2}']) {
        await store.settings.put(SCOPE, 'k', value);
        assert.deepEqual(await store.settings.get(SCOPE, 'k'), value);
      }
      assert.equal(await store.settings.get(OTHER, 'k'), null);
      await assert.rejects(store.settings.put(SCOPE, 'k', undefined), hasCode('invalid_argument'));
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => store.settings.putIfAbsent(SCOPE, 'pepper', `value ${index}`)),
      );
      assert.equal(new Set(answers).size, 1, 'every racer gets the value of the first');
      assert.equal(await store.settings.get(SCOPE, 'pepper'), answers[0]);
    });

    it('moves ingest cursors by begin and commit only, one batch at a time', async () => {
      const store = await open();
      const { cursors } = store;
      const [a, b, c] = [
        { segment: 1, offset: 0 },
        { segment: 1, offset: 500 },
        { segment: 2, offset: 10 },
      ];
      assert.deepEqual(await cursors.read(SCOPE, 'traces'), []);
      await assert.rejects(cursors.commit(SCOPE, 'traces', 'w'), hasCode('conflict'));
      await assert.rejects(cursors.begin(SCOPE, 'traces', 'w', a, a, 't'), hasCode('invalid_argument'));
      await assert.rejects(cursors.begin(SCOPE, 'traces', 'w', c, b, 't'), hasCode('invalid_argument'));
      await cursors.begin(SCOPE, 'traces', 'w', a, b, 't1');
      await cursors.begin(SCOPE, 'traces', 'w', a, b, 't1');
      await assert.rejects(cursors.begin(SCOPE, 'traces', 'w', a, c, 't2'), hasCode('conflict'));
      assert.deepEqual(await cursors.read(SCOPE, 'traces'), [{ writer: 'w', committed: a, pending: { end: b, token: 't1' } }]);
      assert.deepEqual(await cursors.commit(SCOPE, 'traces', 'w'), b);
      await assert.rejects(cursors.commit(SCOPE, 'traces', 'w'), hasCode('conflict'));
      await assert.rejects(cursors.begin(SCOPE, 'traces', 'w', a, c, 't3'), hasCode('conflict'), 'it must begin where the last one ended');
      await cursors.begin(SCOPE, 'traces', 'w', b, c, 't3');
      await cursors.begin(SCOPE, 'ledger', 'w', a, c, 'l1');
      await cursors.begin(SCOPE, 'traces', 'v', a, c, 'v1');
      assert.deepEqual(
        (await cursors.read(SCOPE, 'traces')).map(({ writer }) => writer),
        ['v', 'w'],
      );
      assert.deepEqual(await cursors.read(OTHER, 'traces'), []);
      const racers = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) => cursors.begin(SCOPE, 'traces', 'race', a, { segment: 1, offset: index + 1 }, `t${index}`)),
      );
      assert.equal(racers.filter(({ status }) => status === 'fulfilled').length, 1, 'one of 20 batches is begun');
    });

    it('holds everything over a reopen', async () => {
      const on = await database();
      const store = await openControlStore(on.location);
      const key = virtualKey();
      await store.keys.insert(SCOPE, key);
      await store.settings.nextEpoch(SCOPE);
      await store.close();
      const again = await open(on);
      assert.deepEqual(await again.keys.get(SCOPE, key.id), key);
      assert.equal(await again.settings.nextEpoch(SCOPE), 2);
      const status = await again.status();
      assert.equal(status.kind, driver.kind);
      assert.equal(status.schemaVersion, SCHEMA_VERSION);
      assert.match(status.version, /^\d+\.\d+/);
    });

    it('keeps one open switch per feature, ends the one before it, and closes what has expired at its expiry', async () => {
      const store = await open();
      const { featureSwitches } = store;
      const first = featureSwitch({ id: 'a', expiresAtMs: START_MS + 1000 });
      assert.equal(await featureSwitches.set(SCOPE, first), null);
      assert.deepEqual(await featureSwitches.inForce(SCOPE, START_MS + 999), [first]);
      assert.deepEqual(await featureSwitches.inForce(SCOPE, START_MS + 1000), []);
      assert.deepEqual(await featureSwitches.inForce(OTHER, START_MS), []);
      const throttle = { kind: 'throttle' as const, requestsPerSecond: 0.25, shareRatio: null, reason: 'ß"\\' };
      const second = featureSwitch({ id: 'b', ...throttle, setAtMs: START_MS + 500 });
      assert.deepEqual(await featureSwitches.set(SCOPE, second), {
        ...first,
        endedAtMs: START_MS + 500,
        endedBy: 'Ada',
        endReason: 'replaced',
      });
      assert.deepEqual(await featureSwitches.inForce(SCOPE, START_MS + 500), [second]);
      const end = { atMs: START_MS + 600, by: 'Bob', reason: null };
      assert.equal((await featureSwitches.end(SCOPE, 'f', end))?.endedBy, 'Bob');
      assert.equal(await featureSwitches.end(SCOPE, 'f', end), null);
      const third = featureSwitch({ id: 'c', expiresAtMs: START_MS + 700, setAtMs: START_MS + 650 });
      await featureSwitches.set(SCOPE, third);
      await featureSwitches.set(SCOPE, featureSwitch({ id: 'd', feature: 'g' }));
      assert.equal(await featureSwitches.end(SCOPE, 'f', { ...end, atMs: START_MS + 900 }), null, 'it had expired before');
      assert.equal((await featureSwitches.list(SCOPE, 'f', { beforeId: null, limit: 1 }))[0]?.endedAtMs, START_MS + 700);
      await featureSwitches.set(SCOPE, featureSwitch({ id: 'e', expiresAtMs: START_MS + 1000 }));
      assert.deepEqual(await featureSwitches.endExpired(SCOPE, START_MS + 999), []);
      const closers = await Promise.all([1, 2, 3].map(() => featureSwitches.endExpired(SCOPE, START_MS + 5000)));
      assert.deepEqual(
        closers.flat().map(({ id, endedAtMs }) => [id, endedAtMs]),
        [['e', START_MS + 1000]],
      );
      assert.deepEqual(
        (await featureSwitches.list(SCOPE, 'f', { beforeId: 'c', limit: 9 })).map(({ id }) => id),
        ['b', 'a'],
      );
      const racers = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) => featureSwitches.set(SCOPE, featureSwitch({ id: `r${index}`, feature: 'race' }))),
      );
      assert.ok(racers.some(({ status }) => status === 'fulfilled'));
      assert.equal((await featureSwitches.inForce(SCOPE, START_MS)).filter(({ feature }) => feature === 'race').length, 1);
    });

    it('logs events newest first, once per key', async () => {
      const store = await open();
      const event = (name: string, atMs: number) => ({
        name,
        subject: `feature/${name}`,
        severity: 'warning' as const,
        message: 'ü',
        details: { n: null },
        atMs,
      });
      assert.equal(await store.eventLog.append(SCOPE, event('a.b', 1), 'k'), true);
      assert.equal(await store.eventLog.append(SCOPE, event('a.c', 2), 'k'), false);
      assert.equal(await store.eventLog.append(OTHER, event('a.d', 2), 'k'), true);
      assert.equal(await store.eventLog.append(SCOPE, event('a.e', 3)), true);
      const all = { names: null, subject: null, beforeId: null, limit: 9 };
      const [second, first] = await store.eventLog.list(SCOPE, all);
      assert.deepEqual({ ...first, id: '' }, { ...event('a.b', 1), id: '' });
      assert.deepEqual((await store.eventLog.list(SCOPE, { ...all, beforeId: second?.id ?? null })).length, 1);
      assert.equal((await store.eventLog.list(SCOPE, { ...all, subject: 'feature/a.e' })).length, 1);
      assert.equal((await store.eventLog.list(SCOPE, { ...all, names: ['a.x'] })).length, 0);
      assert.equal((await store.eventLog.list(SCOPE, { ...all, names: ['a.x', 'a.b', 'a.e'] })).length, 2);
      const racers = await Promise.all(Array.from({ length: 10 }, () => store.eventLog.append(SCOPE, event('a.r', 4), 'race')));
      assert.equal(racers.filter(Boolean).length, 1);
      assert.equal(await store.eventLog.prune(SCOPE, 3), 1);
    });

    it('migrates the data of schema version 1', async () => {
      const on = await database();
      await on.execute(fixture(driver.kind));
      const store = await open(on);
      assert.deepEqual(
        (await on.query('SELECT version FROM schema_migrations ORDER BY version')).map((row) => Number(row.version)),
        MIGRATIONS.map(({ version }) => version),
      );
      const [revoked, key] = await store.keys.list(SCOPE, { feature: null, beforeId: null, limit: 10 });
      assert.deepEqual(key?.models, ['default', 'gpt-5-mini']);
      assert.deepEqual([key?.lastUsedAtMs, key?.rotatedFrom, key?.expiresAtMs], [null, null, 1893456000000]);
      assert.equal(revoked?.revokedAtMs, 1767312000000);
      await store.keys.recordUse(SCOPE, new Map([[key?.id ?? '', 5]]));
      assert.equal((await store.keys.get(SCOPE, key?.id ?? ''))?.lastUsedAtMs, 5);
      assert.equal((await store.adminKeys.list(SCOPE)).length, 1);
      assert.equal((await store.sessions.findByTokenHmac(SCOPE, 'd4'.repeat(32)))?.endsAtMs, 1767830400000);
      assert.equal(await store.settings.nextEpoch(SCOPE), 42);
      assert.equal(await store.cursors.commit(SCOPE, 'traces', 'gateway-1').then(({ offset }) => offset), 8192);
      assert.equal((await store.jobs.get(SCOPE, 'prune'))?.nextRunAtMs, 1767322800000);
      await store.audit.record(SCOPE, entry('a.b'));
      assert.deepEqual(
        (await store.audit.list(SCOPE, { afterSequence: 0, limit: 9 })).map(({ sequence }) => sequence),
        [1, 2],
      );
    });

    it('migrates the data of schema version 2', async () => {
      const on = await database();
      await on.execute(fixture(driver.kind, 2));
      const store = await open(on);
      const [rotated, key] = await store.keys.list(SCOPE, { feature: null, beforeId: null, limit: 10 });
      assert.deepEqual([key?.lastUsedAtMs, rotated?.rotatedFrom], [1767225700000, key?.id]);
      assert.deepEqual(await store.featureSwitches.inForce(SCOPE, START_MS), []);
      assert.equal(await store.featureSwitches.set(SCOPE, featureSwitch()), null);
    });

    it('migrates the data of schema version 3', async () => {
      const on = await database();
      await on.execute(fixture(driver.kind, 3));
      const store = await open(on);
      assert.equal((await store.eventLog.list(SCOPE, { names: null, subject: null, beforeId: null, limit: 5 })).length, 1);
      assert.equal(await store.anomalies.insert(SCOPE, anomaly()), true);
    });

    it('migrates the data of schema versions 4 to 7', async () => {
      for (const version of [4, 5, 6, 7] as const) {
        const on = await database();
        await on.execute(fixture(driver.kind, version));
        const store = await open(on);
        assert.equal((await store.eventLog.list(SCOPE, { names: null, subject: null, beforeId: null, limit: 5 })).length, 1);
        const [found, ...others] = await store.anomalies.since(SCOPE, 0);
        assert.equal(others.length, 0);
        if (version === 4) assert.equal(found, undefined);
        else {
          assert.deepEqual([found?.observedPicoUsd, found?.handling?.by, found?.endedAtMs], [2n ** 70n, 'Ada', null]);
          assert.equal(
            await store.anomalies.insert(SCOPE, anomaly({ dimension: 'feature', key: 'support', detector: 'spike' })),
            false,
            'it is open still',
          );
        }
        await store.statements.append(SCOPE, issueStatement('2026-10', [], null, { atMs: 5, by: 'Ada', reason: null }, null));
        const [, old] = await store.statements.list(SCOPE, 5);
        assert.deepEqual([old?.totalPicoUsd, old?.allocation], version === 7 ? ['7', null] : [undefined, undefined]);
      }
    });

    it('keeps one open anomaly of a series and detector, whoever races, and what people said of it', async () => {
      const store = await open(await database());
      const racers = await Promise.all([1, 2, 3].map((at) => store.anomalies.insert(SCOPE, anomaly({ id: newUuidV7(START_MS + at) }))));
      assert.equal(racers.filter(Boolean).length, 1);
      assert.equal(await store.anomalies.insert(OTHER, anomaly()), true, 'another environment has its own');
      const [first] = await store.anomalies.since(SCOPE, 0);
      assert.ok(first);
      assert.equal(first.observedPicoUsd, 2n ** 70n, 'sums beyond 64 bits');
      const handling = { kind: 'expected', reason: 'launch', by: 'Ada', atMs: 5, mutedUntilMs: START_MS } as const;
      assert.deepEqual((await store.anomalies.handle(SCOPE, first.id, handling))?.handling, handling);
      await store.anomalies.update(SCOPE, { ...first, endedAtMs: 9, score: 7.5 });
      const ended = await store.anomalies.list(SCOPE, { state: 'ended', key: 'support', beforeId: null, limit: 5 });
      assert.deepEqual(ended, [{ ...first, endedAtMs: 9, score: 7.5, handling }], 'an update leaves what people said');
      assert.equal(
        await store.anomalies.insert(SCOPE, anomaly({ id: newUuidV7(START_MS + 9) })),
        true,
        'ended ones do not stand in the way',
      );
      assert.deepEqual((await store.anomalies.list(SCOPE, { state: 'open', key: null, beforeId: null, limit: 5 })).length, 1);
      assert.equal((await store.anomalies.since(SCOPE, START_MS)).length, 2, 'the open one, and the one that mutes');
      assert.equal(await store.anomalies.handle(OTHER, first.id, handling), null);
    });

    it('keeps statements as they were issued, one of each version', async () => {
      const store = await open(await database());
      const one = issueStatement('2026-10', [], null, { atMs: 5, by: 'Ada', reason: null }, null);
      const two = issueStatement('2026-10', [], one, { atMs: 6, by: 'Ada', reason: 'again' }, null);
      await store.statements.append(SCOPE, one);
      await store.statements.append(SCOPE, two);
      await assert.rejects(store.statements.append(SCOPE, { ...one, issuedBy: 'Eve' }), hasCode('conflict'));
      assert.deepEqual(await store.statements.get(SCOPE, '2026-10', 1), one);
      assert.deepEqual(await store.statements.get(SCOPE, '2026-10', null), two);
      assert.equal(await store.statements.get(OTHER, '2026-10', null), null);
      assert.deepEqual(await store.statements.list(SCOPE, 5), [two, one]);
    });

    it('keeps invoices, the same file once', async () => {
      const store = await open(await database());
      const invoice = {
        id: newUuidV7(START_MS),
        name: 'october.csv',
        format: 'generic' as const,
        providers: ['openai'],
        importedAtMs: 7,
        importedBy: 'Ada',
        contentHash: 'ab',
        roundedRows: 1,
        lines: [{ day: '2026-10-01', model: 'm', picoUsd: -(2n ** 80n) }],
      };
      assert.equal(await store.invoices.insert(SCOPE, invoice), true);
      assert.equal(await store.invoices.insert(SCOPE, { ...invoice, id: newUuidV7(START_MS + 1) }), false);
      assert.equal(await store.invoices.insert(OTHER, invoice), true);
      assert.deepEqual(await store.invoices.get(SCOPE, invoice.id), invoice);
      assert.deepEqual(await store.invoices.list(SCOPE, 5), [invoice]);
      assert.equal(await store.invoices.remove(SCOPE, invoice.id), true);
      assert.equal(await store.invoices.remove(SCOPE, invoice.id), false);
    });

    it('has the same schema after a migration as when it is new', async () => {
      const columns = async (on: TestDatabase): Promise<string[]> => {
        const rows = await on.query(
          driver.kind === 'sqlite'
            ? `SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || c.pk AS line FROM sqlite_master m JOIN pragma_table_info(m.name) c
               WHERE m.type = 'table' UNION ALL SELECT 'index ' || name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE type = 'index'`
            : `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(collation_name, '') AS line
               FROM information_schema.columns WHERE table_schema = current_schema()
               UNION ALL SELECT 'index ' || replace(indexdef, current_schema(), '') FROM pg_indexes WHERE schemaname = current_schema()`,
        );
        return rows.map(({ line }) => String(line).replaceAll(/\s+/g, ' ')).sort();
      };
      const fresh = await database();
      await open(fresh);
      const expected = await columns(fresh);
      assert.ok(expected.length > 60, `${expected.length} lines`);
      for (const version of FIXTURE_VERSIONS) {
        const old = await database();
        await old.execute(fixture(driver.kind, version));
        await open(old);
        assert.deepEqual(await columns(old), expected, `a released migration was edited, or the fixture of ${version} is not what it says`);
      }
    });

    it('refuses data newer than the code with both versions, and changes nothing', async () => {
      const on = await database();
      await (await openControlStore(on.location)).close();
      await on.execute(`INSERT INTO schema_migrations VALUES (${SCHEMA_VERSION + 1}, 'from the future', 0)`);
      await assert.rejects(openControlStore(on.location), (thrown: PlimsollError) => {
        assert.equal(thrown.code, 'data_newer_than_code');
        assert.deepEqual(thrown.details, { dataVersion: SCHEMA_VERSION + 1, codeVersion: SCHEMA_VERSION });
        assert.match(thrown.message, new RegExp(`version ${SCHEMA_VERSION + 1}.*up to ${SCHEMA_VERSION}`));
        return true;
      });
    });

    it('leaves the old schema whole when a migration fails', async () => {
      const on = await database();
      await on.execute(fixture(driver.kind));
      await on.execute('ALTER TABLE virtual_keys ADD COLUMN last_used_at_ms bigint');
      await assert.rejects(openControlStore(on.location), hasCode('migration_failed'));
      assert.deepEqual(
        (await on.query('SELECT version FROM schema_migrations')).map((row) => Number(row.version)),
        [1],
      );
      await assert.rejects(
        on.query('SELECT rotated_from FROM virtual_keys'),
        /rotated_from/,
        'the first statement of the failed migration is undone',
      );
    });

    it('migrates once when several stores open at the same time', async () => {
      const on = await database();
      const stores = await Promise.all(Array.from({ length: 4 }, () => openControlStore(on.location)));
      await Promise.all(stores.map((store) => store.close()));
      assert.equal((await on.query('SELECT version FROM schema_migrations')).length, SCHEMA_VERSION);
    });
  });
}
