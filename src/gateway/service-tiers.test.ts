import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rules } from './admission/testing.ts';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  sendStream,
  startGateway,
  startUpstream,
  TEST_KEY,
  TEST_PRICE,
  testModel,
  testProvider,
  testSnapshot,
} from './testing.ts';

/** Half of the list price, which is 1 µ$ and 4 µ$ a token. */
const PRICE = {
  ...TEST_PRICE,
  serviceTiers: { flex: { perToken: { inputUncachedTokens: '500000', outputTextTokens: '2000000' }, tiers: [] } },
};
const CHAT = { model: 'small', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 10 };
const USAGE = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
const LIST = 100n * 1_000_000n + 10n * 4_000_000n;

describe('the service tier of an answer', () => {
  let upstream: ScriptedUpstream;
  before(async () => {
    upstream = await startUpstream(() => {});
  });
  after(() => upstream.close());

  async function settledAfter(
    overrides: Parameters<typeof testSnapshot>[1],
    body: Record<string, unknown> = CHAT,
  ): Promise<{
    costPicoUsd: string | null;
    costStatus: string;
    priceId: string | null;
    tier: string | undefined;
    booked: string | undefined;
  }> {
    const running = await startGateway(testSnapshot(upstream.baseUrl, { models: [testModel('small', { price: PRICE })], ...overrides }));
    try {
      const answer = await fetch(`${running.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      assert.equal(answer.status, 200, await answer.text());
      const attempt = running.journal.settled[0]?.attempts[0];
      assert.ok(attempt);
      const { costPicoUsd, costStatus, priceId, serviceTier: tier, bookedPicoUsd: booked } = attempt;
      return { costPicoUsd, costStatus, priceId, tier, booked };
    } finally {
      await running.close();
    }
  }
  const flex = { costPicoUsd: `${LIST / 2n}`, costStatus: 'priced', priceId: 'test@1#flex', tier: 'flex', booked: undefined };

  it('prices it: OpenAI, JSON and stream', async () => {
    upstream.script = (_request, response) => sendJson(response, completion('Hello', { usage: USAGE, service_tier: 'flex' }));
    assert.deepEqual(await settledAfter({}), flex);
    const chunk = (delta: unknown, rest: object = {}): string =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', service_tier: 'flex', choices: [{ index: 0, delta, finish_reason: null, ...rest }] })}\n\n`;
    upstream.script = (_request, response) =>
      sendStream(response, [
        chunk({ role: 'assistant', content: '' }),
        chunk({ content: 'Hel' }),
        chunk({ content: 'lo' }),
        chunk({}, { finish_reason: 'stop' }),
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', choices: [], usage: USAGE })}\n\n`,
        'data: [DONE]\n\n',
      ]);
    assert.deepEqual(await settledAfter({}, { ...CHAT, stream: true }), flex);
  });

  it('counts, not the one that was asked for', async () => {
    upstream.script = (_request, response) => sendJson(response, completion('Hello', { usage: USAGE, service_tier: 'default' }));
    const settled = await settledAfter({}, { ...CHAT, service_tier: 'flex' });
    assert.deepEqual([settled.costPicoUsd, settled.tier], [`${LIST}`, undefined]);
  });

  it('of Anthropic stands beside the usage', async () => {
    upstream.script = (_request, response) =>
      sendJson(response, {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'm',
        content: [{ type: 'text', text: 'Hello' }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 100, output_tokens: 10, service_tier: 'flex' },
      });
    const providers = [testProvider(upstream.baseUrl.replace(/\/v1$/, ''), { kind: 'anthropic' })];
    assert.deepEqual(await settledAfter({ providers }), flex);
  });

  it('without a price leaves the call unpriced, and budgets count it at the list price', async () => {
    upstream.script = (_request, response) => sendJson(response, completion('Hello', { usage: USAGE, service_tier: 'priority' }));
    assert.deepEqual(await settledAfter({}), {
      costPicoUsd: null,
      costStatus: 'unpriced',
      priceId: null,
      tier: 'priority',
      booked: `${LIST}`,
    });
    // Room for two calls at the list price ($0.00014 each): the third is refused although not one has a known cost.
    const running = await startGateway(
      testSnapshot(upstream.baseUrl, {
        models: [testModel('small', { price: PRICE })],
        limitRules: rules([{ scope: 'global', budgetUsd: 0.0003 }]),
      }),
    );
    try {
      const statuses: number[] = [];
      for (let call = 0; call < 3; call++) {
        const answer = await fetch(`${running.baseUrl}/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
          body: JSON.stringify({ ...CHAT, service_tier: 'priority' }),
        });
        statuses.push(answer.status);
        await answer.text();
      }
      assert.deepEqual(statuses, [200, 200, 429]);
    } finally {
      await running.close();
    }
  });
});
