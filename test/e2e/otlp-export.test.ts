import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { eventually, type Plimsoll, SIM_CONFIG_FAST, startPlimsoll } from '../harness/plimsoll.ts';

interface Point {
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[];
  readonly count?: string;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
}
interface Metric {
  readonly name: string;
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}
interface ExportRequest {
  readonly resourceMetrics: readonly { readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[] }[];
}

describe('metrics over OTLP', () => {
  let receiver: Server;
  let plimsoll: Plimsoll;
  let status = 503;
  const received: { url: string; headers: IncomingHttpHeaders; body: ExportRequest }[] = [];
  const traces: string[] = [];

  before(async () => {
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url?.endsWith('/v1/traces') === true) {
          if (status === 200) traces.push(Buffer.concat(chunks).toString());
          response.writeHead(status).end('{}');
          return;
        }
        received.push({ url: request.url ?? '', headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
        response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as AddressInfo; // listens on a port
    const config = `version: 1
providers: { sim: { kind: sim, dialect: openai } }
models: { small: { provider: sim, model: sim-small } }
routes: { main: { targets: [small] } }
features: { a: { route: main } }
gateway: { workers: 2 }
telemetry:
  otlp: { endpoint: "http://127.0.0.1:${port}/collector/", headers: { x-token: "\${OTLP_EXPORT_TEST_TOKEN}" }, traces: true, intervalMs: 1000 }
${SIM_CONFIG_FAST}`;
    plimsoll = await startPlimsoll({ config, variables: { OTLP_EXPORT_TEST_TOKEN: 'secret-7' } });
  });
  after(async () => {
    await plimsoll?.stop();
    await new Promise((resolve) => receiver.close(resolve));
  });

  it('come of all workers together, under OpenTelemetry’s names, also after a receiver that failed', async () => {
    for (let place = 0; place < 12; place++) {
      const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${plimsoll.virtualKey}`, 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content: `Question ${place}` }] }),
      });
      assert.equal(answer.status, 200);
      await answer.text();
    }
    await eventually(
      'a failed export',
      async () => plimsoll.output.stderr + plimsoll.output.stdout,
      (text) => text.includes('otlp_export_failed'),
    );
    status = 200;
    const find = (name: string): Metric | undefined =>
      received.at(-1)?.body.resourceMetrics[0]?.scopeMetrics[0]?.metrics.find((metric) => metric.name === name);
    const metric = await eventually(
      'all calls',
      async () => find('gen_ai.client.operation.duration'),
      (found) => found?.histogram?.dataPoints.some(({ count }) => count === '12') === true,
    );
    const point = metric?.histogram?.dataPoints[0];
    assert.deepEqual(
      Object.fromEntries((point?.attributes ?? []).map(({ key, value }) => [key, value.stringValue]))['gen_ai.operation.name'],
      'chat',
    );
    assert.equal(
      point?.bucketCounts?.reduce((sum, count) => sum + Number(count), 0),
      12,
    );
    assert.equal(point?.bucketCounts?.length, (point?.explicitBounds?.length ?? 0) + 1);
    for (const name of ['gen_ai.client.token.usage', 'llm_request_duration_seconds', 'llm_cost_usd_total', 'plimsoll_ingest_pending_bytes'])
      assert.ok(find(name) !== undefined, name);
    assert.equal(received.at(-1)?.url, '/collector/v1/metrics');
    assert.equal(received.at(-1)?.headers['x-token'], 'secret-7');
    await eventually(
      'a count',
      async () => (await fetch(`${plimsoll.url}/metrics`)).text(),
      (text) => /plimsoll_otlp_export_requests_total\{outcome="sent"\} [1-9]/.test(text),
    );
    // The spans that waited while it failed are there too, each once, and no text of theirs.
    const entries = await eventually(
      'spans of the calls',
      async () =>
        [...traces.join('').matchAll(/"spanId":"(\w+)"(?:,"parentSpanId":"\w+")?,"name":"chat main","kind":2/g)].map((match) => match[1]),
      (found) => found.length >= 12,
    );
    assert.equal(new Set(entries).size, 12);
    assert.equal(entries.length, 12);
    assert.doesNotMatch(traces.join(''), /Question \d/);
    assert.doesNotMatch(plimsoll.output.stderr + plimsoll.output.stdout, /secret-7/);
  });
});
