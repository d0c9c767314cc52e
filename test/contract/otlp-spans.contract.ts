import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Scope } from '../../src/kernel/scope.ts';
import { readShippedPriceBook } from '../../src/models/price-book.ts';
import type { ClickHouseStores } from '../../src/stores/clickhouse/open.ts';
import { countOnce } from '../../src/traces/count-once.ts';
import { rowsFromOtlp } from '../../src/traces/from-otlp.ts';
import { MetricSummary, TraceDetail, TracePage, type TraceQuery } from '../../src/traces/model.ts';
import type { OtlpBatchMeta } from '../../src/traces/otlp/batch-record.ts';
import { protobufRequest, type TestSpan } from '../../src/traces/otlp/testing.ts';
import { batchOf, hex, sampleCall } from './ledger-sample-calls.ts';
import type { TraceStoreFixture } from './trace-store.contract.ts';

const NOW = Date.UTC(2026, 2, 15, 12);
const HOUR = 3_600_000;
const book = readShippedPriceBook();
const CHAT = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-4o',
  'gen_ai.usage.input_tokens': 1_000,
  'gen_ai.usage.output_tokens': 100,
  'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"text","content":"Where is it?"}]}]',
};

/** Spans of clients in the store: found by their roots, counted by their calls of models. */
export function otlpSpansContract(driver: string, open: () => Promise<TraceStoreFixture>): void {
  describe(`TraceStore contract for clients' spans: ${driver}`, () => {
    let fixture: TraceStoreFixture;
    let stores: ClickHouseStores;
    before(async () => {
      fixture = await open();
      stores = fixture.stores;
    });
    after(() => fixture?.close());

    const scopeOf = (name: string): Scope => ({ organisationId: `org-${name}`, environment: 'production' });
    const span = (traceId: string, id: string, parent: string | null, over: Partial<TestSpan> = {}): TestSpan => ({
      traceId,
      spanId: hex(id, 16),
      ...(parent === null ? {} : { parentSpanId: hex(parent, 16) }),
      name: id,
      startNs: BigInt(NOW) * 1_000_000n,
      endNs: BigInt(NOW) * 1_000_000n + 1_000_000n,
      ...over,
    });
    async function insert(token: string, scope: Scope, spans: readonly TestSpan[]): Promise<void> {
      const meta: OtlpBatchMeta = {
        ...scope,
        receivedAtMs: NOW,
        encoding: 'protobuf',
        keyId: 'k',
        team: 'support',
        feature: 'helper',
        features: { helper: 'full' },
        maxPayloadBytes: 100_000,
      };
      const rows = rowsFromOtlp(meta, protobufRequest([{ resource: { 'service.name': 'shop' }, spans }]), book);
      const known = await stores.traces.storedSpans(scope, [...new Set(spans.map(({ traceId }) => traceId))]);
      await stores.insertBatch({ token, ledger: [], io: rows.io, spans: countOnce(rows.spans, known) });
    }
    const list = async (scope: Scope, query: Partial<TraceQuery> = {}) =>
      TracePage.parse(await stores.traces.listTraces(scope, { limit: 50, ...query }, NOW)).traces;

    it('lists a trace by its root, with the sums of its calls; metrics count the calls only', async () => {
      const scope = scopeOf('client');
      const traceId = hex('client', 32);
      const spans = [
        span(traceId, 'agent', null, { attributes: { 'gen_ai.operation.name': 'invoke_agent' } }),
        span(traceId, 'one', 'agent', { attributes: CHAT }),
        span(traceId, 'two', 'agent', { attributes: { ...CHAT, 'deployment.tier': 'gold' } }),
        span(traceId, 'tool', 'agent', { attributes: { 'gen_ai.operation.name': 'execute_tool' } }),
      ];
      await insert('client-1', scope, spans);
      await insert('client-1', scope, spans);
      await insert('client-2', scope, [span(hex('tools only', 32), 'job', null)]);
      const [trace] = await list(scope, { traceId });
      assert.equal(trace?.name, 'agent');
      assert.equal(trace?.requests, 2);
      assert.equal(trace?.inputTokens, 2_000);
      assert.equal(trace?.costPicoUsd, '7000000000');
      assert.equal(trace?.spanCount, 4);
      assert.equal(trace?.inputPreview, 'Where is it?');
      const toolsOnly = (await list(scope)).find(({ name }) => name === 'job');
      assert.deepEqual(
        [toolsOnly?.costPicoUsd, toolsOnly?.costStatus, toolsOnly?.requests, toolsOnly?.inputTokens],
        ['0', 'priced', 0, null],
      );
      // From the base table and from rollups.
      for (const [from, to] of [
        [NOW - 1, NOW + 1],
        [NOW - HOUR, NOW + HOUR],
      ] as const) {
        const { total } = MetricSummary.parse(await stores.traces.summary(scope, from, to, 'feature'));
        assert.deepEqual([total.requests, total.costPicoUsd, total.inputTokens], [2, '7000000000', 2_000]);
      }
      assert.equal((await list(scope, { attribute: 'deployment.tier=gold' })).length, 1);
      assert.equal((await list(scope, { attribute: 'resource.service.name=shop' })).length, 2);
      assert.equal((await list(scope, { attribute: 'gen_ai.usage.input_tokens=1000' })).length, 1);
      for (const hostile of ["x' OR 1=1 --=1", '__proto__=x', 'deployment.tier=silver'])
        assert.deepEqual(await list(scope, { attribute: hostile }), []);
    });

    it('finds what is stored of as many traces as one batch may hold', async () => {
      const scope = scopeOf('many');
      const [first, last] = [hex('first of many', 32), hex('last of many', 32)];
      await insert('many-1', scope, [span(first, 'one', null, { attributes: CHAT }), span(last, 'two', null, { attributes: CHAT })]);
      const others = Array.from({ length: 20_000 }, (_, index) => hex(`other ${index}`, 32));
      const known = await stores.traces.storedSpans(scope, [first, ...others, last]);
      assert.deepEqual(
        known.map(({ traceId, isRequest }) => [traceId, isRequest]),
        [
          [first, true],
          [last, true],
        ],
      );
    });

    it('counts a call of the gateway and not the span around it, whenever that one comes', async () => {
      const scope = scopeOf('joined');
      const call = sampleCall('joined', NOW, { ...scope, parentSpanId: hex('http', 16) });
      await stores.insertBatch(batchOf('joined-1', [{ call }]));
      await insert('joined-2', scope, [span(call.traceId, 'http', 'chat')]);
      await insert('joined-3', scope, [span(call.traceId, 'chat', 'agent', { attributes: CHAT }), span(call.traceId, 'agent', null)]);
      const [trace] = await list(scope);
      assert.equal(trace?.requests, 1);
      assert.equal(trace?.costPicoUsd, call.costPicoUsd);
      assert.equal(trace?.name, 'agent');
      const { total } = await stores.traces.summary(scope, NOW - HOUR, NOW + HOUR, 'feature');
      assert.deepEqual([total.requests, total.costPicoUsd], [1, call.costPicoUsd]);
      const detail = TraceDetail.parse(await stores.traces.getTrace(scope, call.traceId));
      const chat = detail.spans.find(({ name }) => name === 'chat');
      assert.equal(chat?.attributes['plimsoll.counted_by'], call.spanId);
      assert.equal(chat?.usage?.inputUncachedTokens, 1_000);
    });
  });
}
