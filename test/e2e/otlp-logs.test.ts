import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ClientUnaryCall, credentials, Metadata, makeClientConstructor } from '@grpc/grpc-js';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { TraceDetail, TracePage } from '../../src/traces/model.ts';
import type { Score } from '../../src/traces/scores/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

const text = (value: string) => ({ stringValue: value });
const map = (fields: Record<string, object>) => ({
  kvlistValue: { values: Object.entries(fields).map(([key, value]) => ({ key, value })) },
});

describe('GenAI events in OTLP logs, and metrics', () => {
  let plimsoll: Plimsoll;
  let headers: Record<string, string>;
  before(async () => {
    plimsoll = await startPlimsoll();
    headers = { authorization: `Bearer ${plimsoll.virtualKey}`, 'content-type': 'application/json' };
  });
  after(() => plimsoll?.stop());

  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(`${plimsoll.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    assert.equal(answer.status, 200);
    return answer.json();
  };

  it('messages become the texts of their span, judgements its scores; the rest is said to be left out', async () => {
    const exporter = new OTLPTraceExporter({ url: `${plimsoll.url}/v1/traces`, headers: { authorization: headers.authorization ?? '' } });
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const span = provider.getTracer('an-instrumentation').startSpan('chat gpt-4o', {
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': 7,
      },
    });
    span.end();
    await provider.forceFlush();
    const { traceId, spanId } = span.spanContext();
    const record = (eventName: string, afterMs: number, over: object) => ({
      timeUnixNano: `${Date.now() + afterMs}000000`,
      traceId,
      spanId,
      eventName,
      ...over,
    });
    const body = {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                record('gen_ai.choice', 2, { body: map({ message: map({ content: text('Here.') }) }) }),
                record('gen_ai.system.message', 0, { body: map({ content: text('Be brief.') }) }),
                record('gen_ai.user.message', 1, { body: map({ content: text('Where is it?') }) }),
                record('gen_ai.evaluation.result', 3, {
                  attributes: [
                    { key: 'gen_ai.evaluation.name', value: text('relevance') },
                    { key: 'gen_ai.evaluation.score.value', value: { doubleValue: 0.5 } },
                    { key: 'gen_ai.evaluation.explanation', value: text('partly') },
                  ],
                }),
                record('app.started', 0, {}),
              ],
            },
          ],
        },
      ],
    };
    const told = { partialSuccess: { rejectedLogRecords: '1', errorMessage: 'of logs only GenAI events (gen_ai.…) are kept' } };
    assert.deepEqual(await post('/v1/logs', body), told);
    // Sent again, for want of an answer.
    assert.deepEqual(await post('/v1/logs', body), told);
    const detail = await eventually(
      'the texts of the span',
      () => plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`),
      ({ spans }) => spans[0]?.output !== null,
    );
    assert.equal(detail.spans.length, 1);
    assert.deepEqual(JSON.parse(detail.spans[0]?.input ?? ''), {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Where is it?' },
      ],
    });
    assert.deepEqual(JSON.parse(detail.spans[0]?.output ?? ''), [{ role: 'assistant', content: 'Here.' }]);
    assert.equal(detail.spans[0]?.usage?.inputUncachedTokens, 7);
    const { scores } = await plimsoll.api<{ scores: Score[] }>(`/api/v1/traces/${traceId}/scores`);
    assert.deepEqual(
      scores.map(({ name, value, comment, spanId: scored }) => [name, value, comment, scored]),
      [['relevance', 0.5, 'partly', spanId]],
    );
    const found = await eventually(
      'the trace by its text',
      () => plimsoll.api<TracePage>('/api/v1/traces?q=Where%20is'),
      ({ traces }) => traces.length > 0,
    );
    assert.deepEqual(
      found.traces.map((trace) => [trace.traceId, trace.inputPreview, trace.outputPreview]),
      [[traceId, 'Where is it?', 'Here.']],
    );
  });

  it('metrics are not kept, and the answer says so, over HTTP and gRPC', async () => {
    const points = { dataPoints: [{ asDouble: 1 }, { asDouble: 2 }] };
    const answer = (await post('/v1/metrics', {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'gen_ai.client.token.usage', histogram: points }] }] }],
    })) as { partialSuccess: { rejectedDataPoints: string; errorMessage: string } };
    assert.equal(answer.partialSuccess.rejectedDataPoints, '2');
    assert.match(answer.partialSuccess.errorMessage, /not kept .*gen_ai\.client\.token\.usage.*send traces/);

    const port = await eventually(
      'the port for gRPC',
      async () => Number(/"protocol":"grpc","port":(\d+)/.exec(plimsoll.output.stderr)?.[1] ?? 0),
      (found) => found > 0,
    );
    const asIs = (bytes: Buffer): Buffer => bytes;
    const method = {
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    const metadata = new Metadata();
    metadata.set('authorization', headers.authorization ?? '');
    // ResourceMetrics { ScopeMetrics { Metric { name "m", gauge { one empty point } } } }
    const bytes = Buffer.from([0x0a, 0x0b, 0x12, 0x09, 0x12, 0x07, 0x0a, 0x01, 0x6d, 0x2a, 0x02, 0x0a, 0x00]);
    for (const [service, body, expected] of [
      ['metrics.v1.MetricsService', bytes, /not kept/],
      ['logs.v1.LogsService', Buffer.alloc(0), /^$/],
    ] as const) {
      const Client = makeClientConstructor({ export: { path: `/opentelemetry.proto.collector.${service}/Export`, ...method } }, service);
      const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
      const response = await new Promise<Buffer>((resolve, reject) => {
        const call = client.export as (
          body: Buffer,
          metadata: Metadata,
          done: (error: Error | null, answer?: Buffer) => void,
        ) => ClientUnaryCall; // built from `method` above
        call.call(client, body, metadata, (error, answered) => (error === null ? resolve(answered ?? Buffer.alloc(0)) : reject(error)));
      });
      assert.match(response.toString('latin1'), expected);
      client.close();
    }
  });
});
