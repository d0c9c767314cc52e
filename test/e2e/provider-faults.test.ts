import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { RoutingState } from '../../src/gateway/routing/routes.ts';
import { within } from '../../src/kernel/testing.ts';
import type { TracePage } from '../../src/traces/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

/** A limit that passes only because the machine is busy would be taken for the provider's fault. */
const SLOWNESS = Math.min(5, within(100) / 100);
const TOTAL_MS = Math.ceil(8_000 * SLOWNESS);
/** Each limit is far below this: what takes longer was not bounded. */
const BOUND_MS = Math.ceil(15_000 * SLOWNESS);
const IDLE_MS = Math.ceil(800 * SLOWNESS);
const TIMEOUTS = `{ connectMs: ${IDLE_MS}, firstByteMs: ${Math.ceil(1_200 * SLOWNESS)}, idleMs: ${IDLE_MS}, totalMs: ${TOTAL_MS} }`;
const QUESTION = 'Explain our return policy in detail, please.';

/** A fault gets targets of its own, so that what is learned from one does not route another around. */
const FAULTS = [
  'rate_limit_told',
  'rate_limit_untold',
  'status_500',
  'status_502',
  'status_503',
  'status_529',
  'refused',
  'reset',
  'tls',
  'hang',
  'slow_first',
  'stall',
  'cut',
  'truncated',
  'error_event',
  'empty',
  'malformed',
  'no_usage',
  'no_finish',
  'drip',
  'revoked',
] as const;
type FaultName = (typeof FAULTS)[number];

/** Accepts and resets at once. */
function startResetting(): Promise<Server> {
  const server = createServer((socket) => void socket.on('error', () => {}).resetAndDestroy());
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

async function closedPort(): Promise<number> {
  const server = await startResetting();
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Every fault has a route `alone-…` with one target, and `pair-…` with a second one that works. */
function configOf(refusedPort: number, resetPort: number): string {
  const providerOf = (name: FaultName): string => (name === 'refused' || name === 'reset' || name === 'tls' ? name : 'sim');
  return `version: 1
providers:
  sim: { kind: sim, timeouts: ${TIMEOUTS} }
  refused: { kind: sim, baseUrl: "http://127.0.0.1:${refusedPort}/openai/v1", timeouts: ${TIMEOUTS} }
  reset: { kind: sim, baseUrl: "http://127.0.0.1:${resetPort}/openai/v1", timeouts: ${TIMEOUTS} }
  tls: { kind: sim, baseUrl: "https://127.0.0.1:${resetPort}/openai/v1", timeouts: ${TIMEOUTS} }
models:
${FAULTS.map((name) => `  ${name}: { provider: ${providerOf(name)}, model: sim-large }\n  backup_${name}: { provider: sim, model: sim-small }`).join('\n')}
routes:
${FAULTS.map((name) => `  alone-${name}: { targets: [${name}] }\n  pair-${name}: { targets: [${name}, backup_${name}] }`).join('\n')}
prices:
  no_usage: { inputPerMillionUsd: 1, outputPerMillionUsd: 2 }
features: { faults: { owner: test, route: alone-cut } }
gateway: { health: { consecutiveFailures: 20, intervalMs: 86400000 } }
sim: { seed: 1, latencyFactor: 0.02 }
`;
}

interface Answer {
  readonly status: number;
  /** Assembled text of the answer. */
  readonly text: string;
  /** JSON: a whole body with status 200. Stream: ended with `[DONE]` and without an error event. */
  readonly isComplete: boolean;
  readonly errorCode: string | null;
  readonly model: string | null;
  readonly ms: number;
}

describe('faults of providers', { timeout: 600_000 }, () => {
  let plimsoll: Plimsoll;
  let resetting: Server;
  let calls = 0;
  /** What the two models say to the question, whole. */
  const whole: Record<string, string> = {};

  before(async () => {
    resetting = await startResetting();
    plimsoll = await startPlimsoll({ config: configOf(await closedPort(), portOf(resetting)) });
    whole.primary = (await call('alone-cut', false, null)).text;
    whole.backup = (await call('backup_cut', false, null)).text;
    assert.ok(whole.primary.length > 40 && whole.backup.length > 20);
  });
  after(async () => {
    await plimsoll.stop();
    await new Promise((resolve) => resetting.close(resolve));
  });

  async function call(model: string, isStream: boolean, fault: string | null): Promise<Answer> {
    calls++;
    const startMs = performance.now();
    const response = await fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${plimsoll.virtualKey}`,
        'content-type': 'application/json',
        'x-plimsoll-session': 'faults',
        ...(fault === null ? {} : { 'x-sim-fault': `${fault};model=sim-large` }),
      },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: QUESTION }], stream: isStream }),
      signal: AbortSignal.timeout(within(BOUND_MS)),
    });
    let body = '';
    let isCut = false;
    try {
      const decoder = new TextDecoder();
      for await (const part of response.body ?? []) body += decoder.decode(part, { stream: true });
    } catch {
      isCut = true;
    }
    const ms = performance.now() - startMs;
    const common = { status: response.status, model: response.headers.get('x-plimsoll-model'), ms };
    if (!isStream || response.status !== 200) {
      const parsed = JSON.parse(body) as { choices?: { message: { content: string } }[]; error?: { code: string } };
      const text = parsed.choices?.[0]?.message.content ?? '';
      return { ...common, text, isComplete: response.status === 200 && !isCut, errorCode: parsed.error?.code ?? null };
    }
    const events = body
      .split('\n\n')
      .filter((event) => event.startsWith('data: {'))
      .map((event) => JSON.parse(event.slice(6)) as { choices?: { delta: { content?: string } }[]; error?: { code: string } });
    return {
      ...common,
      text: events.map((event) => event.choices?.[0]?.delta.content ?? '').join(''),
      isComplete: body.endsWith('data: [DONE]\n\n') && !isCut,
      errorCode: events.find((event) => event.error !== undefined)?.error?.code ?? null,
    };
  }

  /** The other target answered, with all of its answer. */
  function assertRecovered(answer: Answer, name: FaultName): void {
    assert.deepEqual([answer.status, answer.isComplete, answer.errorCode, answer.model], [200, true, null, `backup_${name}`]);
    assert.equal(answer.text, whole.backup);
    assert.ok(answer.ms < within(BOUND_MS));
  }

  /** The client is told, and cannot take what it got for an answer. */
  function assertHonest(answer: Answer, code: string): void {
    assert.equal(answer.errorCode, code);
    assert.equal(answer.isComplete, false);
    assert.ok(answer.status !== 200 || (whole.primary ?? '').startsWith(answer.text));
    assert.ok(answer.ms < within(BOUND_MS));
  }

  function assertWhole(answer: Answer): void {
    assert.deepEqual([answer.status, answer.isComplete, answer.errorCode], [200, true, null]);
    assert.equal(answer.text, whole.primary);
    assert.ok(answer.ms < within(BOUND_MS));
  }

  /** Before any content: another target answers; without one the client is told. */
  async function assertBeforeContent(name: FaultName, fault: string | null, code: string): Promise<void> {
    for (const isStream of [false, true]) {
      assertRecovered(await call(`pair-${name}`, isStream, fault), name);
      assertHonest(await call(`alone-${name}`, isStream, fault), code);
    }
  }

  it('1. 429 with retry-after: waited for where there is no other target, else the other answers', async () => {
    const told = await call('alone-rate_limit_told', false, 'error:429;retry-after=1;first=1;id=a');
    assertWhole(told);
    assert.ok(told.ms >= 1_000, `${told.ms} ms`);
    assertRecovered(await call('pair-rate_limit_told', true, 'error:429;retry-after=5;id=b'), 'rate_limit_told');
    // Longer than any wait that a call is worth: the client hears it from us.
    assertHonest(await call('alone-rate_limit_told', false, 'error:429;retry-after=3600;id=c'), 'provider_rate_limited');
  });

  it('2. 429 without retry-after: tried again, or the other answers', async () => {
    assertWhole(await call('alone-rate_limit_untold', true, 'error:429;first=1;id=d'));
    assertRecovered(await call('pair-rate_limit_untold', false, 'error:429;id=e'), 'rate_limit_untold');
    assertHonest(await call('alone-rate_limit_untold', false, 'error:429;id=f'), 'provider_rate_limited');
  });

  for (const status of [500, 502, 503, 529] as const) {
    it(`3. ${status}: tried again, then the other target, else an error`, async () => {
      const name = `status_${status}` as const;
      assertWhole(await call(`alone-${name}`, false, `error:${status};first=1`));
      await assertBeforeContent(name, `error:${status}`, 'provider_unavailable');
    });
  }

  it('4. connect refused', () => assertBeforeContent('refused', null, 'provider_unavailable'));

  it('5. TLS handshake broken, and connection reset before and after it stood', async () => {
    await assertBeforeContent('tls', null, 'provider_unavailable');
    assertRecovered(await call('pair-reset', true, null), 'reset');
    assertHonest(await call('alone-reset', false, null), 'provider_unavailable');
    assertRecovered(await call('pair-cut', false, 'connection_reset'), 'cut');
  });

  it('6. headers, then nothing', () => assertBeforeContent('hang', 'headers_then_hang', 'provider_timeout'));

  it('7. first byte later than the limit, and later but within it', async () => {
    await assertBeforeContent('slow_first', 'slow_first_byte=60000', 'provider_timeout');
    assertWhole(await call('alone-slow_first', true, 'slow_first_byte=400'));
  });

  it('8. stall in the middle of a stream', async () => {
    for (const route of ['alone-stall', 'pair-stall']) {
      const answer = await call(route, true, 'stall_after=6');
      assertHonest(answer, 'provider_stream_cut');
      assert.ok(answer.text.length > 0);
    }
    assertRecovered(await call('pair-stall', false, 'stall_after=6'), 'stall');
  });

  it('9. cut in the middle of a stream', async () => {
    for (const route of ['alone-cut', 'pair-cut']) {
      const answer = await call(route, true, 'cut_after=6');
      assertHonest(answer, 'provider_stream_cut');
      assert.ok(answer.text.length > 0);
    }
    assertHonest(await call('alone-cut', false, 'cut_after=6'), 'provider_unavailable');
  });

  it('10. truncated JSON with status 200', async () => {
    assertRecovered(await call('pair-truncated', false, 'malformed_json'), 'truncated');
    assertHonest(await call('alone-truncated', false, 'malformed_json'), 'provider_bad_response');
    assertHonest(await call('alone-truncated', true, 'malformed_json'), 'provider_stream_cut');
  });

  it('11. an error inside a stream of status 200: as its first event, and later', async () => {
    await assertBeforeContent('error_event', 'error_first_event', 'provider_unavailable');
    assertHonest(await call('pair-error_event', true, 'error_after=6'), 'provider_unavailable');
  });

  it('12. empty completion, and no body at all', async () => {
    await assertBeforeContent('empty', 'empty_completion', 'provider_bad_response');
    assertRecovered(await call('pair-no_usage', true, 'empty'), 'no_usage');
  });

  it('13. malformed SSE', async () => {
    const answer = await call('alone-malformed', true, 'malformed_sse');
    assert.equal(answer.isComplete, false);
    assert.ok(answer.errorCode === 'provider_stream_cut' || answer.errorCode === 'provider_bad_response', String(answer.errorCode));
    const pair = await call('pair-malformed', true, 'malformed_sse');
    assert.ok(pair.isComplete ? pair.text === whole.backup : pair.errorCode === 'provider_stream_cut');
  });

  it('14. usage missing: the answer is whole, its cost is marked as estimated', async () => {
    for (const isStream of [false, true]) assertWhole(await call('alone-no_usage', isStream, 'no_usage'));
    const page = await eventually(
      'the traces',
      () => plimsoll.api<TracePage>('/api/v1/traces?session=faults&limit=10'),
      ({ traces }) => traces.filter(({ name }) => name === 'chat alone-no_usage').length === 2,
    );
    for (const trace of page.traces.filter(({ name }) => name === 'chat alone-no_usage')) {
      assert.ok((trace.inputTokens ?? 0) > 0 && (trace.outputTokens ?? 0) > 0);
      assert.equal(trace.costStatus, 'estimated_tokens');
    }
  });

  it('15. finish_reason missing: only the end mark of the dialect makes a stream complete', async () => {
    // The simulated provider still sends [DONE]: by OpenAI's format the stream is then complete.
    assertWhole(await call('alone-no_finish', true, 'no_finish_reason'));
    const json = await call('alone-no_finish', false, 'no_finish_reason');
    assert.ok(json.isComplete ? json.text === whole.primary : json.errorCode !== null);
  });

  it('16. a slow drip below the idle limit: whole while it takes less than the total limit, else an error', async () => {
    assertWhole(await call('alone-drip', true, 'slow_chunks=20'));
    const endless = await call('pair-drip', true, `slow_chunks=${IDLE_MS - 100}`);
    assertHonest(endless, 'provider_stream_cut');
    assert.ok(endless.ms >= TOTAL_MS - 500, `${endless.ms} ms`);
  });

  it('17. a key that is revoked at one target', () => assertBeforeContent('revoked', 'key_revoked', 'provider_auth_failed'));

  it('a target that keeps failing is taken out, the API and Prometheus say so, and every call has one row', async () => {
    for (let index = 0; index < 20; index++) assertRecovered(await call('pair-refused', false, null), 'refused');
    const state = await eventually(
      'the report of the gateway',
      () => plimsoll.api<RoutingState>('/api/v1/routes'),
      ({ targets }) => targets.find(({ model }) => model === 'refused')?.state === 'ejected',
    );
    assert.equal(state.workers, 1);
    const route = state.routes.find(({ name }) => name === 'pair-refused');
    assert.ok((route?.decisions['priority:unhealthy'] ?? 0) > 0, JSON.stringify(route));
    assert.match(
      await (await fetch(`${plimsoll.url}/metrics`)).text(),
      /^plimsoll_target_healthy\{model="refused",provider="refused"\} 0$/m,
    );
    const made = calls;
    const total = await eventually(
      'every call in the store',
      () => plimsoll.api<{ total: { requests: number } }>('/api/v1/metrics/summary'),
      ({ total: { requests } }) => requests >= made,
    );
    assert.equal(total.total.requests, made);
  });
});
