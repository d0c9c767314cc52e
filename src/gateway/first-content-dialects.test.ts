import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SIM_DIALECTS, type SimDialect } from '../models/config.ts';
import type { SimulatedProviders } from '../sim/provider-server.ts';
import { startSim } from '../sim/testing.ts';
import { simulatedBaseUrl } from './provider-kinds.ts';
import { startGateway, TEST_KEY, type TestGateway, testModel, testProvider, testRoute, testSnapshot } from './testing.ts';

/** What happens before there is content: another target has to answer, whatever the dialect of the first. */
const BEFORE_CONTENT: readonly (readonly [fault: string, errorTypes: RegExp])[] = [
  ['error_first_event', /^provider_(unavailable|bad_response)$/],
  ['empty_completion', /^provider_bad_response$/],
  ['empty', /^provider_(bad_response|stream_cut)$/],
  ['headers_then_hang', /^provider_timeout$/],
  ['connection_reset', /^provider_unavailable$/],
  ['key_revoked', /^provider_auth_failed$/],
  ['error:429', /^provider_rate_limited$/],
  ['error:503', /^provider_(unavailable|rate_limited)$/],
];
/** What happens behind content: the client is told, and gets no end mark. */
const BEHIND_CONTENT = ['cut_after=6', 'stall_after=6', 'error_after=6'];

describe('faults of every dialect', () => {
  let sim: SimulatedProviders;
  let gateway: TestGateway;
  before(async () => {
    sim = await startSim({});
    gateway = await startGateway(null);
  });
  after(async () => {
    await gateway.close();
    await sim.close();
  });

  function use(dialect: SimDialect): void {
    const timeouts = { connectMs: 1000, firstByteMs: 1500, idleMs: 250, totalMs: 10_000 };
    const provider = (name: string, of: SimDialect) => {
      const baseUrl = simulatedBaseUrl(`http://127.0.0.1:${sim.port}`, of);
      assert.ok(baseUrl !== null);
      const settings = of === 'bedrock' ? { settings: { region: 'eu-central-1' } } : {};
      return testProvider(baseUrl, { name, kind: 'sim', dialect: of, isSimulated: true, timeouts, ...settings });
    };
    gateway.snapshot = testSnapshot('http://127.0.0.1:1', {
      providers: [provider('first', dialect), provider('second', 'openai')],
      models: [
        testModel('sim-large', { provider: 'first', upstreamModel: 'sim-large' }),
        testModel('sim-small', { provider: 'second', upstreamModel: 'sim-small' }),
      ],
      routes: [testRoute({ 'sim-large': {}, 'sim-small': {} })],
    });
  }

  async function call(isStream: boolean, fault: string) {
    const response = await fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', 'x-sim-fault': `${fault};model=sim-large` },
      body: JSON.stringify({
        model: 'main',
        messages: [{ role: 'user', content: 'Explain our return policy in detail.' }],
        stream: isStream,
      }),
    });
    let text = '';
    let isCut = false;
    try {
      const decoder = new TextDecoder();
      for await (const part of response.body ?? []) text += decoder.decode(part, { stream: true });
    } catch {
      isCut = true;
    }
    return { status: response.status, text, isCut, row: gateway.journal.settled.at(-1) };
  }

  for (const dialect of SIM_DIALECTS) {
    it(`${dialect}: before the first content another target answers`, async () => {
      use(dialect);
      for (const [fault, errorTypes] of BEFORE_CONTENT) {
        for (const isStream of [false, true]) {
          const { status, text, isCut, row } = await call(isStream, fault);
          const what = `${fault}, ${isStream ? 'stream' : 'JSON'}: ${text.slice(0, 300)}`;
          assert.deepEqual([status, isCut, row?.status], [200, false, 'ok'], what);
          assert.ok(isStream ? text.endsWith('data: [DONE]\n\n') : text.includes('"finish_reason"'), what);
          assert.equal(row?.attempts.length, 2, what);
          assert.match(row?.attempts[0]?.errorType ?? '', errorTypes, what);
        }
      }
    });

    it(`${dialect}: behind content the client is told, and gets no end`, async () => {
      use(dialect);
      for (const fault of BEHIND_CONTENT) {
        const { status, text, isCut, row } = await call(true, fault);
        assert.deepEqual([status, isCut, row?.status, row?.attempts.length], [200, true, 'error', 1], `${fault}: ${text.slice(-300)}`);
        assert.match(text, /"error":\{/, fault);
        assert.ok(!text.includes('[DONE]'), fault);
      }
    });
  }
});
