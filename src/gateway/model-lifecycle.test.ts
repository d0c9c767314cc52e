import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { ModelApprovals } from '../features/model-approval.ts';
import { FakeClock } from '../kernel/clock.ts';
import type { SnapshotModel } from './snapshot.ts';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  sendStream,
  startGateway,
  startUpstream,
  streamEvents,
  TEST_KEY,
  type TestGateway,
  testFeature,
  testModel,
  testSnapshot,
} from './testing.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;

describe('models that near their end, and models that are not approved', () => {
  let gateway: TestGateway;
  let upstream: ScriptedUpstream;
  let clock: FakeClock;
  afterEach(async () => {
    await gateway.close();
    await upstream.close();
  });

  async function start(small: Partial<SnapshotModel>, approvals: ModelApprovals | null = null): Promise<void> {
    upstream = await startUpstream(({ json }, response) =>
      json.stream === true ? sendStream(response, streamEvents(['hi'])) : sendJson(response, completion('hi')),
    );
    clock = new FakeClock(NOW);
    const features = [testFeature('support', approvals === null ? {} : { approvals })];
    gateway = await startGateway(
      testSnapshot(upstream.baseUrl, { models: [testModel('small', small), testModel('large')], features }),
      clock,
    );
  }

  const call = async (model = 'small', stream = false): Promise<Response> => {
    const answer = await fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, stream, messages: [] }),
    });
    return answer;
  };

  it('warn on JSON and on streams, with the headers of both RFCs', async () => {
    const lifecycle = { isDeprecated: true, deprecatedAtMs: NOW - DAY_MS, retiresAtMs: NOW + 14 * DAY_MS, successor: 'large' };
    await start({ lifecycle });
    for (const isStream of [false, true]) {
      const answer = await call('small', isStream);
      await answer.text();
      assert.equal(answer.headers.get('x-plimsoll-warnings'), 'small retires on 2026-06-15, in 14 days; use large');
      assert.equal(answer.headers.get('deprecation'), `@${(NOW - DAY_MS) / 1000}`);
      assert.equal(answer.headers.get('sunset'), 'Mon, 15 Jun 2026 00:00:00 GMT');
    }
    const other = await call('large');
    for (const name of ['x-plimsoll-warnings', 'deprecation', 'sunset']) assert.equal(other.headers.get(name), null, name);
  });

  it('are refused when blocked or past their approval, also while control is away', async () => {
    const entry = { approvedBy: null, evaluation: null, expiresAtMs: null };
    const approvals: ModelApprovals = {
      unlisted: 'refuse',
      expired: 'refuse',
      entries: [
        { ...entry, model: 'small', status: 'approved', expiresAtMs: NOW + 1000 },
        { ...entry, model: 'large', status: 'blocked' },
      ],
    };
    await start({}, approvals);
    assert.equal((await call('main')).status, 200);
    assert.deepEqual(gateway.journal.settled[0]?.targetRules?.excluded, [{ model: 'large', rule: 'blocked' }]);
    assert.equal((await call('large')).status, 403);
    await clock.advance(1000);
    const answer = await call('main');
    assert.equal(answer.status, 403);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, 'target_not_allowed');
    assert.equal(
      error.message,
      'The feature "support" may use no target of "main": small: approval expired on 2026-06-01; large: blocked.',
    );
  });

  it('warn when the approval has expired and the policy says so', async () => {
    const expired = { model: 'small', status: 'approved' as const, approvedBy: null, evaluation: null, expiresAtMs: NOW };
    await start({}, { unlisted: 'warn', expired: 'warn', entries: [expired] });
    assert.equal((await call()).headers.get('x-plimsoll-warnings'), 'small: approval expired on 2026-06-01');
    assert.equal((await call('large')).headers.get('x-plimsoll-warnings'), 'large: not on the list of approved models');
  });
});
