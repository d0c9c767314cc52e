import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { type EvalCase, readCase } from '../../src/datasets/model.ts';
import { createDatasetService, type DatasetService, type SaveRequest } from '../../src/datasets/service.ts';
import type { DatasetRecord, VersionDraft } from '../../src/datasets/store.ts';
import { FakeClock } from '../../src/kernel/clock.ts';
import type { PlimsollError } from '../../src/kernel/errors.ts';
import { DEFAULT_SCOPE, type Scope } from '../../src/kernel/scope.ts';
import { type ControlStore, openControlStore } from '../../src/stores/sql/control-store.ts';
import type { TestDriver } from './control-store-drivers.ts';

const SCOPE = DEFAULT_SCOPE;
const OTHER: Scope = { organisationId: 'default', environment: 'staging' };
const START_MS = Date.UTC(2026, 0, 5);
const ACTOR = { kind: 'admin_key', id: 'a', organisationId: 'default', grants: ['*'] } as const;

const make = (question: string, more: object = {}): EvalCase => readCase({ input: { variables: { question } }, ...more }, 'test');
/** Questions that are not alike. */
const WORDS =
  'amber basil cedar delta ember fjord grove harbour island juniper kestrel lantern meadow nectar orchard pebble quarry river saffron tundra umbrella valley willow xenon yonder zephyr'.split(
    ' ',
  );
const question = (index: number): string =>
  `${[0, 7, 11, 17].map((step, place) => WORDS[(index * (place + 1) + step + Math.floor(index / 26) * 3) % 26]).join(' ')} ${index}`;

export function datasetsContract(driver: TestDriver): void {
  describe(`Datasets contract: ${driver.kind}`, () => {
    const cleanups: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    });
    const open = async (): Promise<ControlStore> => {
      const database = await driver.create();
      cleanups.push(() => database.remove());
      const store = await openControlStore(database.location, new FakeClock(START_MS));
      cleanups.push(() => store.close());
      return store;
    };
    const serviceOf = (store: ControlStore): DatasetService =>
      createDatasetService({ store: store.datasets, eventLog: store.eventLog, nameOf: async () => 'Ada', clock: new FakeClock(START_MS) });
    const request = (cases: EvalCase[], more: Partial<SaveRequest> = {}): SaveRequest => ({
      cases,
      mode: 'merge',
      message: '',
      parent: null,
      ...more,
    });
    const refused = (code: string, pattern: RegExp) => (thrown: PlimsollError) => thrown.code === code && pattern.test(thrown.message);

    const record: DatasetRecord = {
      name: 'support',
      description: 'ü"\\',
      split: { by: 'time', seed: '1', devRatio: 0.25, holdoutFrom: 8_640_000_000_000_000 },
      newestVersion: 0,
      createdAtMs: START_MS,
      archivedAtMs: null,
    };
    const draft = (parent: number, cases: EvalCase[], more: Partial<VersionDraft> = {}): VersionDraft => ({
      parent,
      author: 'Ada',
      message: 'm',
      createdAtMs: START_MS,
      caseCount: cases.length,
      contentHash: 'h',
      ended: [],
      added: cases.map((evalCase, index) => ({ position: parent * 100 + index, evalCase })),
      ...more,
    });

    it('keeps a dataset with every field, apart from other environments', async () => {
      const { datasets } = await open();
      await datasets.create(SCOPE, record);
      assert.deepEqual(await datasets.get(SCOPE, 'support'), record);
      assert.deepEqual(await datasets.list(SCOPE), [record]);
      assert.deepEqual([await datasets.get(OTHER, 'support'), await datasets.list(OTHER)], [null, []]);
      await assert.rejects(datasets.create(SCOPE, record), refused('conflict', /dataset support already/));
      assert.equal(await datasets.change(SCOPE, 'support', { split: null, archivedAtMs: 5 }), true);
      assert.deepEqual(await datasets.get(SCOPE, 'support'), { ...record, split: null, archivedAtMs: 5 });
      assert.equal(await datasets.change(OTHER, 'support', { description: '' }), false);
    });

    it('keeps every version as it was, and cases with everything that they hold', async () => {
      const { datasets } = await open();
      await datasets.create(SCOPE, record);
      const full = make('ü\u0000\u{1F600}"\\', {
        tags: ['a'],
        slices: { language: 'de' },
        weight: 0.1,
        at: 5,
        metadata: { deep: [{ a: [1.5, null] }] },
      });
      const [one, two] = [make('one'), make('two')];
      await datasets.append(SCOPE, 'support', draft(0, [full, one]));
      await datasets.append(SCOPE, 'support', draft(1, [two], { ended: [one.hash] }));
      await datasets.append(SCOPE, 'support', draft(2, [one]));
      const at = async (version: number) =>
        (await datasets.cases(SCOPE, 'support', version, { afterPosition: -1, limit: 10 })).map(({ evalCase }) => evalCase);
      assert.deepEqual(await at(1), [full, one]);
      assert.deepEqual(await at(2), [full, two]);
      assert.deepEqual(await at(3), [full, two, one]);
      assert.deepEqual(await datasets.cases(SCOPE, 'support', 3, { afterPosition: 0, limit: 1 }), [{ position: 100, evalCase: two }]);
      assert.deepEqual(await datasets.cases(OTHER, 'support', 3, { afterPosition: -1, limit: 10 }), []);
      const versions = await datasets.versions(SCOPE, 'support');
      assert.deepEqual(
        versions.map(({ version, parent, added, removed }) => [version, parent, added, removed]),
        [
          [3, 2, 1, 0],
          [2, 1, 1, 1],
          [1, null, 2, 0],
        ],
      );
    });

    it('numbers versions 1..n without gaps when writers race', async () => {
      const { datasets } = await open();
      await datasets.create(SCOPE, record);
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => datasets.append(SCOPE, 'support', draft(0, [make(`${index}`)]))),
      );
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'conflict');
      await datasets.append(SCOPE, 'support', draft(1, [make('x')]));
      assert.deepEqual(
        (await datasets.versions(SCOPE, 'support')).map(({ version }) => version),
        [2, 1],
      );
      await assert.rejects(datasets.append(SCOPE, 'none', draft(0, [make('x')])), refused('not_found', /no dataset none/));
    });

    it('takes thousands of cases at once', async () => {
      const service = serviceOf(await open());
      const cases = Array.from({ length: 2_345 }, (_, index) => make(`q${index}`));
      await service.save(SCOPE, 'large', request(cases), ACTOR);
      const read = await service.read(SCOPE, 'large', null);
      assert.deepEqual(
        read.placed.map(({ evalCase }) => evalCase.hash),
        cases.map(({ hash }) => hash),
      );
      const result = await service.save(SCOPE, 'large', request(cases.slice(0, 3), { mode: 'replace' }), ACTOR);
      assert.deepEqual([result.removed, result.unchanged, result.caseCount, result.version], [2_342, 3, 3, 2]);
    });

    it('saving twice makes one version; an old parent is a conflict; archived ones are closed', async () => {
      const service = serviceOf(await open());
      const first = await service.save(SCOPE, 'support', request([make('a', { id: 'a' }), make('b')], { parent: 0 }), ACTOR);
      assert.deepEqual([first.version, first.added, first.isNewVersion], [1, 2, true]);
      const again = await service.save(SCOPE, 'support', request([make('b')], { parent: 0 }), ACTOR);
      assert.deepEqual([again.version, again.unchanged, again.isNewVersion], [1, 1, false]);
      await assert.rejects(
        service.save(SCOPE, 'support', request([make('c')], { parent: 0 }), ACTOR),
        refused('conflict', /version 1.*knew no version/),
      );
      const edited = await service.save(SCOPE, 'support', request([make('a2', { id: 'a' })], { parent: 1 }), ACTOR);
      assert.deepEqual([edited.version, edited.changed, edited.added, edited.removed, edited.caseCount], [2, 1, 0, 0, 2]);
      const difference = await service.diff(SCOPE, 'support', 1, 2);
      assert.equal(difference.changed[0]?.after.input.variables.question, 'a2');
      await service.change(SCOPE, 'support', { isArchived: true });
      await assert.rejects(service.save(SCOPE, 'support', request([make('d')]), ACTOR), refused('conflict', /archived/));
      await service.change(SCOPE, 'support', { isArchived: false });
      await service.remove(SCOPE, 'support', [make('b').hash], '', ACTOR);
      await assert.rejects(service.read(SCOPE, 'support', 9), refused('not_found', /versions 1 to 3, none 9/));
      await assert.rejects(service.get(SCOPE, 'suport'), refused('not_found', /did you mean "support"/));
      await assert.rejects(
        service.save(SCOPE, 'No Name', request([make('a')]), ACTOR),
        refused('invalid_argument', /no name for a dataset/),
      );
    });

    it('seals the holdout: it is opened only with a reason, and every opening is counted', async () => {
      const store = await open();
      const service = serviceOf(store);
      const cases = Array.from({ length: 60 }, (_, index) => make(question(index), { cluster: `c${index % 30}` }));
      await service.save(SCOPE, 'support', request(cases), ACTOR);
      await service.setSplit(SCOPE, 'support', { by: 'cluster', seed: '1', devRatio: 0.1, holdoutRatio: 0.3 }, null, ACTOR);
      const { parts } = await service.check(SCOPE, 'support', null);
      assert.ok(parts.holdout > 0 && parts.train > 0, JSON.stringify(parts));
      const source = service.source(SCOPE, ACTOR);
      const opened = await source.open('support@1');
      assert.deepEqual([opened.count, opened.sealedCount, opened.holdoutOpenings], [parts.train + parts.dev, parts.holdout, 0]);
      const given: string[] = [];
      for await (const each of opened.cases()) given.push(each.hash);
      assert.equal(given.length, opened.count);
      await assert.rejects(source.open('support', { parts: ['holdout'] }), refused('permission_denied', /sealed/));
      const holdout = await source.open('support', { parts: ['holdout'], holdout: { reason: 'release 4' } });
      assert.deepEqual([holdout.count, holdout.holdoutOpenings], [parts.holdout, 1]);
      for await (const each of holdout.cases()) assert.ok(!given.includes(each.hash));
      const [opening] = await service.openings(SCOPE, 'support');
      assert.deepEqual([opening?.reason, opening?.openedBy, opening?.version], ['release 4', 'Ada', 1]);
      const [event] = await store.eventLog.list(SCOPE, { names: ['dataset.holdout_opened'], subject: null, beforeId: null, limit: 5 });
      assert.match(event?.message ?? '', /Ada opened the sealed holdout of support, version 1: release 4 \(opening 1\)/);
      // Another seed would open sealed cases.
      const other = { by: 'cluster', seed: '2', devRatio: 0.1, holdoutRatio: 0.3 } as const;
      await assert.rejects(service.setSplit(SCOPE, 'support', other, null, ACTOR), refused('conflict', /would open \d+ sealed/));
      await service.setSplit(SCOPE, 'support', other, 'a wrong seed', ACTOR);
      assert.equal((await service.openings(SCOPE, 'support')).length, 2);
      // A file without the sealed cases does not take them away.
      const before = await service.check(SCOPE, 'support', null);
      await service.save(SCOPE, 'support', request([], { mode: 'replace' }), ACTOR);
      assert.equal((await service.check(SCOPE, 'support', null)).cases, before.parts.holdout);
      await assert.rejects(
        service.remove(SCOPE, 'support', [(await service.read(SCOPE, 'support', null)).placed[0]?.evalCase.hash ?? ''], '', ACTOR),
        refused('not_found', /no open case/),
      );
    });

    it('refuses a near-duplicate across the split', async () => {
      const service = serviceOf(await open());
      const cases = Array.from({ length: 40 }, (_, index) => make(question(index)));
      await service.save(SCOPE, 'support', request(cases), ACTOR);
      const plan = { by: 'cluster', seed: '1', devRatio: 0, holdoutRatio: 0.5 } as const;
      await service.setSplit(SCOPE, 'support', plan, null, ACTOR);
      const { parts } = await service.read(SCOPE, 'support', null);
      const sealed = cases.find(({ hash }) => parts.get(hash) === 'holdout');
      const asked = String(sealed?.input.variables.question);
      // By chance some stay on the sealed side.
      const twins = Array.from({ length: 12 }, (_, index) => make(`${asked.toUpperCase()}!${'?'.repeat(index)}`));
      await assert.rejects(service.save(SCOPE, 'support', request(twins), ACTOR), refused('conflict', /two sides of the split/));
      assert.equal((await service.get(SCOPE, 'support')).newestVersion, 1, 'nothing was saved');
      const clustered = twins.slice(0, 1).map((twin) => make(String(twin.input.variables.question), { cluster: sealed?.hash }));
      assert.equal((await service.save(SCOPE, 'support', request(clustered), ACTOR)).sealed, 1);
    });
  });
}
