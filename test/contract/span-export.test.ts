import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_SCOPE as scope } from '../../src/kernel/scope.ts';
import { readShippedPriceBook } from '../../src/models/price-book.ts';
import { type Engine, startEngine } from '../../src/stores/chdb/engine.ts';
import { ClickHouseConnection } from '../../src/stores/clickhouse/client.ts';
import { type ClickHouseStores, openClickHouse } from '../../src/stores/clickhouse/open.ts';
import { countOnce } from '../../src/traces/count-once.ts';
import { type ExportFormat, exportFile } from '../../src/traces/export/export-file.ts';
import { rowsFromOtlp } from '../../src/traces/from-otlp.ts';
import type { TraceDetail, TraceQuery } from '../../src/traces/model.ts';
import type { OtlpBatchMeta } from '../../src/traces/otlp/batch-record.ts';
import { protobufRequest } from '../../src/traces/otlp/testing.ts';
import { batchOf, hex, sampleAttempt, sampleCall, samplePayload } from './ledger-sample-calls.ts';

const NOW = Date.UTC(2026, 5, 15, 12);
const MINUTE = 60_000;
const BOOK = readShippedPriceBook();
const LONG = 'A long instruction that every call of the conversation carries along. '.repeat(20);

function metaOf(encoding: 'json' | 'protobuf'): OtlpBatchMeta {
  return {
    ...scope,
    receivedAtMs: NOW,
    encoding,
    keyId: 'k',
    team: null,
    feature: null,
    features: { helper: 'full', 'customer-support': 'full' },
    maxPayloadBytes: 1_000_000,
  };
}

describe('export of spans', { timeout: 300_000 }, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-export-'));
  const token = randomUUID();
  let engine: Engine;
  let stores: ClickHouseStores;
  let fresh: ClickHouseStores;
  let connection: ClickHouseConnection;
  const foreign = hex('foreign', 32);

  before(async () => {
    engine = await startEngine({ dataDir, token, port: 0 });
    const options = (database: string) => ({ url: `http://127.0.0.1:${engine.port}`, token, database });
    stores = openClickHouse(options('plimsoll'));
    fresh = openClickHouse(options('fresh'));
    await stores.migrate();
    await fresh.migrate();
    connection = new ClickHouseConnection(options('plimsoll'), 'plimsoll');
    // A conversation whose texts share parts, a fallback, and a trace of a client.
    const calls = Array.from({ length: 30 }, (_, turn) => {
      const failed = sampleAttempt(`failed ${turn}`, {
        status: 'error',
        errorType: 'provider_timeout',
        usage: null,
        usageSource: null,
        costPicoUsd: null,
      });
      const call = sampleCall(`turn ${turn}`, NOW - (turn + 1) * MINUTE, {
        ...(turn % 10 === 3 ? { attempts: [failed, sampleAttempt(`turn ${turn}`)] } : {}),
        ...(turn % 10 === 7 ? { status: 'error', errorType: 'provider_timeout', errorMessage: 'late' } : {}),
        tags: { tier: 'gold' },
      });
      const history = Array.from({ length: turn }, (_, at) => ({ role: at % 2 ? 'assistant' : 'user', content: `${at} ${LONG}` }));
      const payload = samplePayload(call, `question ${turn}`, `answer ${turn} ${LONG}`);
      return {
        call,
        payload: { ...payload, input: JSON.stringify({ model: 'default', messages: [{ role: 'system', content: LONG }, ...history] }) },
      };
    });
    await stores.insertBatch(batchOf('calls', calls));
    const request = protobufRequest([
      {
        resource: { 'service.name': 'helper', 'deployment.zone': 'a' },
        scope: { name: 'openinference.instrumentation.openai', version: '1.0' },
        spans: [
          {
            traceId: foreign,
            spanId: hex('root', 16),
            name: 'agent',
            startNs: BigInt(NOW) * 1_000_000n,
            endNs: BigInt(NOW) * 1_000_000n + 5_000_000n,
            attributes: { 'openinference.span.kind': 'AGENT', 'input.value': 'go' },
          },
          {
            traceId: foreign,
            spanId: hex('llm', 16),
            parentSpanId: hex('root', 16),
            name: 'ChatCompletion',
            startNs: BigInt(NOW) * 1_000_000n + 7n,
            endNs: BigInt(NOW) * 1_000_000n + 3_000_000n,
            attributes: {
              'openinference.span.kind': 'LLM',
              'llm.model_name': 'gpt-4o',
              'llm.provider': 'openai',
              'llm.input_messages.0.message.role': 'user',
              'llm.input_messages.0.message.content': 'Where is it?',
              'llm.output_messages.0.message.role': 'assistant',
              'llm.output_messages.0.message.content': 'Here.',
              'llm.token_count.prompt': 1_000,
              'llm.token_count.completion': 10,
              'llm.token_count.prompt_details.cache_read': 400,
              'my.list': [1, 'two', true],
            },
            events: [{ name: 'first_token', atNs: BigInt(NOW) * 1_000_000n + 1_000_000n }],
          },
        ],
      },
    ]);
    const rows = rowsFromOtlp(metaOf('protobuf'), request, BOOK);
    await stores.insertBatch({ token: 'foreign', ledger: [], io: rows.io, spans: countOnce(rows.spans, []) });
  });
  let isClosed = false;
  after(async () => {
    await connection?.close();
    await stores?.close();
    await fresh?.close();
    if (!isClosed) await engine?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const exported = (format: ExportFormat, query: Partial<TraceQuery> = {}) =>
    exportFile(stores.spanExport, scope, { limit: 1_000_000, ...query }, format);
  const lines = async (query: Partial<TraceQuery> = {}) => {
    const whole = (await text(await exported('jsonl', query))).split('\n').filter((line) => line !== '');
    return whole.map((line) => JSON.parse(line));
  };

  it('has every span of the traces that match, newest first, with the texts as they were sent', async () => {
    const all = await lines();
    const [{ count } = { count: '' }] = await connection.read<{ count: string }>('SELECT count() AS count FROM spans', {});
    assert.equal(all.length, Number(count));
    assert.deepEqual(
      [...new Set(all.map(({ traceId }) => traceId))],
      [foreign, ...Array.from({ length: 30 }, (_, turn) => hex(`trace turn ${turn}`, 32))].sort(
        (a, b) => startOf(all, b) - startOf(all, a),
      ),
    );
    for (const line of all.filter(({ kind }) => kind === 'gateway')) {
      const detail = await stores.traces.spanTexts(scope, line.traceId, line.spanId);
      assert.deepEqual([line.input, line.output], [detail?.input, detail?.output]);
      assert.match(line.input, /A long instruction/);
    }
    assert.equal(all.find(({ kind }) => kind === 'gateway')?.costUsd, '0.000045');
  });

  it('takes the filters of the list, and a limit in traces', async () => {
    const failed = await lines({ status: 'error' });
    assert.deepEqual(new Set(failed.map(({ traceId }) => traceId)), new Set([7, 17, 27].map((turn) => hex(`trace turn ${turn}`, 32))));
    assert.equal(new Set((await lines({ limit: 7 })).map(({ traceId }) => traceId)).size, 7);
    assert.equal((await lines({ feature: 'helper' })).length, 2);
    assert.deepEqual(await lines({ feature: 'nobody' }), []);
    await assert.rejects(exported('jsonl', { q: '""' }), { code: 'invalid_argument' });
  });

  it('writes Parquet with the same rows and exact decimals, and leaves nothing behind', async () => {
    const file = await buffer(await exported('parquet'));
    assert.equal(file.subarray(0, 4).toString(), 'PAR1');
    assert.equal(file.subarray(-4).toString(), 'PAR1');
    const path = join(dataDir, 'read-back.parquet');
    writeFileSync(path, file);
    const rows = await connection.read<Record<string, unknown>>(
      `SELECT traceId, spanId, toString(startedAtNs) AS startedAtNs, toString(costUsd) AS costUsd, input, tags, finishReasons, isEntry FROM file('${path}', 'Parquet')`,
      {},
    );
    const all = await lines();
    assert.deepEqual(
      rows.map(({ traceId, spanId, startedAtNs, costUsd, input, tags, finishReasons }) => [
        traceId,
        spanId,
        startedAtNs,
        costUsd,
        input,
        tags,
        finishReasons,
      ]),
      all.map(({ traceId, spanId, startedAtNs, costUsd, input, tags, finishReasons }) => [
        traceId,
        spanId,
        startedAtNs,
        costUsd,
        input,
        tags,
        finishReasons,
      ]),
    );
    const tables = await connection.read(
      "SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'export_')",
      {},
    );
    assert.deepEqual(tables, []);
    assert.deepEqual(readdirSync(join(dataDir, 'spool')), []);
    assert.equal((await buffer(await exported('parquet', { feature: 'nobody' }))).subarray(0, 4).toString(), 'PAR1');
  });

  it('comes back from OTLP into a fresh Plimsoll field by field', async () => {
    const requests = (await text(await exported('otlp'))).split('\n').filter((line) => line !== '');
    for (const [place, request] of requests.entries()) {
      const rows = rowsFromOtlp(metaOf('json'), Buffer.from(request), BOOK);
      const known = await fresh.traces.storedSpans(scope, [...new Set(rows.spans.map(({ traceId }) => traceId))]);
      await fresh.insertBatch({ token: `import ${place}`, ledger: [], io: rows.io, spans: countOnce(rows.spans, known) });
    }
    const before = await stores.traces.listTraces(scope, { limit: 200 }, NOW);
    assert.deepEqual(await fresh.traces.listTraces(scope, { limit: 200 }, NOW), before);
    for (const { traceId } of before.traces) {
      const [original, copy] = await Promise.all([stores.traces.getTrace(scope, traceId), fresh.traces.getTrace(scope, traceId)]);
      assert.deepEqual(withoutMark(copy), original);
    }
    const [from, to] = [NOW - 86_400_000, NOW + 86_400_000];
    assert.deepEqual(await fresh.traces.summary(scope, from, to, 'model'), await stores.traces.summary(scope, from, to, 'model'));
  });

  it('fails where the engine fails, instead of ending', async () => {
    const pieces = (await exported('jsonl'))[Symbol.asyncIterator]();
    assert.equal((await pieces.next()).done, false);
    isClosed = true;
    await engine.close();
    await assert.rejects(
      async () => {
        while ((await pieces.next()).done !== true);
      },
      { code: 'store_unavailable' },
    );
  });
});

function startOf(lines: readonly { traceId: string; startedAtNs: string }[], traceId: string): number {
  return Math.min(...lines.filter((line) => line.traceId === traceId).map(({ startedAtNs }) => Number(startedAtNs)));
}

/** What was imported says so, and is the same besides. */
function withoutMark(detail: TraceDetail | null): TraceDetail | null {
  if (detail === null) return null;
  return {
    ...detail,
    spans: detail.spans.map((span) => {
      const { 'plimsoll.imported': mark, ...attributes } = span.attributes;
      assert.equal(mark, true);
      return { ...span, attributes };
    }),
  };
}
