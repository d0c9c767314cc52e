import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import OpenAI from 'openai';
import { FakeClock } from '../kernel/clock.ts';
import type { SnapshotFeatureSwitch } from './snapshot.ts';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  TEST_KEY,
  type TestGateway,
  testFeature,
  testSnapshot,
} from './testing.ts';

const START_MS = Date.UTC(2026, 0, 5);

function switched(changes: Partial<SnapshotFeatureSwitch>): SnapshotFeatureSwitch {
  const none = { requestsPerSecond: null, shareRatio: null };
  return { id: 's', kind: 'pause', reason: 'INC-42', setBy: 'Ada', setAtMs: START_MS, expiresAtMs: null, ...none, ...changes };
}

describe('a switched feature', () => {
  let gateway: TestGateway;
  let upstream: ScriptedUpstream;
  let clock: FakeClock;
  afterEach(async () => {
    await gateway.close();
    await upstream.close();
  });

  async function start(active: SnapshotFeatureSwitch | null): Promise<void> {
    upstream = await startUpstream((_request, response) => sendJson(response, completion('hello')));
    clock = new FakeClock(START_MS);
    const support = active === null ? testFeature('support') : testFeature('support', { switch: active });
    gateway = await startGateway(testSnapshot(upstream.baseUrl, { features: [support, testFeature('billing')] }), clock);
  }

  const call = (headers: Record<string, string> = {}, body = '{"model":"small","messages":[]}'): Promise<Response> =>
    fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
      body,
    });

  it('that is paused refuses with who, why and until when, before its body is read, and has a row', async () => {
    await start(switched({ expiresAtMs: START_MS + 90_500 }));
    const answer = await call({}, 'not even JSON');
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '91');
    const { error } = (await answer.json()) as { error: Record<string, unknown> };
    assert.equal(error.code, 'feature_paused');
    assert.equal(error.type, 'server_error');
    assert.equal(error.message, 'The feature "support" was paused by Ada until 2026-01-05T00:01:30.500Z: INC-42');
    assert.equal(upstream.requests.length, 0);
    assert.deepEqual(
      gateway.journal.settled.map(({ feature, errorType, costPicoUsd }) => [feature, errorType, costPicoUsd]),
      [['support', 'feature_paused', '0']],
    );
    const other = await call({ authorization: 'Bearer plk_test_unbound', 'x-plimsoll-feature': 'billing' });
    assert.equal(other.status, 200, 'another feature is served');
  });

  it('without an expiry names no time, and an official SDK raises it as a server error', async () => {
    await start(switched({}));
    const client = new OpenAI({ apiKey: TEST_KEY, baseURL: gateway.baseUrl, maxRetries: 0 });
    await assert.rejects(client.chat.completions.create({ model: 'small', messages: [] }), (thrown: unknown) => {
      assert.ok(thrown instanceof OpenAI.InternalServerError);
      assert.equal(thrown.code, 'feature_paused');
      assert.equal(thrown.headers.get('retry-after'), null);
      assert.match(thrown.message, /until somebody resumes it/);
      return true;
    });
  });

  it('takes calls again when its time has passed, without a new snapshot', async () => {
    await start(switched({ expiresAtMs: START_MS + 1000 }));
    await clock.advance(999);
    assert.equal((await call()).status, 503);
    await clock.advance(1);
    assert.equal((await call()).status, 200);
  });

  it('that is throttled lets its rate in and refuses the rest by the name of the switch', async () => {
    await start(switched({ kind: 'throttle', requestsPerSecond: 2 }));
    const statuses = [];
    for (let index = 0; index < 5; index++) statuses.push((await call()).status);
    assert.deepEqual(statuses, [200, 200, 429, 429, 429]);
    const refused = await call();
    assert.equal(refused.headers.get('retry-after'), '1');
    const { error } = (await refused.json()) as { error: Record<string, unknown> };
    assert.equal(error.code, 'rate_limited');
    assert.equal(error.message, 'The feature "support" was throttled by Ada to at most 2 calls per second: INC-42');
    await clock.advance(1000);
    assert.equal((await call()).status, 200);
  });

  it('lets the calls that run when it is paused finish', async () => {
    await start(null);
    let finish = (): void => {};
    upstream.script = (_request, response) => {
      finish = () => sendJson(response, completion('late'));
    };
    const running = call();
    while (upstream.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    gateway.snapshot = testSnapshot(upstream.baseUrl, { epoch: 8, features: [testFeature('support', { switch: switched({}) })] });
    assert.equal((await call()).status, 503);
    finish();
    assert.equal((await running).status, 200);
  });
});
