import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../src/kernel/errors.ts';
import type { Scope } from '../../src/kernel/scope.ts';
import { NO_USAGE } from '../../src/models/usage.ts';
import type { ClickHouseStores } from '../../src/stores/clickhouse/open.ts';
import type { CallSettled } from '../../src/traces/call-record.ts';
import { ioRowFromPayload } from '../../src/traces/from-call.ts';
import { MetricSeries, MetricSummary, TraceDetail, TracePage, type TraceQuery } from '../../src/traces/model.ts';
import { RoutingDecisions } from '../../src/traces/routing-decisions.ts';
import { FieldValues, SessionDetail, SessionPage, UserDetail, UserPage, type ValueQuery } from '../../src/traces/sessions.ts';
import { TargetMetrics } from '../../src/traces/target-metrics.ts';
import { batchOf, hex, sampleAttempt, sampleCall, samplePayload } from './ledger-sample-calls.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
/** Not aligned to anything. */
const NOW = Date.UTC(2026, 2, 15, 12, 34, 56, 789);

/** A scope of its own for each case: cases share one database. */
function scopeOf(name: string): Scope {
  return { organisationId: `org-${name}`, environment: 'production' };
}

/** Opens migrated stores; called again it reopens the same data. */
export interface TraceStoreFixture {
  readonly stores: ClickHouseStores;
  /** Closes everything down to the data directory and opens it again. */
  reopen(): Promise<ClickHouseStores>;
  close(): Promise<void>;
}

export function traceStoreContract(driver: string, open: () => Promise<TraceStoreFixture>): void {
  describe(`TraceStore contract: ${driver}`, () => {
    let fixture: TraceStoreFixture;
    let stores: ClickHouseStores;
    before(async () => {
      fixture = await open();
      stores = fixture.stores;
    });
    after(() => fixture?.close());

    const list = async (scope: Scope, query: Partial<TraceQuery> = {}) =>
      TracePage.parse(await stores.traces.listTraces(scope, { limit: 50, ...query }, NOW));

    async function listAll(scope: Scope, limit: number, query: Partial<TraceQuery> = {}): Promise<string[]> {
      const ids: string[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages < 200; pages++) {
        const page = await list(scope, { ...query, limit, ...(cursor === undefined ? {} : { cursor }) });
        assert.ok(page.traces.length <= limit);
        ids.push(...page.traces.map((trace) => trace.traceId));
        if (page.nextCursor === null) return ids;
        cursor = page.nextCursor;
      }
      throw new Error('the pages never end');
    }

    it('shows what was inserted, once the insert has resolved, and to its own scope only', async () => {
      const scope = scopeOf('visible');
      const call = sampleCall('visible', NOW, { ...scope, tags: { tier: 'gold' }, customer: 'acme' });
      await stores.insertBatch(batchOf('visible-1', [{ call, payload: samplePayload(call, 'Where is my parcel?', 'On its way.') }]));
      const page = await list(scope);
      assert.equal(page.traces.length, 1);
      assert.deepEqual(page.traces[0], {
        traceId: call.traceId,
        name: 'chat default',
        startedAt: NOW,
        feature: 'customer-support',
        team: 'support',
        user: 'u-1',
        session: 's-1',
        customer: 'acme',
        tags: { tier: 'gold' },
        models: ['gpt-5-mini-2026-01-01'],
        providers: ['openai'],
        status: 'ok',
        errorType: null,
        inputTokens: 100,
        outputTokens: 50,
        costPicoUsd: '45000000',
        costStatus: 'priced',
        ttftMs: 110,
        durationMs: 410,
        spanCount: 7,
        requests: 1,
        attempts: 1,
        isUnfinished: false,
        textsDeleted: null,
        isStream: true,
        isSimulated: false,
        match: null,
        inputPreview: 'Where is my parcel?',
        outputPreview: 'On its way.',
      });
      for (const other of [
        { ...scope, environment: 'staging' },
        { ...scope, organisationId: 'org-else' },
      ]) {
        assert.deepEqual(await list(other), { traces: [], nextCursor: null });
        assert.equal(await stores.traces.getTrace(other, call.traceId), null);
        assert.equal((await stores.traces.summary(other, 0, NOW + HOUR, 'feature')).total.requests, 0);
        assert.deepEqual(await stores.ledger.ledgerByCall(other, call.callId), []);
      }
    });

    it('gives a trace with its tree, times to the nanosecond, usage, cost and texts', async () => {
      const scope = scopeOf('detail');
      const failed = sampleAttempt('first', {
        model: 'nano',
        status: 'error',
        errorType: 'provider_timeout',
        errorMessage: 'no byte within 30000 ms',
        usage: null,
        usageSource: null,
        costPicoUsd: '0',
        responseModel: null,
        startOffsetMs: 1.25,
      });
      const answered = sampleAttempt('second', {
        usage: { ...NO_USAGE, inputUncachedTokens: 7, cacheReadTokens: 11, outputTextTokens: 3, reasoningTokens: 5 },
      });
      const call = sampleCall('detail', NOW, {
        ...scope,
        attempts: [failed, answered],
        parentSpanId: hex('client', 16),
        isRecovered: true,
        isSimulated: true,
      });
      const payload = samplePayload(call, 'Why?', 'Because.');
      await stores.insertBatch(batchOf('detail-1', [{ call, payload }]));
      const detail = TraceDetail.parse(await stores.traces.getTrace(scope, call.traceId));
      assert.equal(detail.trace.spanCount, 8);
      assert.equal(detail.trace.inputTokens, 18);
      assert.equal(detail.trace.outputTokens, 8);
      assert.equal(detail.trace.attempts, 2);
      const entry = detail.spans.find((span) => span.isEntry);
      assert.equal(entry?.spanId, call.spanId);
      assert.equal(entry?.parentSpanId, call.parentSpanId);
      assert.equal(entry?.startedAtNs, `${NOW}000000`);
      assert.equal(entry?.input, payload.input);
      assert.equal(entry?.output, payload.output);
      assert.equal(entry?.attributes['plimsoll.is_recovered'], true);
      assert.equal(entry?.attributes['plimsoll.is_simulated'], true);
      const infer = detail.spans.find((span) => span.name === 'infer');
      const attempts = detail.spans.filter((span) => span.kind === 'llm');
      assert.deepEqual(
        attempts.map((span) => span.parentSpanId),
        [infer?.spanId, infer?.spanId],
      );
      const [first, second] = attempts;
      assert.equal(first?.startedAtNs, `${BigInt(NOW) * 1_000_000n + 1_250_000n}`);
      assert.equal(first?.errorType, 'provider_timeout');
      assert.equal(first?.usage, null);
      assert.deepEqual(second?.usage, answered.usage);
      assert.equal(second?.attributes['gen_ai.provider.name'], 'openai');
      assert.equal(second?.attributes['gen_ai.system'], 'openai');
      assert.equal(second?.attributes['gen_ai.usage.input_tokens'], 18);
      assert.equal(second?.attributes['gen_ai.usage.prompt_tokens'], 18);
      assert.equal(await stores.traces.getTrace(scope, hex('nowhere', 32)), null);
    });

    it('takes texts that arrive before or after their span', async () => {
      const scope = scopeOf('late');
      const early = sampleCall('early', NOW, scope);
      const late = sampleCall('late', NOW - 1, scope);
      const io = (call: typeof early) => [ioRowFromPayload(samplePayload(call, 'q?', 'a!'))];
      await stores.traces.insertSpans({ token: 'late-1', spans: [], io: io(early) });
      assert.deepEqual((await list(scope)).traces, []);
      await stores.insertBatch(batchOf('late-2', [{ call: early }, { call: late }]));
      assert.deepEqual(
        (await list(scope)).traces.map((trace) => trace.outputPreview),
        ['a!', ''],
      );
      await stores.traces.insertSpans({ token: 'late-3', spans: [], io: io(late) });
      assert.equal((await list(scope)).traces[1]?.outputPreview, 'a!');
    });

    it('counts a replayed batch once, in rows, rollups, index and ledger, also over a partition border and after a reopen', async () => {
      const scope = scopeOf('replay');
      const border = Date.UTC(2026, 3, 1);
      const calls = Array.from({ length: 40 }, (_, place) => {
        const call = sampleCall(`replay-${place}`, border + (place - 20) * 1000, scope);
        return { call, payload: samplePayload(call, `q${place}`, `a${place}`) };
      });
      const other = sampleCall('replay-other', border, scopeOf('replay-other'));
      const batch = () => batchOf('replay-1', [...calls, { call: other }]);
      const check = async () => {
        const counts = await stores.ledger.ledgerCounts(scope, border - HOUR, border + HOUR);
        assert.deepEqual(counts, { rows: 40, calls: 40, costPicoUsd: 40n * 45_000_000n, unpricedRows: 0 });
        assert.equal((await stores.traces.summary(scope, border - HOUR, border + HOUR, 'feature')).total.requests, 40);
        assert.equal((await stores.traces.summary(scope, border - HOUR, border + HOUR, 'user')).total.requests, 40);
        assert.equal((await stores.traces.summary(scope, border - MINUTE, border + MINUTE, 'model')).total.requests, 40);
        const page = await list(scope, { limit: 200 });
        assert.equal(page.traces.length, 40);
        assert.ok(page.traces.every((trace) => trace.spanCount === 7));
        assert.equal((await list(scopeOf('replay-other'))).traces.length, 1);
      };
      await stores.insertBatch(batch());
      await check();
      await stores.insertBatch(batch());
      await check();
      stores = await fixture.reopen();
      await stores.insertBatch(batch());
      await check();
      // The same rows under another token are another batch: idempotence is by token, not by content.
      await stores.insertBatch(batchOf('replay-2', [{ call: sampleCall('replay-new', border, scope) }]));
      assert.equal((await stores.ledger.ledgerCounts(scope, border - HOUR, border + HOUR)).rows, 41);
    });

    it('finishes a batch whose first attempt was cut between its tables', async () => {
      const scope = scopeOf('cut');
      const calls = Array.from({ length: 5 }, (_, place) => ({ call: sampleCall(`cut-${place}`, NOW - place, scope) }));
      const batch = batchOf('cut-1', calls);
      await stores.ledger.insertRows({ token: batch.token, rows: batch.ledger });
      await stores.insertBatch(batch);
      assert.equal((await stores.ledger.ledgerCounts(scope, 0, NOW + 1)).rows, 5);
      assert.equal((await list(scope)).traces.length, 5);
    });

    it('walks all traces without a gap or a repeat, whatever the page size and however many entry spans a trace has', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ trace: fc.integer({ min: 0, max: 12 }), atMs: fc.integer({ min: 0, max: 20 }), isOther: fc.boolean() }), {
            minLength: 1,
            maxLength: 40,
          }),
          fc.integer({ min: 1, max: 7 }),
          fc.uuid(),
          async (spans, limit, name) => {
            const scope = scopeOf(name);
            const calls = spans.map(({ trace, atMs, isOther }, place) => ({
              call: sampleCall(`${name}-${place}`, NOW + atMs, {
                ...scope,
                traceId: hex(`${name} ${trace}`, 32),
                feature: isOther ? 'other' : 'customer-support',
              }),
            }));
            await stores.insertBatch(batchOf(name, calls));
            const expected = (wanted: (span: (typeof spans)[number]) => boolean) => {
              const firstAt = new Map<number, number>();
              for (const span of spans.filter(wanted)) firstAt.set(span.trace, Math.min(span.atMs, firstAt.get(span.trace) ?? Infinity));
              return firstAt;
            };
            for (const [query, wanted] of [
              [{}, () => true],
              [{ feature: 'other' }, (span: (typeof spans)[number]) => span.isOther],
              [{ from: NOW + 5, to: NOW + 15 }, (span: (typeof spans)[number]) => span.atMs >= 5 && span.atMs < 15],
            ] as const) {
              const firstAt = expected(wanted);
              const ids = await listAll(scope, limit, query);
              const starts = new Map([...firstAt].map(([trace, atMs]) => [hex(`${name} ${trace}`, 32), atMs]));
              assert.equal(ids.length, new Set(ids).size, 'no trace twice');
              assert.deepEqual(new Set(ids), new Set(starts.keys()), 'every trace');
              const order = ids.map((id) => starts.get(id) ?? 0);
              assert.deepEqual(
                order,
                order.toSorted((a, b) => b - a),
                'newest first',
              );
            }
          },
        ),
        { numRuns: 12 },
      );
    });

    it('adds up a trace of several calls', async () => {
      const scope = scopeOf('agent');
      const traceId = hex('agent trace', 32);
      const calls = [
        sampleCall('agent-1', NOW, { ...scope, traceId }),
        sampleCall('agent-2', NOW + 1000, {
          ...scope,
          traceId,
          status: 'error',
          errorType: 'provider_timeout',
          costPicoUsd: null,
          costStatus: 'unpriced',
          attempts: [],
        }),
      ];
      await stores.insertBatch(
        batchOf(
          'agent',
          calls.map((call) => ({ call, payload: samplePayload(call, `q ${call.spanId}`, 'a') })),
        ),
      );
      const [trace, ...rest] = (await list(scope)).traces;
      assert.deepEqual(rest, []);
      assert.equal(trace?.status, 'error');
      assert.equal(trace?.errorType, 'provider_timeout');
      assert.equal(trace?.costPicoUsd, null);
      assert.equal(trace?.costStatus, 'unpriced');
      assert.equal(trace?.durationMs, 1410);
      assert.equal(trace?.inputTokens, 100);
      assert.equal(trace?.spanCount, 13);
      assert.equal(trace?.inputPreview, `q ${calls[0]?.spanId}`);
      assert.deepEqual((await stores.traces.getTrace(scope, traceId))?.trace, trace);
    });

    it('filters by each field, and takes hostile values as text', async () => {
      const scope = scopeOf('filter');
      const hostile = "'; DROP TABLE spans; -- \\ {q:String} %_\u0000\u{1F600}";
      const plain = sampleCall('plain', NOW, scope);
      const marked = sampleCall('marked', NOW - 1, {
        ...scope,
        feature: hostile,
        team: hostile,
        user: hostile,
        session: hostile,
        customer: hostile,
        tags: { [hostile]: hostile },
        status: 'error',
        errorType: 'provider_timeout',
        durationMs: 5000,
        costPicoUsd: '2000000000000',
        attempts: [sampleAttempt('marked', { provider: hostile, responseModel: hostile, model: 'alias' })],
      });
      await stores.insertBatch(
        batchOf('filter', [
          { call: plain, payload: samplePayload(plain, '100% sure', 'ÄPFEL') },
          { call: marked, payload: samplePayload(marked, hostile, 'lone \ud800 half') },
        ]),
      );
      const found = async (query: Partial<TraceQuery>) => (await list(scope, query)).traces.map((trace) => trace.traceId);
      for (const query of [
        { feature: hostile },
        { team: hostile },
        { user: hostile },
        { session: hostile },
        { customer: hostile },
        { provider: hostile },
        { model: hostile },
        { model: 'alias' },
        { status: 'error' },
        { errorType: 'provider_timeout' },
        { traceId: marked.traceId },
        { minDurationMs: 4999.5 },
        { minCostUsd: 1.99 },
        { to: NOW },
        { q: 'drop TABLE' },
        { q: '"table spans"' },
        { q: hostile },
      ] as const)
        assert.deepEqual(await found(query), [marked.traceId], JSON.stringify(query));
      assert.deepEqual(await found({ q: '100%' }), [plain.traceId]);
      assert.deepEqual(await found({ q: 'äpfel' }), [plain.traceId]);
      assert.deepEqual(await found({ q: '1_0' }), []);
      assert.deepEqual(await found({ q: '"spans table"' }), []);
      await assert.rejects(found({ q: '%' }), (error) => error instanceof PlimsollError && error.code === 'invalid_argument');
      assert.deepEqual(await found({ from: NOW }), [plain.traceId]);
      assert.deepEqual(await found({ model: 'default' }), [plain.traceId, marked.traceId]);
      assert.deepEqual((await list(scope, { status: 'error' })).traces[0]?.tags, { [hostile]: hostile });
      for (const cursor of ['zzz', '', "' OR 1=1", Buffer.from('1.2.3').toString('base64url')])
        await assert.rejects(list(scope, { cursor }), (error) => error instanceof PlimsollError && error.code === 'invalid_argument');
    });

    it('finds words and phrases in what is new of a call, newest first, over any number of matches', async () => {
      const scope = scopeOf('words');
      const conversation = (place: number): unknown[] => [
        { role: 'system', content: 'You know parcels and instructions.' },
        { role: 'user', content: 'my first Parcel' },
        { role: 'assistant', content: 'which one?' },
        { role: 'user', content: [{ type: 'text', text: `the second, number ${place}; 日本語のテキスト検索` }] },
      ];
      const calls = Array.from({ length: 60 }, (_, place) => {
        const call = sampleCall(`words-${place}`, NOW - place, scope);
        return {
          call,
          payload: {
            ...samplePayload(call, '', ''),
            input: JSON.stringify({ messages: conversation(place) }),
            output: '[{"role":"assistant","content":"It is not\\nhere yet."}]',
          },
        };
      });
      const first = sampleCall('words-first', NOW - 100, scope);
      await stores.insertBatch(
        batchOf('words', [...calls, { call: first, payload: samplePayload(first, 'my first Parcel', 'which one?') }]),
      );
      const found = async (q: string) => (await list(scope, { q })).traces;
      assert.deepEqual(
        (await found('PARCEL')).map(({ traceId }) => traceId),
        [first.traceId],
        'where it was new, and nowhere else',
      );
      assert.deepEqual(await found('instructions'), []);
      assert.equal((await found('"second number"')).length, 50);
      assert.equal((await listAll(scope, 7, { q: 'number second' })).length, 60);
      assert.equal((await found('"number 17"')).length, 1);
      assert.equal((await found('検索')).length, 50);
      assert.deepEqual(await found('索検'), []);
      const [trace] = await found('"not here"');
      assert.equal(trace?.match?.place, 'output');
      assert.deepEqual(
        trace.match.marks.map(([from, to]) => trace.match?.text.slice(from, to)),
        ['not here'],
      );
    });

    it('lists what a plain look through all calls finds, whichever of words and filters is the rarer', async () => {
      const scope = scopeOf('plain');
      const chance = (seed: string): number => Number.parseInt(hex(seed, 8), 16) / 2 ** 32;
      const calls = Array.from({ length: 900 }, (_, place) => {
        // Traces of calls that follow each other, and some that go on all the time; calls that begin at the same moment.
        const trace = chance(`wide ${place}`) < 0.3 ? `wide ${place % 23}` : `near ${Math.floor(place / 3)}`;
        const text = [
          'alpha',
          ...(chance(`beta ${place}`) < 0.5 ? ['beta'] : []),
          ...(chance(`gamma ${place}`) < 0.03 ? ['gamma'] : []),
          ...(chance(`order ${place}`) < 0.2 ? ['delta', 'epsilon'] : ['epsilon', 'delta']),
        ].join(' ');
        const call = sampleCall(`plain-${place}`, NOW + Math.floor(place / 4) * 1_500, {
          ...scope,
          traceId: hex(`plain ${trace}`, 32),
          feature: chance(`feature ${place}`) < 0.012 ? 'rare' : 'usual',
          user: `user-${place % 7}`,
          status: chance(`status ${place}`) < 0.05 ? 'error' : 'ok',
        });
        return { call, text };
      });
      await stores.insertBatch(
        batchOf(
          'plain',
          calls.map(({ call, text }) => ({ call, payload: samplePayload(call, text, 'ok') })),
        ),
      );
      const expected = (wanted: (each: (typeof calls)[number]) => boolean): string[] => {
        const oldest = new Map<string, CallSettled>();
        const isBefore = (a: CallSettled, b: CallSettled): boolean =>
          a.startedAtMs === b.startedAtMs ? a.spanId < b.spanId : a.startedAtMs < b.startedAtMs;
        for (const { call } of calls.filter(wanted)) {
          const other = oldest.get(call.traceId);
          if (other === undefined || isBefore(call, other)) oldest.set(call.traceId, call);
        }
        const places = [...oldest.values()].sort((a, b) => b.startedAtMs - a.startedAtMs || (a.traceId < b.traceId ? 1 : -1));
        return places.map(({ traceId }) => traceId);
      };
      const cases: readonly (readonly [query: Partial<TraceQuery>, wanted: (each: (typeof calls)[number]) => boolean])[] = [
        [{}, () => true],
        [{ status: 'error' }, ({ call }) => call.status === 'error'],
        [{ user: 'user-3' }, ({ call }) => call.user === 'user-3'],
        [{ feature: 'rare', to: NOW + 200_000 }, ({ call }) => call.feature === 'rare' && call.startedAtMs < NOW + 200_000],
        [{ q: 'alpha' }, () => true],
        [{ q: 'Gamma' }, ({ text }) => text.includes('gamma')],
        [{ q: 'gamma beta' }, ({ text }) => text.includes('gamma') && text.includes('beta')],
        [{ q: '"delta epsilon"' }, ({ text }) => text.includes('delta epsilon')],
        [{ q: 'alpha', feature: 'rare' }, ({ call }) => call.feature === 'rare'],
        [{ q: '"beta epsilon"', status: 'error' }, ({ call, text }) => call.status === 'error' && text.includes('beta epsilon')],
        [
          { q: 'beta', user: 'user-3', status: 'error' },
          ({ call, text }) => call.user === 'user-3' && call.status === 'error' && text.includes('beta'),
        ],
        [{ q: 'gamma', feature: 'rare' }, ({ call, text }) => call.feature === 'rare' && text.includes('gamma')],
        [{ q: 'zeta' }, () => false],
      ];
      for (const [query, wanted] of cases) {
        const ids = expected(wanted);
        assert.deepEqual(await listAll(scope, ids.length > 60 ? 90 : 13, query), ids, JSON.stringify(query));
      }
    });

    it('gives texts back exactly, and keeps what a conversation sends again only once', async () => {
      const scope = scopeOf('parts');
      const long = 'a message of some length, with "quotes", ünïcode 😀 and \\ in it; '.repeat(20);
      const turns = 20;
      const batches = Array.from({ length: turns }, (_, turn) => {
        const call = sampleCall(`parts-${turn}`, NOW + turn * 1000, scope);
        const messages = Array.from({ length: turn * 2 + 1 }, (_, place) => ({
          role: place % 2 === 0 ? 'user' : 'assistant',
          content: `${place} ${long}`,
        }));
        const input = JSON.stringify({ model: 'm', messages }, null, turn % 3 === 0 ? 2 : 0);
        return {
          call,
          payload: {
            ...samplePayload(call, '', ''),
            input,
            output: `[ {"role":"assistant","content":${JSON.stringify(`${turn * 2 + 1} ${long}`)}} ]`,
          },
        };
      });
      for (const each of batches) await stores.insertBatch(batchOf(`parts-${each.call.callId}`, [each]));
      for (const { call, payload } of batches) {
        const detail = TraceDetail.parse(await stores.traces.getTrace(scope, call.traceId));
        const entry = detail.spans.find(({ spanId }) => spanId === call.spanId);
        assert.equal(entry?.input, payload.input);
        assert.equal(entry?.output, payload.output);
        assert.deepEqual(await stores.traces.spanTexts(scope, call.traceId, call.spanId), {
          input: payload.input,
          output: payload.output,
          isTruncated: false,
          textsDeleted: null,
        });
      }
      assert.equal(await stores.traces.spanTexts(scopeOf('other'), batches[0]?.call.traceId ?? '', batches[0]?.call.spanId ?? ''), null);
    });

    it('opens a trace of ten thousand spans without its texts, and gives those of each span', async () => {
      const scope = scopeOf('many');
      const calls = Array.from({ length: 400 }, (_, place) => {
        const call = sampleCall(`many-${place}`, NOW + place, { ...scope, traceId: hex('many', 32) });
        return { call, payload: samplePayload(call, `question ${place}`, `answer ${place}`) };
      });
      await stores.insertBatch(batchOf('many', calls));
      const detail = TraceDetail.parse(await stores.traces.getTrace(scope, hex('many', 32), 'of_small_traces'));
      const whole = await stores.traces.getTrace(scope, hex('many', 32));
      assert.equal(whole?.spans.filter(({ input }) => input !== null).length, 400);
      assert.equal(detail.hasTexts, false);
      assert.ok(detail.spans.length > 2_000 && detail.spans.every(({ input, output }) => input === null && output === null));
      assert.equal(detail.trace.inputPreview, 'question 0');
      const texts = await stores.traces.spanTexts(scope, hex('many', 32), calls[7]?.call.spanId ?? '');
      assert.equal(texts?.input, calls[7]?.payload.input);
    });

    it('adds up sessions and users as a count by hand does, and gives a conversation in order', async () => {
      const scope = scopeOf('sessions');
      const DAY = 24 * HOUR;
      const calls = Array.from({ length: 120 }, (_, place) => {
        const call = sampleCall(`sessions-${place}`, NOW - 2 * DAY + place * 20 * MINUTE, {
          ...scope,
          feature: place % 2 === 0 ? 'chat' : 'summary',
          user: place % 11 === 0 ? null : `u${place % 5}`,
          session: place % 13 === 0 ? null : `s/${place % 7}`,
          status: place % 10 === 0 ? 'error' : 'ok',
          costPicoUsd: place % 6 === 0 ? null : `${place * 1_000}`,
          costStatus: place % 6 === 0 ? 'unpriced' : 'priced',
        });
        return { call, payload: samplePayload(call, `question ${place}`, `answer ${place}`) };
      });
      await stores.insertBatch(batchOf('sessions-1', calls.slice(0, 70)));
      await stores.insertBatch(batchOf('sessions-2', calls.slice(70)));
      const range = { from: NOW - 3 * DAY, to: NOW + DAY };
      const page = { ...range, sort: 'recent', limit: 50, offset: 0 } as const;
      const { sessions, hasMore } = SessionPage.parse(await stores.sessions.sessions(scope, page));
      assert.equal(hasMore, false);
      const costOf = (of: readonly (typeof calls)[number][]): string =>
        of.reduce((sum, { call }) => sum + BigInt(call.costPicoUsd ?? 0), 0n).toString();
      assert.equal(sessions.length, 7);
      assert.deepEqual(
        sessions.map(({ lastAt }) => lastAt),
        sessions.map(({ lastAt }) => lastAt).toSorted((a, b) => b - a),
      );
      for (const found of sessions) {
        const own = calls.filter(({ call }) => call.session === found.session);
        assert.equal(found.requests, own.length);
        assert.equal(found.errors, own.filter(({ call }) => call.status === 'error').length);
        assert.equal(found.costPicoUsd, costOf(own));
        assert.equal(found.unpricedRequests, own.filter(({ call }) => call.costPicoUsd === null).length);
        assert.equal(found.firstAt, own[0]?.call.startedAtMs);
        assert.equal(found.userCount, new Set(own.map(({ call }) => call.user).filter((user) => user !== null)).size);
        const detail = SessionDetail.parse(await stores.sessions.session(scope, found.session, null));
        assert.deepEqual(
          detail.turns.map(({ input, output }) => [input, output]),
          own.map(({ call }) => [
            `question ${calls.findIndex((each) => each.call === call)}`,
            `answer ${calls.findIndex((each) => each.call === call)}`,
          ]),
        );
      }
      const { users } = UserPage.parse(await stores.sessions.users(scope, { ...page, sort: 'cost' }));
      for (const found of users) {
        const own = calls.filter(({ call }) => call.user === found.user);
        assert.deepEqual([found.requests, found.costPicoUsd], [own.length, costOf(own)]);
        const detail = UserDetail.parse(await stores.sessions.user(scope, found.user, range));
        assert.equal(
          detail.days.reduce((sum, day) => sum + day.requests, 0),
          own.length,
        );
      }
      assert.equal(users.length, 5);
      const only = await stores.sessions.sessions(scope, { ...page, user: 'u1', feature: 'chat', search: 'S/', sort: 'errors', limit: 2 });
      assert.ok(only.hasMore && only.sessions.every(({ features, users: of }) => features.join() === 'chat' && of.join() === 'u1'));
      assert.equal(await stores.sessions.session(scope, 'nobody', null), null);
      assert.equal(await stores.sessions.session(scopeOf('other'), 's/1', null), null);
      await assert.rejects(
        stores.sessions.session(scope, 's/1', 'x'),
        (error) => error instanceof PlimsollError && error.code === 'invalid_argument',
      );
    });

    it('says what filters can be set to', async () => {
      const scope = scopeOf('values');
      const calls = Array.from({ length: 9 }, (_, place) => ({
        call: sampleCall(`values-${place}`, NOW - place, {
          ...scope,
          feature: place < 6 ? 'chat' : 'Summary',
          user: `u${place}`,
          customer: place < 2 ? 'acme' : null,
        }),
      }));
      await stores.insertBatch(batchOf('values', calls));
      const range = { from: NOW - HOUR, to: NOW + 1, limit: 5 };
      const values = async (query: Pick<ValueQuery, 'field' | 'name' | 'search'> & { readonly limit?: number }) =>
        FieldValues.parse(await stores.sessions.values(scope, { ...range, ...query }));
      assert.deepEqual(await values({ field: 'feature' }), {
        values: [
          { value: 'chat', count: 6 },
          { value: 'Summary', count: 3 },
        ],
        counted: 'requests',
      });
      assert.deepEqual((await values({ field: 'feature', search: 'sUM' })).values, [{ value: 'Summary', count: 3 }]);
      assert.equal((await values({ field: 'user' })).values.length, 5);
      assert.deepEqual(await values({ field: 'customer' }), { values: [{ value: 'acme', count: 2 }], counted: 'newest_spans' });
      assert.ok((await values({ field: 'attribute', search: 'plimsoll', limit: 100 })).values.length > 0);
      for (const field of ['team', 'model', 'provider', 'errorType', 'session', 'route'] as const) await values({ field, search: "'%\\" });
      assert.deepEqual((await values({ field: 'attribute', name: "no'such" })).values, []);
    });

    it('computes metrics that equal a count by hand, at any range, whatever part comes from rollups', async () => {
      const scope = scopeOf('metrics');
      const calls = Array.from({ length: 400 }, (_, place) => {
        const status = place % 10 === 0 ? 'error' : place % 17 === 0 ? 'aborted' : 'ok';
        const priced = place % 7 !== 0;
        return sampleCall(`metrics-${place}`, NOW - place * 37_123, {
          ...scope,
          feature: place % 3 === 0 ? 'summary' : 'chat',
          team: place % 2 === 0 ? null : 'blue',
          user: `u${place % 5}`,
          status,
          durationMs: 100 + place,
          ttftMs: place % 4 === 0 ? null : 50 + place,
          costPicoUsd: priced ? `${place}` : null,
          costStatus: priced ? (place % 5 === 0 ? 'estimated_tokens' : 'priced') : 'unpriced',
        });
      });
      await stores.insertBatch(
        batchOf(
          'metrics',
          calls.map((call) => ({ call })),
        ),
      );
      const byHand = (from: number, to: number) => {
        const inside = calls.filter((call) => call.startedAtMs >= from && call.startedAtMs < to);
        const ok = inside.filter((call) => call.status === 'ok');
        return {
          requests: inside.length,
          errors: inside.filter((call) => call.status === 'error').length,
          aborted: inside.filter((call) => call.status === 'aborted').length,
          inputTokens: inside.length * 100,
          costPicoUsd: inside.reduce((sum, call) => sum + BigInt(call.costPicoUsd ?? 0), 0n).toString(),
          unpricedRequests: inside.filter((call) => call.costPicoUsd === null).length,
          estimatedCostRequests: inside.filter((call) => call.costStatus === 'estimated_tokens').length,
          durations: ok.map((call) => call.durationMs).sort((a, b) => a - b),
          inside,
        };
      };
      for (const [from, to] of [
        [NOW - 400 * 37_123, NOW + 1],
        [NOW - 3 * HOUR + 17, NOW - 1234],
        [NOW - 90_000, NOW - 10_000],
        [NOW - 61 * MINUTE, NOW - 2 * MINUTE],
      ] as const) {
        const hand = byHand(from, to);
        const summary = MetricSummary.parse(await stores.traces.summary(scope, from, to, 'feature'));
        for (const name of [
          'requests',
          'errors',
          'aborted',
          'inputTokens',
          'costPicoUsd',
          'unpricedRequests',
          'estimatedCostRequests',
        ] as const)
          assert.equal(summary.total[name], hand[name], name);
        assert.equal(
          summary.groups.reduce((sum, group) => sum + group.requests, 0),
          hand.requests,
        );
        const median = hand.durations[Math.floor((hand.durations.length - 1) / 2)] ?? 0;
        const upper = hand.durations[Math.ceil((hand.durations.length - 1) / 2)] ?? 0;
        const p50 = summary.total.durationMs?.p50 ?? 0;
        assert.ok(p50 >= median * 0.99 && p50 <= upper * 1.01, `p50 ${p50} of ${median}..${upper}`);
        const series = MetricSeries.parse(await stores.traces.series(scope, { from, to }));
        assert.ok(series.points.length <= 120);
        for (const name of ['requests', 'errors', 'unpricedRequests'] as const)
          assert.equal(
            series.points.reduce((sum, point) => sum + point[name], 0),
            hand[name],
            `series ${name}`,
          );
        for (const point of series.points) {
          assert.equal(point.at % series.stepMs, 0);
          const step = byHand(Math.max(from, point.at), Math.min(to, point.at + series.stepMs));
          assert.equal(point.requests, step.requests);
        }
      }
      const all = await stores.traces.summary(scope, 0, NOW + 1, 'team');
      assert.deepEqual(new Set(all.groups.map((group) => group.key)), new Set([null, 'blue']));
      const users = await stores.traces.summary(scope, 0, NOW + 1, 'user');
      assert.equal(users.groups.length, 5);
      const chat = await stores.traces.series(scope, { from: NOW - 5 * HOUR, to: NOW + 1, stepMs: HOUR, feature: 'chat', team: 'blue' });
      const wanted = calls.filter((call) => call.feature === 'chat' && call.team === 'blue');
      assert.equal(
        chat.points.reduce((sum, point) => sum + point.requests, 0),
        wanted.length,
      );
      const rate = all.total.errorRate ?? 0;
      const [low, high] = all.total.errorRateInterval ?? [1, 0];
      assert.ok(low < rate && rate < high && high < 1);
      await assert.rejects(
        stores.traces.series(scope, { from: 0, to: NOW, stepMs: 1 }),
        (error) => error instanceof PlimsollError && error.code === 'invalid_argument',
      );
    });

    it('counts attempts by provider, target and route, callers and mirrored calls apart, probes never', async () => {
      const scope = scopeOf('targets');
      const failed = { status: 'error', errorType: 'provider_timeout', httpStatus: null, ttftMs: null, durationMs: 9_000 } as const;
      const calls = [
        sampleCall('t-1', NOW, {
          ...scope,
          attempts: [sampleAttempt('t-1a', failed), sampleAttempt('t-1b', { model: 'large', provider: 'acme', role: 'fallback' })],
        }),
        sampleCall('t-2', NOW + 1, { ...scope, attempts: [sampleAttempt('t-2')] }),
        sampleCall('t-3', NOW + 1, { ...scope, attempts: [sampleAttempt('t-3', { ttftMs: null, status: 'aborted' })] }),
        sampleCall('t-4', NOW + 1, { ...scope, route: null, attempts: [sampleAttempt('t-4')] }),
        sampleCall('t-5', NOW + 1, { ...scope, purpose: 'shadow', attempts: [sampleAttempt('t-5', { model: 'large', provider: 'acme' })] }),
        sampleCall('t-6', NOW + 1, { ...scope, purpose: 'probe', route: null, attempts: [sampleAttempt('t-6', failed)] }),
        sampleCall('t-7', NOW + 2, { ...scope, attempts: [sampleAttempt('t-7', failed)] }),
      ];
      await stores.insertBatch(
        batchOf(
          'targets',
          calls.map((call) => ({ call })),
        ),
      );
      // Attempts are counted by their own start, 2 ms after that of their call.
      const read = async (groupBy: TargetMetrics['groupBy']) =>
        TargetMetrics.parse(await stores.traces.targets(scope, NOW + 2, NOW + 4, groupBy)).rows;
      const [mini, large] = await read('target');
      assert.deepEqual(
        { ...mini, durationMs: null, ttftMs: null, errorRateInterval: null },
        {
          provider: 'openai',
          target: 'mini',
          route: null,
          attempts: 4,
          answered: 2,
          errors: 1,
          aborted: 1,
          errorRate: 1 / 3,
          errorRateInterval: null,
          errorTypes: { provider_timeout: 1 },
          roles: { retry: 0, fallback: 0, hedge: 0, restart: 0, repair: 0 },
          durationMs: null,
          ttftMs: null,
          ttftSamples: 2,
        },
      );
      // What failed says nothing of how long an answer takes.
      assert.ok(Math.abs((mini?.durationMs?.p95 ?? 0) - 400) < 5);
      assert.deepEqual([large?.target, large?.attempts, large?.roles.fallback], ['large', 2, 1]);
      const routes = await read('route');
      assert.deepEqual(
        routes.map(({ route, target, attempts }) => [route, target, attempts]),
        [
          ['default', 'mini', 3],
          ['default', 'large', 1],
        ],
      );
      assert.deepEqual(
        (await read('provider')).map(({ provider, target, attempts }) => [provider, target, attempts]),
        [
          ['openai', null, 4],
          ['acme', null, 2],
        ],
      );
      assert.deepEqual((await stores.traces.targets(scopeOf('nobody'), NOW + 2, NOW + 4, 'target')).rows, []);
    });

    it('tells what routes decided: tiers, fallbacks, savings, and the attempts of the newest decisions', async () => {
      const scope = scopeOf('decisions');
      const routing = (tier: string | null, estimatedSavingPicoUsd: string | null) => ({
        strategy: 'complexity',
        reason: `complexity ${tier}`,
        tier,
        probabilities: null,
        candidates: ['mini', 'large'],
        counterfactualModel: 'large',
        estimatedSavingPicoUsd,
      });
      const failed = { status: 'error', errorType: 'provider_timeout' } as const;
      const fallback = [sampleAttempt('d-3a', failed), sampleAttempt('d-3b', { model: 'large', role: 'fallback', startOffsetMs: 500 })];
      const traceId = hex('the trace of d-1', 32);
      const calls = [
        sampleCall('d-0', NOW, { ...scope, route: 'plain' }),
        sampleCall('d-1', NOW + 1, { ...scope, traceId, route: 'hard', routing: routing('simple', '9007199254740993') }),
        sampleCall('d-2', NOW + 2, { ...scope, route: 'hard', routing: routing('simple', null) }),
        sampleCall('d-3', NOW + 3, { ...scope, route: 'hard', routing: routing('medium', '-4'), attempts: fallback, ...failed }),
        sampleCall('d-4', NOW + 4, { ...scope, route: null }),
        sampleCall('d-5', NOW + 5, {
          ...scope,
          traceId,
          route: 'hard',
          purpose: 'shadow',
          attempts: [sampleAttempt('d-5', { model: 'new' })],
        }),
        sampleCall('d-6', NOW + 6, { ...scope, route: 'hard', routing: routing('complex', '1') }),
      ];
      await stores.insertBatch(
        batchOf(
          'decisions',
          calls.map((call) => ({ call })),
        ),
      );
      const range = { from: NOW, to: NOW + 6 };
      const { routes, recent } = RoutingDecisions.parse(await stores.traces.decisions(scope, { ...range, limit: 10 }));
      assert.deepEqual(routes, [
        {
          route: 'hard',
          calls: 3,
          errors: 1,
          decided: 3,
          tiers: { simple: 2, medium: 1 },
          fellBack: 1,
          severalAttempts: 1,
          savedPicoUsd: '9007199254740989',
          savedCalls: 2,
        },
        {
          route: 'plain',
          calls: 1,
          errors: 0,
          decided: 0,
          tiers: {},
          fellBack: 0,
          severalAttempts: 0,
          savedPicoUsd: null,
          savedCalls: 0,
        },
      ]);
      assert.deepEqual(
        recent.map(({ at, tier, savedPicoUsd }) => [at - NOW, tier, savedPicoUsd]),
        [
          [3, 'medium', '-4'],
          [2, 'simple', null],
          [1, 'simple', '9007199254740993'],
        ],
      );
      assert.deepEqual(
        recent.map(({ attempts }) => attempts.map(({ target, role, purpose, status }) => [target, role, purpose, status])),
        [
          [
            ['mini', 'first', null, 'error'],
            ['large', 'fallback', null, 'ok'],
          ],
          [['mini', 'first', null, 'ok']],
          [
            ['mini', 'first', null, 'ok'],
            ['new', 'first', 'shadow', 'ok'],
          ],
        ],
      );
      const one = await stores.traces.decisions(scope, { ...range, route: 'plain', limit: 10 });
      assert.deepEqual([one.routes.length, one.recent.length], [1, 0]);
      assert.deepEqual(await listAll(scope, 9, { route: 'plain' }), [calls[0]?.traceId]);
    });

    it('adds money beyond 64 bits exactly and reports nothing as null, not as 0', async () => {
      const scope = scopeOf('money');
      const most = 9_223_372_036_854_775_807n;
      // Two in one minute, so that the sum inside a rollup is beyond 64 bits too.
      const calls = [0, 1, HOUR].map((agoMs, place) => ({
        call: sampleCall(`money-${place}`, NOW - agoMs, { ...scope, costPicoUsd: most.toString() }),
      }));
      await stores.insertBatch(batchOf('money', calls));
      for (const to of [NOW + 1, NOW + 2 * MINUTE, NOW + 2 * HOUR])
        assert.equal((await stores.traces.summary(scope, NOW - 5 * HOUR, to, 'feature')).total.costPicoUsd, (3n * most).toString());
      assert.equal((await stores.ledger.ledgerCounts(scope, 0, NOW + 1)).costPicoUsd, 3n * most);
      const empty = await stores.traces.series(scopeOf('nobody'), { from: NOW - HOUR, to: NOW });
      assert.ok(empty.points.length > 1);
      for (const point of empty.points) {
        assert.equal(point.requests, 0);
        assert.equal(point.errorRate, null);
        assert.equal(point.durationMs, null);
        assert.equal(point.outputTokensPerSecond, null);
      }
    });
  });
}
