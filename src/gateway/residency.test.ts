import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, it } from 'node:test';
import { systemClock } from '../kernel/clock.ts';
import { spansFromCall } from '../traces/from-call.ts';
import { Call } from './call.ts';
import { compileSnapshot } from './compiled-snapshot.ts';
import { openAiChat } from './dialects/openai-chat.ts';
import type { SnapshotFeature } from './snapshot.ts';
import { assertTargetAllowed, restrictDestination } from './target-policy.ts';
import {
  completion,
  manyTurns,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  TEST_KEY,
  type TestGateway,
  testFeature,
  testModel,
  testProvider,
  testRoute,
  testSnapshot,
} from './testing.ts';

const EU = { regions: ['eu'], selfHosted: false };

describe('residency of a feature', () => {
  let gateway: TestGateway;
  let upstream: ScriptedUpstream;
  afterEach(async () => {
    await gateway.close();
    await upstream.close();
  });

  function snapshotOf(baseUrl: string, support: Partial<SnapshotFeature>) {
    return testSnapshot(baseUrl, {
      providers: [testProvider(baseUrl)],
      models: [
        testModel('american', { region: 'us-east-1' }),
        testModel('first', { region: 'eu-central-1' }),
        testModel('nowhere'),
        testModel('second', { region: 'eu' }),
        testModel('ours', { region: 'us', isSelfHosted: true }),
      ],
      routes: [
        { name: 'main', targets: ['american', 'first', 'nowhere', 'second'] },
        { name: 'abroad', targets: ['american', 'nowhere'] },
      ],
      features: [testFeature('support', support), testFeature('billing')],
    });
  }

  async function start(support: Partial<SnapshotFeature>): Promise<void> {
    upstream = await startUpstream((_request, response) => sendJson(response, { error: { message: 'down' } }, 503));
    gateway = await startGateway(snapshotOf(upstream.baseUrl, support));
  }

  const call = (model: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    });
  const asked = () => upstream.requests.map(({ json }) => String(json.model).replace('-2026-01-01', ''));

  it('keeps every fallback inside, and the trace says what was left out', async () => {
    await start({ residency: EU });
    assert.equal((await call('main')).status, 502);
    assert.deepEqual(asked(), ['first', 'second'], 'american and nowhere are never asked, whatever fails');
    const [settled] = gateway.journal.settled;
    assert.deepEqual(settled?.targetRules, {
      residency: 'region eu',
      excluded: [
        { model: 'american', rule: 'in us-east-1' },
        { model: 'nowhere', rule: 'declares no region' },
      ],
    });
    assert.equal(settled?.firstTarget?.model, 'first');
    assert.ok(settled);
    const { spans } = spansFromCall(settled, null);
    assert.equal(spans[0]?.attributes['plimsoll.residency'], 'region eu');
    assert.deepEqual(spans[0]?.attributes['plimsoll.targets.excluded'], ['american: in us-east-1', 'nowhere: declares no region']);
    assert.deepEqual(
      spans.filter(({ kind }) => kind === 'llm').map(({ attributes }) => attributes['plimsoll.target.region']),
      ['eu-central-1', 'eu'],
    );
  });

  it('refuses by the name of the rule when nothing is left, before any provider hears of it', async () => {
    await start({ residency: EU });
    for (const model of ['abroad', 'american']) {
      const answer = await call(model);
      assert.equal(answer.status, 403);
      const { error } = (await answer.json()) as { error: Record<string, string> };
      assert.equal(error.code, 'target_not_allowed');
      assert.match(error.message ?? '', /"support" may use no target of ".*" \(residency: region eu\): american: in us-east-1/);
    }
    assert.deepEqual(asked(), []);
    assert.equal((await call('abroad', { authorization: 'Bearer plk_test_unbound', 'x-plimsoll-feature': 'billing' })).status, 502);
    assert.deepEqual(asked(), ['american', 'nowhere'], 'another feature may');
    assert.equal(gateway.journal.settled.at(-1)?.targetRules, undefined);
  });

  it('demands our own machines', async () => {
    await start({ residency: { regions: null, selfHosted: true } });
    upstream.script = (_request, response) => sendJson(response, completion('hello'));
    assert.equal((await call('ours')).status, 200);
    assert.equal(gateway.journal.settled[0]?.attempts[0]?.isSelfHosted, true);
    assert.equal((await call('second')).status, 403);
  });

  it('lists only models that the key can use', async () => {
    await start({ residency: EU });
    const answer = await fetch(`${gateway.baseUrl}/models`, { headers: { authorization: `Bearer ${TEST_KEY}` } });
    const { data } = (await answer.json()) as { data: { id: string }[] };
    assert.deepEqual(data.map(({ id }) => id).sort(), ['first', 'main', 'second']);
  });

  it('is asked again at dispatch: a target that routing let slip is not called', async () => {
    await start({ residency: EU });
    const snapshot = compileSnapshot(snapshotOf(upstream.baseUrl, { residency: EU }), () => 'x');
    const request = { headers: {} } as IncomingMessage;
    const response = { on() {} } as unknown as ServerResponse; // nothing of it is used before an answer
    const slipped = new Call(request, response, openAiChat, snapshot, systemClock);
    const feature = snapshot.features.get('support');
    const key = snapshot.findKey(TEST_KEY);
    const abroad = snapshot.destinations.get('abroad');
    assert.ok(feature && key && abroad?.targets[0]);
    slipped.caller = { key, feature };
    assert.throws(() => assertTargetAllowed(slipped, abroad.targets[0] as never), /may use no target of "american"/);
    assert.throws(() => restrictDestination(slipped, abroad), /may use no target of "abroad"/);
    const main = snapshot.destinations.get('main');
    assert.ok(main);
    for (const target of restrictDestination(slipped, main).targets) assertTargetAllowed(slipped, target);
  });

  it('holds for what a route chooses, mirrors to and is judged by', async () => {
    const strategies: [policy: Parameters<typeof testRoute>[1], asked: string[]][] = [
      [{ strategy: 'cost' }, ['first-2026-01-01', 'second-2026-01-01']],
      [{ strategy: 'weight' }, ['first-2026-01-01', 'second-2026-01-01']],
      [{ hedge: { delayMs: 1, maxRatio: 1, allowSideEffects: true } }, ['first-2026-01-01', 'second-2026-01-01']],
      [
        {
          strategy: 'complexity',
          classifier: { model: 'american', timeoutMs: 1000 },
          shadow: { model: 'american', ratio: 1, maxUsdPerDay: 1, maxConcurrent: 9 },
        },
        ['first-2026-01-01', 'second-2026-01-01'],
      ],
    ];
    await start({ residency: EU });
    for (const [policy, expected] of strategies) {
      upstream.requests.length = 0;
      const targets = { american: {}, first: { tier: 'simple' }, nowhere: {}, second: {} } as const;
      gateway.snapshot = { ...snapshotOf(upstream.baseUrl, { residency: EU }), routes: [testRoute(targets, policy)] };
      assert.equal((await call('main')).status, 502);
      assert.deepEqual(upstream.requests.map(({ json }) => json.model).sort(), expected, JSON.stringify(policy));
    }
    upstream.script = (_request, response) => sendJson(response, completion('fine'));
    assert.equal((await call('main')).status, 200);
    await manyTurns();
    assert.ok(!upstream.requests.some(({ json }) => json.model === 'american-2026-01-01'), 'no shadow abroad');
  });
});
