import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PlimsollError } from '../../src/kernel/errors.ts';
import type { Scope } from '../../src/kernel/scope.ts';
import type { ClickHouseStores } from '../../src/stores/clickhouse/open.ts';
import type { ScoreDraft } from '../../src/traces/scores/drafts.ts';
import { Score, ScorePage, type ScoreQuery } from '../../src/traces/scores/model.ts';
import { feedbackRows, outcomeRow, type ScoreCaller, scoreRowOf } from '../../src/traces/scores/score-rows.ts';
import type { ScoreRow } from '../../src/traces/scores/store.ts';
import { meanOf } from '../../src/traces/scores/summary.ts';
import { batchOf, hex, sampleCall } from './ledger-sample-calls.ts';
import type { TraceStoreFixture } from './trace-store.contract.ts';

const NOW = Date.UTC(2026, 3, 20, 9, 30);
const DAY = 86_400_000;
const FEATURES = { 'customer-support': true, checkout: true };

function scopeOf(name: string): Scope {
  return { organisationId: `org-scores-${name}`, environment: 'production' };
}

const callerOf = (scope: Scope, feature: string | null = 'customer-support'): ScoreCaller => ({
  ...scope,
  keyId: 'key-1',
  feature,
  features: FEATURES,
});

export function scoreStoreContract(driver: string, open: () => Promise<TraceStoreFixture>): void {
  describe(`ScoreStore contract: ${driver}`, () => {
    let fixture: TraceStoreFixture;
    let stores: ClickHouseStores;
    let batches = 0;
    before(async () => {
      fixture = await open();
      stores = fixture.stores;
    });
    after(() => fixture?.close());

    const insert = (rows: readonly ScoreRow[]) => stores.scores.insertScores({ token: `scores-${batches++}`, rows });
    const list = async (scope: Scope, query: Partial<ScoreQuery> = {}) =>
      ScorePage.parse(await stores.scores.listScores(scope, { limit: 100, ...query }));
    const score = (scope: Scope, draft: Partial<ScoreDraft>, atMs = NOW) =>
      scoreRowOf(
        callerOf(scope),
        { name: 'faithfulness', value: 0.5, source: 'code', traceId: hex('trace', 32), ...draft } satisfies ScoreDraft,
        atMs,
      );

    it('gives back every field of every kind of value, to its own scope only', async () => {
      const scope = scopeOf('fields');
      const target = { traceId: hex('fields', 32), spanId: hex('span', 16), session: 's-1', externalId: 'ticket-7', user: 'u-1' };
      await insert([
        score(scope, {
          ...target,
          name: 'number',
          value: -0.25,
          evaluator: 'judge@3',
          evaluatorTraceId: hex('judge', 32),
          comment: 'why “so”',
        }),
        score(scope, { ...target, name: 'truth', value: true, source: 'human', metadata: { step: 3, note: 'x', isLate: false } }),
        score(scope, { ...target, name: 'category', value: 'tone: curt', source: 'llm' }),
        score(scope, { ...target, name: 'words', value: 'a text', dataType: 'text' }),
        outcomeRow(callerOf(scope), { ...target, outcome: 'converted', success: true, valueUsd: '12.50' }, NOW),
      ]);
      const { scores } = await list(scope);
      const by = new Map(scores.map((each) => [each.name, each]));
      assert.deepEqual(
        ['number', 'truth', 'category', 'words', 'converted'].map((name) => by.get(name)?.value),
        [-0.25, true, 'tone: curt', 'a text', true],
      );
      const { id, ...number } = by.get('number') as Score; // listed just above
      assert.match(id, /^[0-9a-f]{32}$/);
      assert.deepEqual(number, {
        kind: 'score',
        at: NOW,
        receivedAt: NOW,
        feature: 'customer-support',
        ...target,
        name: 'number',
        dataType: 'numeric',
        value: -0.25,
        source: 'code',
        evaluator: 'judge@3',
        evaluatorTraceId: hex('judge', 32),
        comment: 'why “so”',
        valuePicoUsd: null,
        metadata: {},
      });
      assert.deepEqual(by.get('truth')?.metadata, { step: 3, note: 'x', isLate: false });
      assert.equal(by.get('converted')?.valuePicoUsd, '12500000000000');
      for (const other of [{ ...scope, environment: 'staging' }, scopeOf('nobody')]) {
        assert.deepEqual(await list(other), { scores: [], nextCursor: null });
        assert.deepEqual(await stores.scores.scoresOfTrace(other, target.traceId), []);
        assert.deepEqual(await stores.scores.scoreTotals(other, { from: 0, to: NOW + DAY }), []);
      }
    });

    it('keeps one score of a judge, a name and a target: the later one holds, in whatever order they come', async () => {
      const scope = scopeOf('replaced');
      const thumbs = (value: 'up' | 'down' | null, at: number) =>
        feedbackRows(callerOf(scope), { traceId: hex('replaced', 32), user: 'u-1', thumbs: value, at }, NOW);
      await insert(thumbs('up', NOW - 3_000));
      await insert(thumbs('down', NOW - 1_000));
      await insert(thumbs('up', NOW - 2_000));
      assert.deepEqual(
        (await list(scope)).scores.map(({ value }) => value),
        [false],
      );
      const [totals] = await stores.scores.scoreTotals(scope, { from: 0, to: NOW + DAY });
      assert.deepEqual([totals?.count, totals?.sum], [1, 0]);
      // Another person's is another score; across a change of the month as well.
      await insert(feedbackRows(callerOf(scope), { traceId: hex('replaced', 32), user: 'u-2', thumbs: 'up' }, NOW));
      await insert(thumbs('down', NOW - 40 * DAY));
      assert.deepEqual(
        (await list(scope)).scores.map(({ user, value }) => [user, value]),
        [
          ['u-2', true],
          ['u-1', false],
        ],
      );
      await insert(thumbs(null, NOW));
      assert.deepEqual(
        (await list(scope)).scores.map(({ user }) => user),
        ['u-2'],
      );
    });

    it('writes a batch once under its token, and the same rows once under another', async () => {
      const scope = scopeOf('token');
      const rows = Array.from({ length: 50 }, (_, place) => score(scope, { id: `mine-${place}`, value: place }));
      for (const token of ['token-a', 'token-a', 'token-b']) await stores.scores.insertScores({ token, rows });
      const [totals] = await stores.scores.scoreTotals(scope, { from: 0, to: NOW + DAY });
      assert.equal(totals?.count, 50);
      assert.equal(totals?.sum, 1225);
      stores = await fixture.reopen();
      assert.equal((await list(scope)).scores.length, 50);
    });

    it('pages through all, each once, newest first', async () => {
      const scope = scopeOf('pages');
      await insert(Array.from({ length: 23 }, (_, place) => score(scope, { id: `p-${place}`, value: place, at: NOW - (place % 5) })));
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await list(scope, { limit: 4, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.scores.map((each) => `${each.at} ${each.id}`));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      assert.equal(new Set(seen).size, 23);
      assert.deepEqual(seen, [...seen].sort().reverse());
      await assert.rejects(list(scope, { cursor: 'bm9wZQ' }), (error: PlimsollError) => error.code === 'invalid_argument');
      assert.equal((await list(scope, { from: NOW - 1, to: NOW })).scores.length, 5);
      assert.equal((await list(scope, { name: 'other' })).scores.length, 0);
      assert.equal((await list(scope, { kind: 'score', source: 'code', feature: 'customer-support' })).scores.length, 23);
    });

    it('finds for a trace what was said of its session and its matter, before or after the trace came', async () => {
      const scope = scopeOf('late');
      const call = sampleCall('late', NOW, { ...scope, session: 'conversation-9', tags: { external_id: 'ticket-9' } });
      const about = (target: Partial<ScoreDraft>, name: string) => score(scope, { traceId: undefined, ...target, name, value: 1 });
      await insert([about({ traceId: call.traceId }, 'own'), about({ session: 'conversation-9' }, 'session')]);
      assert.deepEqual(
        (await stores.scores.scoresOfTrace(scope, call.traceId)).map(({ name }) => name),
        ['own'],
      );
      await stores.insertBatch(batchOf('late', [{ call }]));
      await insert([
        about({ externalId: 'ticket-9' }, 'matter'),
        about({ session: 'conversation-8' }, 'elsewhere'),
        about({ traceId: hex('other', 32), session: 'conversation-9' }, 'of another trace'),
      ]);
      const found = await stores.scores.scoresOfTrace(scope, call.traceId);
      assert.deepEqual(found.map(({ name }) => name).sort(), ['matter', 'own', 'session']);
      Score.array().parse(found);
    });

    it('adds up by name, with the feature of the trace where a score names none', async () => {
      const scope = scopeOf('totals');
      const call = sampleCall('totals', NOW - DAY, { ...scope, feature: 'checkout' });
      await stores.insertBatch(batchOf('totals', [{ call }]));
      const unbound = callerOf(scope, null);
      await insert([
        ...[5, 4, 4, 1].flatMap((stars, place) => feedbackRows(callerOf(scope), { session: `s-${place}`, stars }, NOW)),
        scoreRowOf(unbound, { traceId: call.traceId, name: 'tone', value: 'curt', source: 'llm' }, NOW),
        scoreRowOf(unbound, { traceId: call.traceId, name: 'tone', value: 'curt', source: 'llm', id: '2' }, NOW),
        scoreRowOf(unbound, { traceId: call.traceId, name: 'tone', value: 'warm', source: 'llm', id: '3' }, NOW),
        scoreRowOf(unbound, { traceId: hex('unknown', 32), name: 'tone', value: 'warm', source: 'llm' }, NOW),
      ]);
      const totals = await stores.scores.scoreTotals(scope, { from: NOW, to: NOW + 1 });
      assert.deepEqual(
        totals.map(({ feature, name, count, categories }) => [feature, name, count, categories]),
        [
          [null, 'tone', 1, [{ value: 'warm', count: 1 }]],
          [
            'checkout',
            'tone',
            3,
            [
              { value: 'curt', count: 2 },
              { value: 'warm', count: 1 },
            ],
          ],
          ['customer-support', 'csat', 4, []],
        ],
      );
      const stars = totals[2];
      assert.ok(stars);
      assert.deepEqual([stars.sum, stars.sumOfSquares, stars.least, stars.most], [14, 58, 1, 5]);
      assert.equal(meanOf(stars)?.mean, 3.5);
      assert.deepEqual((await stores.scores.scoreTotals(scope, { from: NOW, to: NOW + 1, feature: 'checkout' })).length, 1);
      assert.deepEqual(await stores.scores.scoreTotals(scope, { from: NOW + 1, to: NOW + DAY }), []);
    });

    it('counts outcomes and what they were worth, exactly', async () => {
      const scope = scopeOf('outcomes');
      const outcome = (externalId: string, success: boolean, valueUsd?: string | number) =>
        outcomeRow(callerOf(scope), { externalId, outcome: 'converted', success, ...(valueUsd === undefined ? {} : { valueUsd }) }, NOW);
      await insert([
        outcome('a', true, '0.000000000001'),
        outcome('b', true, 8_999_999.99),
        outcome('c', true, 8_999_999.99),
        outcome('d', true),
        outcome('e', false, 77),
        ...feedbackRows(callerOf(scope), { externalId: 'a', thumbs: 'up' }, NOW),
      ]);
      assert.deepEqual(await stores.scores.outcomeTotals(scope, { from: NOW, to: NOW + 1 }), [
        {
          feature: 'customer-support',
          outcome: 'converted',
          reported: 5,
          succeeded: 4,
          valuePicoUsd: 17_999_999_980_000_000_001n,
          valued: 3,
        },
      ]);
    });
  });
}
