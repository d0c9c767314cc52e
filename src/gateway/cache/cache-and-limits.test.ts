import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../../kernel/clock.ts';
import { rules } from '../admission/testing.ts';
import { completion, type ScriptedUpstream, sendJson, startGateway, startUpstream, type TestGateway, until } from '../testing.ts';
import { asker, cachingSnapshot, question } from './testing.ts';

let upstream: ScriptedUpstream;
let running: TestGateway;
let clock: FakeClock;
const ask = asker(() => running.baseUrl);
const outcome = async (text: string) => {
  const answer = await ask(question(text));
  return answer.headers.get('x-plimsoll-cache') ?? answer.status;
};

beforeEach(async () => {
  clock = new FakeClock(Date.UTC(2026, 9, 14, 10, 0, 0));
  upstream = await startUpstream((_request, response) => sendJson(response, completion('Hello')));
  running = await startGateway(null, clock);
});
afterEach(async () => {
  await until(() => running.gateway.stats.activeCalls === 0, 'no call is in flight');
  assert.match(running.gateway.metrics(), /^plimsoll_reservations_outstanding 0$/m);
  await running.close();
  await upstream.close();
});

function use(limits: readonly Record<string, unknown>[]): void {
  const routes = [
    { name: 'main', targets: ['large'] },
    { name: 'cheap', targets: ['small'] },
  ];
  running.snapshot = cachingSnapshot(upstream.baseUrl, {}, {}, { limitRules: rules(limits), routes });
}

describe('the cache and limits', () => {
  it('a hit takes nothing of a limit or a budget', async () => {
    use([{ scope: 'feature', name: 'support', requestsPerMinute: 2, budgetUsd: 1, per: 'day' }]);
    assert.equal(await outcome('a'), 'miss');
    for (let turn = 0; turn < 5; turn++) assert.equal(await outcome('a'), 'hit');
    assert.equal(await outcome('b'), 'miss');
    assert.equal(await outcome('c'), 429);
  });

  it('an answer of the cheaper route that a limit sent a call to is kept for nobody', async () => {
    use([{ scope: 'feature', name: 'support', requestsPerMinute: 1, onExceed: 'downgrade', downgradeTo: 'cheap' }]);
    assert.equal(await outcome('a'), 'miss');
    assert.equal(await outcome('b'), 'miss');
    assert.equal(running.journal.settled[1]?.route, 'cheap');
    assert.match(running.journal.settled[1]?.cache?.reason ?? '', /another model/);
    assert.equal(await outcome('b'), 'miss');
    assert.equal(await outcome('a'), 'hit');
  });

  it('a leader that its own limit refuses stops nobody who waits for it', async () => {
    use([{ scope: 'customer', concurrency: 1, onExceed: 'queue', queue: { maxWaitMs: 1_000, maxLength: 4 } }]);
    const held: ServerResponse[] = [];
    upstream.script = (_request, response) => void held.push(response);
    const as = (customer: string, text: string) => ask(question(text), { 'x-plimsoll-customer': customer });
    const calls = [as('a', 'first')];
    await until(() => held.length === 1, 'the provider has the first');
    calls.push(as('a', 'second'));
    await until(() => running.gateway.stats.activeCalls === 2, 'the second waits for room');
    calls.push(as('b', 'second'));
    await until(() => running.gateway.stats.activeCalls === 3, 'the third waits for the second');
    assert.equal(held.length, 1);
    await clock.advance(1_000);
    await until(() => held.length === 2, 'the third asks by itself');
    for (const response of held) sendJson(response, completion('Hello'));
    assert.deepEqual(
      (await Promise.all(calls)).map(({ status }) => status),
      [200, 429, 200],
    );
  });
});
