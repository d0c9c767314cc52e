import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { OutcomeEconomics } from '../../src/costs/outcomes.ts';
import type { Score, ScoreSummary } from '../../src/traces/scores/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

describe('feedback and outcomes', () => {
  let plimsoll: Plimsoll;
  let traceId = '';
  before(async () => {
    plimsoll = await startPlimsoll();
    const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${plimsoll.virtualKey}`,
        'content-type': 'application/json',
        'x-plimsoll-feature': 'customer-support',
        'x-plimsoll-session': 'conversation-1',
        'x-plimsoll-tags': 'external_id=ticket-1',
      },
      body: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'Where is my parcel?' }] }),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    await answer.text();
    traceId = answer.headers.get('x-plimsoll-trace-id') ?? '';
    assert.match(traceId, /^[0-9a-f]{32}$/);
  });
  after(() => plimsoll?.stop());

  const report = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${plimsoll.url}/api/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${plimsoll.virtualKey}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return {
      status: answer.status,
      headers: answer.headers,
      body: (await answer.json()) as { ids?: string[]; code?: string; detail?: string },
    };
  };
  const ofTrace = (count: number) =>
    eventually(
      'scores of the trace',
      async () => (await plimsoll.api<{ scores: Score[] }>(`/api/v1/traces/${traceId}/scores`)).scores,
      (scores) => scores.length === count,
    );

  it('reach the trace by its id, by the session and by the matter, and survive kill -9 of control right after the answer', async () => {
    const feature = { feature: 'customer-support' };
    const thumbs = await report('feedback', { traceId, thumbs: 'down', stars: 2, comment: 'wrong parcel', user: 'u-1' });
    assert.equal(thumbs.status, 202, JSON.stringify(thumbs.body));
    assert.equal(thumbs.body.ids?.length, 2);
    assert.equal((await report('outcomes', { ...feature, session: 'conversation-1', outcome: 'resolved', valueUsd: '3.25' })).status, 202);
    const batch = [{ externalId: 'ticket-1', name: 'faithfulness', value: 0.75, source: 'llm', evaluator: 'judge@2' }];
    assert.equal((await report('scores/batch', { batch }, { 'x-plimsoll-feature': 'customer-support' })).status, 202);
    const control = (await plimsoll.pids()).control;
    assert.ok(control);
    process.kill(control, 'SIGKILL');
    const scores = await ofTrace(4);
    assert.deepEqual(scores.map(({ name, value, comment }) => [name, value, comment]).sort(), [
      ['csat', 2, null],
      ['faithfulness', 0.75, null],
      ['resolved', true, null],
      ['thumbs', false, 'wrong parcel'],
    ]);
    // The user thinks again.
    await report('feedback', { traceId, thumbs: 'up', user: 'u-1' });
    await eventually(
      'the second thumbs',
      async () => (await plimsoll.api<{ scores: Score[] }>('/api/v1/scores?name=thumbs')).scores,
      (found) => found.length === 1 && found[0]?.value === true,
    );
  });

  it('are put together by feature, with what a successful outcome cost', async () => {
    const summary = await plimsoll.api<ScoreSummary>('/api/v1/scores/summary?feature=customer-support');
    const csat = summary.scores.find(({ name }) => name === 'csat');
    assert.deepEqual([csat?.count, csat?.mean], [1, 2]);
    // One answer of two stars says little, and the interval says so.
    assert.ok(csat?.interval && csat.interval[0] < 1.5 && csat.interval[1] > 3);
    const to = Date.now() + 1_000;
    const { outcomes } = await plimsoll.api<OutcomeEconomics>(`/api/v1/costs/outcomes?from=${to - 3_600_000}&to=${to}`);
    const [row] = outcomes.filter(({ reported }) => reported > 0);
    assert.deepEqual(
      [row?.feature, row?.outcome, row?.reported, row?.succeeded, row?.valuePicoUsd],
      ['customer-support', 'resolved', 1, 1, '3250000000000'],
    );
    assert.equal(row?.costPerSuccessPicoUsd, row?.costPicoUsd);
    assert.ok(BigInt(row?.costPicoUsd ?? '0') > 0n);
  });

  it('are refused whole, by name, when something in them is wrong', async () => {
    const wrong: readonly (readonly [string, unknown, number, RegExp])[] = [
      ['feedback', { thumbs: 'up' }, 400, /traceId, session and externalId/],
      ['feedback', { traceId }, 400, /thumbs, stars, comment/],
      ['feedback', { traceId, stars: 6 }, 400, /stars/],
      ['feedback', { traceId, stars: 4.5 }, 400, /stars/],
      ['feedback', { traceId, thumbs: 'up', feature: 'other' }, 403, /belongs to the feature "customer-support"/],
      ['feedback', { traceId, thumbs: 'up', at: Date.now() + 3_600_000 }, 400, /future/],
      ['scores', { traceId, name: 'n', value: 'x', dataType: 'numeric' }, 400, /data type/],
      ['scores', { spanId: 'ab'.repeat(8), session: 's', name: 'n', value: 1 }, 400, /traceId/],
      ['outcomes', { traceId, outcome: 'Re solved' }, 400, /outcome/],
      ['outcomes', { traceId, outcome: 'resolved', valueUsd: '1.0000000000001' }, 400, /valueUsd/],
      ['outcomes/batch', { batch: [{ traceId, outcome: 'converted' }, { outcome: 'converted' }] }, 400, /batch/],
    ];
    for (const [path, body, status, pattern] of wrong) {
      const answer = await report(path, body);
      assert.equal(answer.status, status, `${path} ${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`);
      assert.match(answer.body.detail ?? '', pattern);
    }
    // An operator's key is bound to no feature.
    const operator = { authorization: `Bearer ${plimsoll.adminKey}` };
    const homeless = await report('feedback', { session: 's', thumbs: 'up' }, operator);
    assert.deepEqual([homeless.status, /feature must be known/.test(homeless.body.detail ?? '')], [400, true]);
    const misspelt = await report('feedback', { traceId, thumbs: 'up', feature: 'custmer-support' }, operator);
    assert.deepEqual([misspelt.status, /Did you mean "customer-support"/.test(misspelt.body.detail ?? '')], [404, true]);
    const { scores } = await plimsoll.api<{ scores: Score[] }>('/api/v1/scores?name=converted');
    assert.deepEqual(scores, []);
  });

  it('take a virtual key to report and nothing else, and grant no other site anything', async () => {
    const asKey = { headers: { authorization: `Bearer ${plimsoll.virtualKey}` } };
    for (const path of ['scores', 'traces', `traces/${traceId}/scores`, 'keys']) {
      const answer = await fetch(`${plimsoll.url}/api/v1/${path}`, asKey);
      assert.equal(answer.status, 403, path);
      assert.match(await answer.text(), /use an admin key/);
    }
    const forged = await report('feedback', { traceId, thumbs: 'up' }, { authorization: 'Bearer plk_0000' });
    assert.equal(forged.status, 401);
    const preflight = await fetch(`${plimsoll.url}/api/v1/feedback`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://elsewhere.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    assert.equal(preflight.headers.get('access-control-allow-origin'), null);
    // What a page may send without a preflight is not JSON, and not taken.
    const simple = await report(
      'feedback',
      { traceId, thumbs: 'up' },
      { 'content-type': 'text/plain', origin: 'https://elsewhere.example' },
    );
    assert.equal(simple.status, 415);
  });
});
