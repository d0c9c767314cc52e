import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { MetricSummary, TraceDetail, TracePage } from '../../src/traces/model.ts';
import type { ReplayItem, ReplayReport } from '../../src/traces/replay/model.ts';
import { ADMIN_KEY, eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { cli } from './cli-run.ts';

/** Says a word that depends on the model, after a while; keeps what it was sent. */
interface Provider {
  readonly port: number;
  readonly bodies: string[];
  delayMs: number;
  close(): Promise<void>;
}

async function startProvider(): Promise<Provider> {
  const provider = { port: 0, bodies: [] as string[], delayMs: 0, close: (): Promise<void> => Promise.resolve() };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      provider.bodies.push(text);
      const { model } = JSON.parse(text) as { model: string };
      setTimeout(() => {
        const content = model === 'upstream-a' ? 'The sky is blue.' : 'The sea is blue.';
        const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify({
            id: 'c',
            object: 'chat.completion',
            created: 1,
            model,
            choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
            usage,
          }),
        );
      }, provider.delayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  provider.port = (server.address() as AddressInfo).port;
  provider.close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return provider;
}

// Model a: 1000 × $1 + 100 × $2 per million = $0.0012 a call; model b: a tenth.
const COST_A = 1_200_000_000n;
const COST_B = 120_000_000n;

const configOf = (port: number): string => `version: 1
providers: { stub: { kind: openai-compatible, baseUrl: "http://127.0.0.1:${port}/v1", timeouts: { connectMs: 2000, firstByteMs: 20000, idleMs: 20000, totalMs: 30000 } } }
models: { a: { provider: stub, model: upstream-a }, b: { provider: stub, model: upstream-b }, free: { provider: stub, model: upstream-c } }
prices: { a: { inputPerMillionUsd: 1, outputPerMillionUsd: 2 }, b: { inputPerMillionUsd: 0.1, outputPerMillionUsd: 0.2 } }
routes: { main: { targets: [a] } }
features:
  support: { owner: test, costOwner: a@example.com, route: main, cache: { mode: exact } }
  quiet: { owner: test, costOwner: a@example.com, route: main, payloads: preview }
keys: [ { name: any, key: "\${REPLAY_TEST_KEY}" } ]
`;
const KEY = 'replay-test-key-0123456789';

describe('replay', { timeout: 600_000 }, () => {
  let provider: Provider;
  let plimsoll: Plimsoll;
  before(async () => {
    provider = await startProvider();
    plimsoll = await startPlimsoll({ config: configOf(provider.port), variables: { REPLAY_TEST_KEY: KEY } });
  });
  after(async () => {
    await plimsoll.stop();
    await provider.close();
  });
  beforeEach(() => {
    provider.bodies.length = 0;
    provider.delayMs = 0;
  });

  /** A body with spaces, an escape and an order of its own: a repetition must not tidy it up. */
  const bodyOf = (question: string): string =>
    `{ "messages" : [ {"role":"user", "content":"${question} \\u00e9"} ],\n  "model":"main", "max_tokens": 200 }`;

  async function ask(question: string, feature = 'support'): Promise<string> {
    const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${KEY}`,
        'content-type': 'application/json',
        'x-plimsoll-feature': feature,
        'x-plimsoll-session': 'talk',
      },
      body: bodyOf(question),
    });
    assert.equal(answer.status, 200, await answer.text());
    const traceId = answer.headers.get('x-plimsoll-trace-id') ?? '';
    await eventually(
      'the call is in the store',
      () => plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`).catch(() => null),
      (detail) => detail?.spans.some(({ isEntry, input }) => isEntry && input !== null) === true,
    );
    return traceId;
  }

  const post = <T>(path: string, body?: unknown): Promise<T> => plimsoll.api<T>(path, { method: 'POST', body });
  const until = (id: string, ...states: string[]): Promise<ReplayReport> =>
    eventually(
      `replay is ${states.join(' or ')}`,
      () => plimsoll.api<ReplayReport>(`/api/v1/replays/${id}`),
      ({ state }) => states.includes(state),
      120_000,
    );
  const itemsOf = async (id: string): Promise<ReplayItem[]> =>
    (await plimsoll.api<{ items: ReplayItem[] }>(`/api/v1/replays/${id}/items?limit=200`)).items;

  it('makes one call again byte for byte, and beside it another model’s answer', async () => {
    const traceId = await ask('first');
    const sent = provider.bodies[0];
    const same = await post<ReplayReport>('/api/v1/replays', { source: { traceId }, maxCostUsd: 1, starts: 'at-once' });
    const done = await until(same.id, 'done', 'stopped', 'failed');
    assert.equal(done.state, 'done', done.reason ?? '');
    assert.deepEqual(provider.bodies, [sent, sent]);
    assert.equal(done.summary.spentPicoUsd, `${COST_A}`);
    assert.deepEqual(done.summary.sameText, { n: 1, count: 1 });

    const other = await post<ReplayReport>('/api/v1/replays', { source: { traceId }, model: 'b', maxCostUsd: 1 });
    const ready = await until(other.id, 'ready', 'failed');
    assert.equal(ready.expectedPicoUsd, `${COST_B}`);
    assert.equal(provider.bodies.length, 2, 'nothing is called before it is told to');
    await post(`/api/v1/replays/${other.id}/start`);
    const { summary } = await until(other.id, 'done');
    assert.deepEqual(summary.cost, { n: 1, recordedPicoUsd: `${COST_A}`, replayedPicoUsd: `${COST_B}` });
    assert.equal(summary.quality, 'unmeasured: needs an evaluation');
    // All but the name of the model is as it was.
    assert.equal(provider.bodies[2], sent?.replace('upstream-a', 'upstream-b'));
    const [item] = await itemsOf(other.id);
    assert.equal(item?.comparison?.isSameText, false);
    assert.equal(item?.comparison?.wordOverlap, 0.75);
    const trace = await plimsoll.api<TraceDetail>(`/api/v1/traces/${item?.replayTraceId}`);
    assert.equal(trace.spans.find(({ kind }) => kind === 'gateway')?.attributes['plimsoll.purpose'], 'replay');
    assert.equal(trace.trace.costPicoUsd, `${COST_B}`);
    const { traces } = await plimsoll.api<TracePage>('/api/v1/traces');
    assert.deepEqual(
      traces.map((each) => each.traceId),
      [traceId],
      'the list shows what clients asked for',
    );
    assert.equal(trace.trace.session, null, 'a replay is no part of the conversation');
  });

  it('is no request of the feature: counts and latencies stay', async () => {
    const { total } = await plimsoll.api<MetricSummary>('/api/v1/metrics/summary');
    assert.equal(total.requests, 1);
    assert.equal(total.costPicoUsd, `${COST_A}`);
  });

  it('stops before the ceiling could be passed', async () => {
    for (let call = 0; call < 5; call++) await ask(`ceiling ${call}`);
    provider.bodies.length = 0;
    // The upper estimate of a call: 1000 × 1.25 tokens in, 200 out = $0.00165. Room for two of $0.0012 and one estimate beside them, not for more.
    const run = await post<ReplayReport>('/api/v1/replays', {
      source: { filter: { feature: 'support', q: 'ceiling' }, limit: 5 },
      maxCostUsd: 0.0041,
      concurrency: 4,
      starts: 'at-once',
    });
    const stopped = await until(run.id, 'stopped', 'done');
    assert.equal(stopped.state, 'stopped');
    assert.match(stopped.reason ?? '', /ceiling of \$0\.0041 leaves no room/);
    assert.equal(provider.bodies.length, 3);
    assert.equal(stopped.summary.spentPicoUsd, `${3n * COST_A}`);
  });

  it('says why calls are left out, and that a ceiling cannot hold without a price', async () => {
    await ask('quiet one', 'quiet');
    const preview = await post<ReplayReport>('/api/v1/replays', { source: { filter: { feature: 'quiet' } }, maxCostUsd: 1 });
    const failed = await until(preview.id, 'failed');
    assert.deepEqual(failed.skipped, { 'only a preview of the request was recorded': 1 });
    const free = await post<ReplayReport>('/api/v1/replays', {
      source: { filter: { feature: 'support' }, limit: 1 },
      model: 'free',
      maxCostUsd: 1,
    });
    assert.match((await until(free.id, 'failed')).reason ?? '', /"free" has no price/);
    await assert.rejects(post('/api/v1/replays', { source: { filter: {} }, model: 'nope', maxCostUsd: 1 }), /no route or model .*nope/);
  });

  it('goes on after a kill of control, pays for no answer twice, and cancels', async () => {
    provider.delayMs = 300;
    const run = await post<ReplayReport>('/api/v1/replays', {
      source: { filter: { feature: 'support', q: 'ceiling' }, limit: 5 },
      model: 'b',
      maxCostUsd: 1,
      concurrency: 1,
      starts: 'at-once',
    });
    await eventually(
      'two calls are done',
      () => plimsoll.api<ReplayReport>(`/api/v1/replays/${run.id}`),
      ({ summary }) => summary.done >= 2,
      30_000,
    );
    const { control } = await plimsoll.pids();
    process.kill(control as number, 'SIGKILL');
    const done = await until(run.id, 'done', 'failed', 'stopped');
    assert.equal(done.state, 'done');
    assert.equal(done.summary.ok, 5);
    // The call that was under way was cut off with control, its client; the rest was asked once.
    assert.ok(provider.bodies.length <= 6, `${provider.bodies.length} calls`);
    const replayed = new Set((await itemsOf(run.id)).map(({ replayTraceId }) => replayTraceId));
    assert.equal(replayed.size, 5);

    const cancelled = await post<ReplayReport>('/api/v1/replays', {
      source: { filter: { feature: 'support', q: 'ceiling' }, limit: 5 },
      maxCostUsd: 1,
      concurrency: 1,
      starts: 'at-once',
    });
    await until(cancelled.id, 'running');
    const answer = await post<ReplayReport>(`/api/v1/replays/${cancelled.id}/cancel`);
    assert.equal(answer.state, 'cancelled');
    await assert.rejects(post(`/api/v1/replays/${cancelled.id}/start`), /is cancelled/);
  });

  it('from the command line: plan, run, and the calls side by side', async () => {
    const run = (...words: string[]) =>
      cli(['traces', 'replay', ...words], {
        cwd: dirname(plimsoll.configPath),
        variables: { PLIMSOLL_URL: plimsoll.url, PLIMSOLL_ADMIN_KEY: ADMIN_KEY },
      });
    const plan = await run('--feature', 'support', '--on', 'b', '--max-cost', '1', '--limit', '2', '--dry-run');
    assert.equal(plan.exitCode, 0, plan.stderr);
    assert.match(plan.stderr, /2 calls to b: about \$0\.00024 for the recorded tokens, at most \$0\.00033 by estimate; ceiling \$1\./);
    const done = await run('--feature', 'support', '--on', 'b', '--max-cost', '1', '--limit', '2');
    assert.equal(done.exitCode, 0, done.stderr);
    assert.match(done.stdout, /upstream-a → upstream-b/);
    assert.match(done.stdout, /cost {11}\$0\.0024 → \$0\.00024 {2}\(n = 2\)/);
    assert.match(done.stdout, /quality {8}unmeasured: needs an evaluation/);
    const both = await run('0af7651916cd43dd8448eb211c80319c', '--feature', 'support', '--max-cost', '1');
    assert.equal(both.exitCode, 64);
    assert.match(both.stderr, /trace id or a filter, not both/);
  });

  it('takes control’s key from nobody else, and that key for nothing else', async () => {
    const snapshotKeys = await plimsoll.api<{ keys: { name: string }[] }>('/api/v1/keys');
    assert.ok(!snapshotKeys.keys.some(({ name }) => name === 'control'), 'it is no key of anybody');
    const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${KEY}`,
        'content-type': 'application/json',
        'x-plimsoll-feature': 'support',
        'x-plimsoll-purpose': 'replay',
      },
      body: bodyOf('purpose of a client'),
    });
    const traceId = answer.headers.get('x-plimsoll-trace-id') ?? '';
    const detail = await eventually(
      'the call is in the store',
      () => plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`).catch(() => null),
      (found) => found !== null,
    );
    assert.equal(detail?.spans.find(({ isEntry }) => isEntry)?.attributes['plimsoll.purpose'], undefined);
  });
});
