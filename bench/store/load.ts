import { newSpanId, newTraceId, newUuidV7 } from '../../src/kernel/ids.ts';
import { readShippedPriceBook } from '../../src/models/price-book.ts';
import type { ClickHouseStores } from '../../src/stores/clickhouse/open.ts';
import { rowsFromOtlp } from '../../src/traces/from-otlp.ts';
import type { OtlpBatchMeta } from '../../src/traces/otlp/batch-record.ts';
import { protobufRequest, type TestSpan } from '../../src/traces/otlp/testing.ts';
import { batchOf, sampleAttempt, sampleCall } from '../../test/contract/ledger-sample-calls.ts';
import { type AgentCorpus, FEATURES } from './corpus.ts';

export const SCOPE = { organisationId: 'default', environment: 'production' };
const SPANS_PER_BATCH = 4_000;
const CALLS_PER_BATCH = 500;
const MODELS = ['gpt-5-mini', 'gpt-5-nano', 'claude-haiku', 'llama-70b'] as const;

function metaAt(receivedAtMs: number): OtlpBatchMeta {
  return {
    ...SCOPE,
    receivedAtMs,
    encoding: 'protobuf',
    keyId: 'bench',
    team: 'bench',
    feature: null,
    features: Object.fromEntries(FEATURES.map((name) => [name, 'full' as const])),
    maxPayloadBytes: 1_000_000,
  };
}

export interface Loaded {
  readonly spans: number;
  /** As OTLP protobuf, or as the records of a gateway. */
  readonly rawBytes: number;
}

/** Traces of agents, through the product's own reader of OTLP. */
export async function loadAgents(
  stores: ClickHouseStores,
  corpus: AgentCorpus,
  spans: number,
  fromMs: number,
  toMs: number,
  turns = 1,
): Promise<Loaded> {
  const prices = readShippedPriceBook();
  let count = 0;
  let rawBytes = 0;
  for (let batch = 0; count < spans; batch++) {
    const waiting: TestSpan[] = [];
    while (waiting.length < SPANS_PER_BATCH && count + waiting.length < spans)
      waiting.push(...corpus.trace(fromMs + ((toMs - fromMs) * (count + waiting.length)) / spans, turns).spans);
    const body = protobufRequest([{ resource: { 'service.name': 'bench' }, scope: { name: 'bench' }, spans: waiting }]);
    rawBytes += body.length;
    await stores.insertBatch({ token: `agents-${fromMs}-${batch}`, ...rowsFromOtlp(metaAt(toMs), body, prices), ledger: [] });
    count += waiting.length;
  }
  return { spans: count, rawBytes };
}

/** One trace of very many spans. */
export async function loadLongTrace(stores: ClickHouseStores, corpus: AgentCorpus, spans: number, atMs: number): Promise<string> {
  const traceId = newTraceId();
  const waiting: TestSpan[] = [];
  while (waiting.length < spans) waiting.push(...corpus.trace(atMs + waiting.length, 3).spans.map((span) => ({ ...span, traceId })));
  for (let place = 0; place < spans; place += SPANS_PER_BATCH) {
    const body = protobufRequest([{ spans: waiting.slice(place, Math.min(spans, place + SPANS_PER_BATCH)) }]);
    await stores.insertBatch({ token: `long-${place}`, ...rowsFromOtlp(metaAt(atMs), body, readShippedPriceBook()), ledger: [] });
  }
  return traceId;
}

/** Calls of a gateway, seven spans each. */
export async function loadCalls(
  stores: ClickHouseStores,
  corpus: AgentCorpus,
  calls: number,
  fromMs: number,
  toMs: number,
): Promise<Loaded> {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(corpus.random() * values.length)] as T; // the lists are not empty
  let count = 0;
  let rawBytes = 0;
  for (let place = 0; place < calls; place += CALLS_PER_BATCH) {
    const made = Array.from({ length: Math.min(CALLS_PER_BATCH, calls - place) }, (_, each) => {
      const startedAtMs = Math.floor(fromMs + ((toMs - fromMs) * (place + each)) / calls);
      const status = corpus.random() < 0.02 ? 'error' : corpus.random() < 0.01 ? 'aborted' : 'ok';
      const durationMs = Math.round(200 * Math.exp(corpus.random() * 3));
      const model = pick(MODELS);
      const spanId = newSpanId();
      const costPicoUsd = String(Math.floor(corpus.random() * 1e9));
      const attempt = { spanId: newSpanId(), requestModel: model, responseModel: `${model}-2026-01-01`, durationMs, costPicoUsd };
      const call = sampleCall(spanId, startedAtMs, {
        callId: newUuidV7(startedAtMs),
        traceId: newTraceId(),
        spanId,
        feature: pick(FEATURES),
        team: pick(['support', 'legal', 'platform']),
        user: `user-${Math.floor(corpus.random() * 5000)}`,
        session: `session-${Math.floor(corpus.random() * 50_000)}`,
        status,
        errorType: status === 'error' ? 'provider_timeout' : null,
        durationMs,
        ttftMs: durationMs / 4,
        costPicoUsd,
        attempts: [sampleAttempt(spanId, attempt)],
      });
      const payload = {
        ...SCOPE,
        callId: call.callId,
        traceId: call.traceId,
        spanId: call.spanId,
        startedAtMs,
        policy: 'full' as const,
        input: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: corpus.text(2_000 * corpus.random()) }] }),
        output: JSON.stringify([{ role: 'assistant', content: corpus.text(600) }]),
        isTruncated: false,
      };
      return { call, payload };
    });
    const batch = batchOf(`calls-${place}`, made);
    rawBytes += JSON.stringify(made).length;
    count += batch.spans.length;
    await stores.insertBatch(batch);
  }
  return { spans: count, rawBytes };
}
