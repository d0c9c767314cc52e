import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Scope } from '../../src/kernel/scope.ts';
import type { ClickHouseStores } from '../../src/stores/clickhouse/open.ts';
import type { CallSettled } from '../../src/traces/call-record.ts';
import { batchOf, sampleAttempt, sampleCall, samplePayload } from './ledger-sample-calls.ts';
import type { TraceStoreFixture } from './trace-store.contract.ts';

const NOW = Date.UTC(2026, 5, 9, 8, 0);
const HOUR = 3_600_000;
const MINUTE = 60_000;
const PERIOD = { from: NOW, to: NOW + HOUR };
const LINES = { ttftP95Ms: 800, durationP50Ms: 2_000, durationP99Ms: 10_000 };

export function sliStoreContract(driver: string, open: () => Promise<TraceStoreFixture>): void {
  describe(`SliStore contract: ${driver}`, () => {
    let fixture: TraceStoreFixture;
    let stores: ClickHouseStores;
    before(async () => {
      fixture = await open();
      stores = fixture.stores;
    });
    after(() => fixture?.close());

    const scopeOf = (name: string): Scope => ({ organisationId: `org-sli-${name}`, environment: 'production' });

    it('counts calls against the lines of their own feature, with quantiles and their intervals', async () => {
      const scope = scopeOf('calls');
      const make = (feature: string, place: number, changes: Partial<CallSettled> = {}) =>
        sampleCall(`${feature}-${place}`, NOW + place, { ...scope, feature, durationMs: (place + 1) * 10, ttftMs: place + 1, ...changes });
      const calls = [
        ...Array.from({ length: 1_000 }, (_, place) => make('many', place)),
        make('few', 0, { isStream: false }),
        make('few', 1, { status: 'error', errorType: 'provider_timeout', costPicoUsd: null, costStatus: 'unpriced' }),
        make('few', 2, { status: 'aborted', errorType: 'client_closed' }),
        make('few', 3, {
          outputValidation: { verdict: 'valid', errors: [], repaired: false },
        }),
        make('few', 4, {
          outputValidation: { verdict: 'invalid', errors: ['x'], repaired: false },
        }),
        make('few', 5, {
          outputValidation: { verdict: 'unmeasured', errors: [], repaired: false },
        }),
      ];
      await stores.insertBatch(
        batchOf(
          'sli-calls',
          calls.map((call) => ({ call })),
        ),
      );
      const lines = [{ feature: 'many', ttftP95Ms: 990, durationP50Ms: 5_000, durationP99Ms: 9_990 }];
      const [many, few] = await stores.slis.callCounts(scope, PERIOD, lines, LINES);
      assert.ok(many && few);
      assert.deepEqual([many.feature, many.calls, many.pricedCalls], ['many', 1_000, 1_000]);
      assert.deepEqual([many.ttftP95.over, many.durationP50.over, many.durationP99.over], [10, 500, 1]);
      const near = (value: number | null | undefined, expected: number) =>
        assert.ok(value != null && Math.abs(value / expected - 1) <= 0.011, `${value} is not ${expected}`);
      near(many.durationP50.value, 5_000);
      near(many.durationP99.value, 9_900);
      near(many.ttftP95.value, 950);
      // Order statistics: 0.5 ± 0.031, 0.99 ± 0.0062 and 0.95 ± 0.0135, rounded outwards to the levels that are read.
      near(many.durationP50.interval?.[0], 4_600);
      near(many.durationP50.interval?.[1], 5_400);
      near(many.durationP99.interval?.[0], 9_800);
      near(many.durationP99.interval?.[1], 9_970);
      near(many.ttftP95.interval?.[0], 930);
      near(many.ttftP95.interval?.[1], 965);
      assert.ok(Math.abs(many.costUsd - 0.045) < 1e-9 && Math.abs(many.costUsdSquares - 1_000 * 0.000045 ** 2) < 1e-12);
      assert.deepEqual(
        [
          few.calls,
          few.errors,
          few.aborted,
          few.ttftP95.count,
          few.durationP50.count,
          few.pricedCalls,
          few.validOutputs,
          few.invalidOutputs,
        ],
        [6, 1, 1, 3, 4, 5, 1, 1],
      );
      assert.equal(few.durationP99.interval, null);
      assert.deepEqual(
        (await stores.slis.callCounts(scope, { ...PERIOD, feature: 'few' }, [], LINES)).map(({ feature }) => feature),
        ['few'],
      );
      assert.deepEqual(await stores.slis.callCounts(scopeOf('none'), PERIOD, lines, LINES), []);
    });

    it('counts classes of answers, but of no step of an agent and of no call without a text', async () => {
      const scope = scopeOf('answers');
      const call = (seed: string, changes: Partial<CallSettled> = {}) => sampleCall(`answers-${seed}`, NOW, { ...scope, ...changes });
      const step = call('step', { attempts: [sampleAttempt('step', { finishReasons: ['tool_calls'] })] });
      const refused = call('refused');
      const partial = call('partial');
      const answered = call('answered');
      await stores.insertBatch(
        batchOf('sli-answers', [
          { call: step, payload: samplePayload(step, 'Where?', "I can't help with that.") },
          { call: refused, payload: samplePayload(refused, 'Where?', "I'm sorry, but I can't help with that.") },
          { call: partial, payload: samplePayload(partial, 'Where?', 'I cannot access your order, but you find it under Orders.') },
          { call: answered, payload: samplePayload(answered, 'Where?', 'In Leeds.') },
          { call: call('silent') },
        ]),
      );
      assert.deepEqual(await stores.slis.answerCounts(scope, PERIOD, 1), [
        { feature: 'customer-support', classified: 3, refused: 1, partial: 1 },
      ]);
    });

    it('counts questions that had to be asked again, and takes nothing else for one', async () => {
      const scope = scopeOf('repeats');
      const batch: Parameters<typeof batchOf>[1][number][] = [];
      let place = 0;
      const ask = (feature: string, minute: number, question: string, changes: Partial<CallSettled> = {}) => {
        const call = sampleCall(`repeats-${place++}`, NOW + minute * MINUTE, { ...scope, feature, user: 'ann', session: null, ...changes });
        batch.push({ call, payload: samplePayload(call, question, 'In Leeds.') });
      };
      ask('same', 0, 'Where is my parcel now?');
      ask('same', 1, 'Where is my parcel now?');
      ask('same', 2, 'where is my parcel  now??');
      ask('same', 3, 'Can I send it back after 30 days?');
      ask('late', 0, 'Where is my parcel now?');
      ask('late', 31, 'Where is my parcel now?');
      ask('others', 0, 'Where is my parcel now?', { user: 'bob' });
      ask('others', 1, 'Where is my parcel now?', { user: 'eve' });
      ask('failed', 0, 'Where is my parcel now?', { status: 'error', errorType: 'provider_timeout' });
      ask('failed', 1, 'Where is my parcel now?');
      ask('agent', 0, 'Find the cheapest flight', { attempts: [sampleAttempt('agent', { finishReasons: ['tool_calls'] })] });
      ask('agent', 1, 'Find the cheapest flight');
      ask('short', 0, 'Thank you');
      ask('short', 1, 'Thank you');
      ask('session', 0, 'Where is my parcel now?', { user: null, session: 's-9' });
      ask('session', 1, 'Where is my parcel now?', { user: null, session: 's-9' });
      ask('nobody', 0, 'Where is my parcel now?', { user: null, session: null });
      ask('nobody', 1, 'Where is my parcel now?', { user: null, session: null });
      await stores.insertBatch(batchOf('sli-repeats', batch));
      const counts = await stores.slis.repeatCounts(scope, PERIOD, 30 * MINUTE, 1);
      assert.deepEqual(Object.fromEntries(counts.map(({ feature, asked, repeated }) => [feature, [repeated, asked]])), {
        same: [2, 4],
        late: [0, 2],
        others: [0, 2],
        failed: [0, 2],
        // The second call of the agent goes on with the question: nobody asked.
        agent: [0, 1],
        short: [0, 2],
        session: [1, 2],
      });
    });

    it('reads a sample where there is much: one of so many, by whole traces and users', async () => {
      const scope = scopeOf('sample');
      const batch = Array.from({ length: 600 }, (_, place) => {
        const call = sampleCall(`sample-${place}`, NOW + place, { ...scope, user: `u-${place >> 1}` });
        return { call, payload: samplePayload(call, 'Where is my parcel now?', "I'm sorry, I can't help with that.") };
      });
      await stores.insertBatch(batchOf('sli-sample', batch));
      const [answers] = await stores.slis.answerCounts(scope, PERIOD, 3);
      assert.ok(answers && answers.classified > 140 && answers.classified < 270, `${answers?.classified}`);
      assert.equal(answers.refused, answers.classified);
      const [repeats] = await stores.slis.repeatCounts(scope, PERIOD, 30 * MINUTE, 3);
      assert.ok(repeats && repeats.asked > 130 && repeats.asked < 280, `${repeats?.asked}`);
      assert.equal(repeats.repeated * 2, repeats.asked);
    });
  });
}
