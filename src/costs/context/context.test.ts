import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Price } from '../../models/price.ts';
import { NO_USAGE } from '../../models/usage.ts';
import type { UsedAtPrice } from '../cost-queries.ts';
import { readContext } from './passages.ts';
import { SentPrefixes } from './prefixes.ts';
import { contextWaste, type SampledCall } from './report.ts';
import { unreadCharacters } from './unread.ts';

const passage = (words: string): string => `${words} `.repeat(Math.ceil(260 / (words.length + 1))).trim();
const REFUND = passage('Refunds reach the original payment method after seven working days');
const SHIPPING = passage('Parcels travel by courier and arrive across Europe within a fortnight');

describe('context of a recorded request', () => {
  it('is what was looked up, in every dialect; no instructions, no question, no answers of before', () => {
    const requests = [
      {
        messages: [
          { role: 'system', content: passage('Be kind and helpful to everybody') },
          { role: 'assistant', content: passage('Hello, what can be done') },
          { role: 'tool', content: `${REFUND}\n\n${SHIPPING}` },
          { role: 'user', content: 'When is my refund?' },
        ],
      },
      {
        system: `<documents>${REFUND}\n\n${SHIPPING}</documents>`,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'When is my refund?' }] }],
      },
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'tool_result', content: [{ type: 'text', text: REFUND }] },
              { type: 'text', text: `${SHIPPING}\n\nWhen is my refund?` },
            ],
          },
        ],
      },
      {
        contents: [
          {
            role: 'user',
            parts: [{ functionResponse: { name: 'find', response: { result: REFUND } } }, { text: `${SHIPPING}\n\nWhen is my refund?` }],
          },
        ],
      },
      {
        input: [
          { type: 'function_call_output', output: REFUND },
          { role: 'user', content: `${SHIPPING}\n\nWhen is my refund?` },
        ],
      },
    ];
    for (const request of requests) {
      const found = readContext(JSON.stringify(request));
      assert.deepEqual([...(found?.passages ?? [])].sort(), [SHIPPING, REFUND].sort(), JSON.stringify(request).slice(0, 80));
      assert.equal(found?.question, 'When is my refund?');
    }
    for (const text of ['', 'no json', '{}', '[]', '{"messages":"x"}', 'null']) assert.equal(readContext(text), null, text);
  });

  it('takes anything that was recorded', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (a, b) => {
        readContext(a);
        readContext(`{"messages":[{"role":"user","content":${a}},${b}]}`);
      }),
    );
    const hostile = `{"messages":[{"role":"system","content":"${'<document'.repeat(50_000)}"},{"role":"user","content":"${'\\n'.repeat(100_000)}"}]}`;
    const startedMs = performance.now();
    readContext(hostile);
    assert.ok(performance.now() - startedMs < 2_000, 'linear');
  });

  it('is read where the answer shows a trace of it', () => {
    const context = { passages: [REFUND, SHIPPING], question: 'When is my refund?' };
    const unread = (answer: string) => unreadCharacters(context, answer).unread;
    assert.equal(unread('It reaches your original payment method after seven working days.'), SHIPPING.length);
    assert.equal(unread('Yes.'), REFUND.length + SHIPPING.length);
    assert.equal(unread(`${REFUND} ${SHIPPING}`), 0);
    const numbered = { passages: [passage('Order AX-4711 left the warehouse')], question: 'Where is it?' };
    assert.equal(unreadCharacters(numbered, 'Parcel 4711 is on its way').unread, 0, 'a number is enough');
    assert.equal(
      unreadCharacters({ ...numbered, question: 'Where is 4711?' }, 'I cannot find 4711.').unread,
      numbered.passages[0]?.length,
      'not one that was asked',
    );
    const han = passage('退款将在七个工作日内退回原支付方式');
    assert.equal(unreadCharacters({ passages: [han], question: '?' }, '退款将在七个工作日内退回').unread, 0);
  });
});

describe('beginnings that were sent before', () => {
  it('are found to within a piece, within five minutes, and paid for writing once', () => {
    const sent = new SentPrefixes();
    const long = 'a'.repeat(2_000);
    assert.deepEqual(sent.add(long, 0), { characters: 0, newlyWritten: 0 });
    const again = sent.add(`${long}b`, 1_000);
    assert.ok(again.characters > 2_000 - 256 && again.characters <= 2_000);
    assert.equal(again.newlyWritten, again.characters);
    assert.deepEqual(sent.add(long, 2_000), { characters: again.characters, newlyWritten: 0 });
    assert.equal(sent.add(`x${long}`, 3_000).characters, 0, 'a beginning, not a part');
    assert.equal(sent.add(long, 400_000).characters, 0, 'forgotten');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ maxLength: 900 }), fc.nat(200_000)), { maxLength: 8 }), (calls) => {
        const prefixes = new SentPrefixes();
        const before: string[] = [];
        let atMs = 0;
        for (const [text, gapMs] of calls) {
          atMs += gapMs;
          const { characters, newlyWritten } = prefixes.add(text, atMs);
          assert.ok(newlyWritten <= characters && characters <= text.length);
          assert.ok(characters === 0 || before.some((other) => other.startsWith(text.slice(0, characters))));
          before.push(text);
        }
      }),
    );
  });
});

const PRICE: Price = {
  priceId: 'p',
  perToken: { inputUncachedTokens: '100', cacheReadTokens: '10', cacheWrite5mTokens: '125', outputTextTokens: '300' },
  perRequest: null,
  tiers: [],
};
const PRICES = new Map([['p', PRICE]]);
const period = { from: 0, to: 86_400_000 };

function call(window: number, place: number, input: string | null, output: string | null): SampledCall {
  return {
    window,
    isMeasured: true,
    startedAtMs: window * 300_000 + place,
    feature: 'support',
    provider: 'openai',
    model: 'gpt',
    priceId: 'p',
    usage: { ...NO_USAGE, inputUncachedTokens: 4_000, outputTextTokens: 10 },
    input,
    output,
    isTruncated: false,
  };
}

const used: UsedAtPrice = {
  feature: 'support',
  team: null,
  keyId: 'k',
  extra: null,
  provider: 'openai',
  model: 'gpt',
  responseModel: null,
  priceId: 'p',
  tier: 0,
  isFailed: false,
  attempts: 1_000n,
  tokens: {
    inputUncachedTokens: 4_000_000n,
    cacheReadTokens: 0n,
    cacheWrite5mTokens: 0n,
    cacheWrite1hTokens: 0n,
    audioInputTokens: 0n,
    outputTextTokens: 10_000n,
    reasoningTokens: 0n,
    audioOutputTokens: 0n,
  },
  costPicoUsd: 403_000_000n,
};

describe('input paid in vain', () => {
  const request = (question: string) =>
    JSON.stringify({
      messages: [
        { role: 'tool', content: Array(20).fill(SHIPPING).join('\n\n') },
        { role: 'user', content: question },
      ],
    });
  const calls = Array.from({ length: 12 }, (_, window) =>
    [0, 1, 2].map((place) => call(window, place, request(`When is the refund of order ${window}${place}?`), 'After some days.')),
  ).flat();

  it('is a share with its interval, and the sum of the period times it', () => {
    const { total, features, sampledCalls } = contextWaste(period, calls, [used], PRICES);
    assert.equal(sampledCalls, 36);
    assert.equal(total.inputPicoUsd, '400000000');
    assert.deepEqual([total.unread.calls, total.unread.windows], [36, 12]);
    assert.ok((total.unread.ratio ?? 0) > 0.9, 'all of the context left no trace');
    // Two of three calls of a window find their beginning; one pays the writing.
    const { ratio, interval, picoUsd } = total.resent;
    assert.ok(ratio !== null && ratio > 0.4 && ratio < 0.6, `${ratio}`);
    assert.ok(interval !== null && interval[0] <= ratio && ratio <= interval[1] && interval[0] < interval[1]);
    assert.equal(picoUsd, ((400_000_000n * BigInt(Math.round(ratio * 1e6))) / 1_000_000n).toString());
    assert.deepEqual(
      features.map(({ feature }) => feature),
      ['support'],
    );
  });

  it('does not count what was read from the cache', () => {
    const cached = calls.map((each) => ({ ...each, usage: { ...each.usage, inputUncachedTokens: 100, cacheReadTokens: 3_900 } }));
    assert.equal(contextWaste(period, cached, [used], PRICES).total.resent.ratio, 0);
  });

  it('is unmeasured, with the reason, where it cannot be told', () => {
    const reason = (of: readonly SampledCall[], prices = PRICES) => {
      const { unread, resent } = contextWaste(period, of, [used], prices).total;
      assert.deepEqual([unread.ratio, unread.picoUsd], [null, null]);
      return [unread.unmeasured, resent.unmeasured];
    };
    assert.match(reason(calls.map((each) => ({ ...each, input: null })))[0] ?? '', /recorded texts/);
    assert.match(reason(calls.map((each) => ({ ...each, input: 'Where is the preview of my order?' })))[1] ?? '', /recorded texts/);
    assert.match(reason([])[0] ?? '', /known price/);
    assert.match(reason(calls, new Map())[0] ?? '', /known price/);
    assert.match(reason(calls.slice(0, 6))[1] ?? '', /8 stretches of five minutes, there are 2/);
    const { cacheReadTokens: _, ...perToken } = PRICE.perToken;
    const uncached = contextWaste(period, calls, [used], new Map([['p', { ...PRICE, perToken }]])).total.resent;
    assert.deepEqual([uncached.ratio, uncached.unmeasured], [null, 'needs a price for cached input']);
  });
});
