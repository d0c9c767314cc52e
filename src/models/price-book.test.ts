import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { calcPrice, waitForUpdate } from '@pydantic/genai-prices';
import { PICO_PER_USD } from '../kernel/money.ts';
import { readShippedPriceBook } from './price-book.ts';
import { priceUsage } from './price-usage.ts';
import { NO_USAGE } from './usage.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const book = readShippedPriceBook();

describe('price book', () => {
  /** US dollars for one million tokens, input / output. */
  const GOLDEN = [
    ['openai', 'gpt-4o', '2.50', '10.00'],
    ['openai', 'gpt-4o-mini', '0.15', '0.60'],
    ['anthropic', 'claude-3-5-sonnet', '3.00', '15.00'],
    ['anthropic', 'claude-3-haiku', '0.25', '1.25'],
    ['google', 'gemini-1.5-pro', '1.25', '5.00'],
  ] as const;
  for (const [provider, model, input, output] of GOLDEN)
    it(`prices ${model} at ${input} / ${output} USD per million tokens`, () => {
      const price = book.find(provider, model, NOW);
      const micro = (usd: string) => BigInt(usd.replace('.', '')) * 10_000n;
      assert.equal(price?.perToken.inputUncachedTokens, String(micro(input)));
      assert.equal(price?.perToken.outputTextTokens, String(micro(output)));
      // Ten calls of 100,000 tokens, so that tiers by input length stay out of it.
      const cost = (usage: Partial<typeof NO_USAGE>) => (priceUsage({ ...NO_USAGE, ...usage }, price ?? null).costPicoUsd ?? -1n) * 10n;
      assert.equal(cost({ inputUncachedTokens: 100_000 }), (BigInt(input.replace('.', '')) * PICO_PER_USD) / 100n);
      assert.equal(cost({ outputTextTokens: 100_000 }), (BigInt(output.replace('.', '')) * PICO_PER_USD) / 100n);
    });

  it('doubles gemini-1.5-pro above 128,000 input tokens, and only above', () => {
    const price = book.find('google', 'gemini-1.5-pro', NOW);
    const cost = (tokens: number) => priceUsage({ ...NO_USAGE, inputUncachedTokens: tokens }, price).costPicoUsd;
    assert.equal(cost(128_000), 128_000n * 1_250_000n);
    assert.equal(cost(128_001), 128_001n * 2_500_000n);
  });

  it('knows what is sold by the hour, and image tokens', () => {
    assert.deepEqual(book.find('openai', 'whisper-1', NOW)?.perUnit, { seconds: '100000000' });
    assert.deepEqual(book.find('openai', 'gpt-image-1', NOW)?.perUnit, { inputImageTokens: '10000000' });
    assert.equal(book.find('openai', 'gpt-4o', NOW)?.perUnit, undefined);
  });

  it('knows dated model ids and the classes of the cache', () => {
    const price = book.find('anthropic', 'claude-3-5-sonnet-20241022', NOW);
    assert.match(price?.priceId ?? '', /^book@[0-9a-f]{12}:anthropic\/claude-3-5-sonnet$/);
    assert.deepEqual(price?.perToken, {
      inputUncachedTokens: '3000000',
      cacheReadTokens: '300000',
      cacheWrite5mTokens: '3750000',
      cacheWrite1hTokens: '6000000',
      outputTextTokens: '15000000',
    });
  });

  it('answers null, never 0, for what it does not know', () => {
    assert.equal(book.find('openai', 'gpt-nobody-knows', NOW), null);
    assert.equal(book.find('nobody', 'gpt-4o', NOW), null);
    assert.equal(book.find('sim', 'gpt-4o', NOW), null);
    assert.equal(book.find('openai-compatible', 'gpt-4o', NOW, 'http://127.0.0.1:11434/v1'), null);
    assert.equal(book.find('github-copilot', 'gpt-4o', NOW), null, 'a row without any token price');
  });

  it('goes by the address of an OpenAI-compatible server', () => {
    const groq = book.find('openai-compatible', 'llama-3.1-8b-instant', NOW, 'https://api.groq.com/openai/v1');
    assert.match(groq?.priceId ?? '', /:groq\/llama-3\.1-8b-instant$/);
    const gemini = book.find('openai-compatible', 'gemini-1.5-pro', NOW, 'https://generativelanguage.googleapis.com/v1beta/openai');
    assert.equal(gemini?.perToken.inputUncachedTokens, '1250000');
    assert.match(book.find('openai', 'gpt-4o', NOW, 'http://127.0.0.1:9/v1')?.priceId ?? '', /:openai\/gpt-4o$/);
  });

  it('takes the price of the day, says its date, and knows when it changes', () => {
    const change = Date.parse('2025-06-10T00:00:00Z');
    const before = book.find('openai', 'o3', change - 1);
    const after = book.find('openai', 'o3', change);
    assert.equal(before?.perToken.inputUncachedTokens, '10000000');
    assert.equal(after?.perToken.inputUncachedTokens, '2000000');
    assert.match(before?.priceId ?? '', /o3$/);
    assert.match(after?.priceId ?? '', /o3:2025-06-10$/);
    assert.equal(book.nextChangeMs('openai', 'o3', change - 1), change);
    assert.equal(book.nextChangeMs('openai', 'o3', change), null);
    assert.equal(book.nextChangeMs('openai', 'gpt-4o', NOW), null);
  });

  it('knows when a price by time of day changes', () => {
    const night = Date.parse('2026-06-01T00:00:00Z');
    const change = book.nextChangeMs('deepseek', 'deepseek-chat', night);
    assert.equal(change, Date.parse('2026-06-01T00:30:00Z'));
    assert.notEqual(book.find('deepseek', 'deepseek-chat', night)?.priceId, book.find('deepseek', 'deepseek-chat', change ?? 0)?.priceId);
  });

  it('agrees with the calculator of the price data on every model that it prices by the token', async () => {
    const providers = (await waitForUpdate()) ?? [];
    let compared = 0;
    for (const provider of providers)
      for (const model of provider.models)
        for (const inputTokens of [1000, 150_000, 300_000]) {
          const ours = book.find(provider.id, model.id, NOW);
          const usage = { ...NO_USAGE, inputUncachedTokens: inputTokens, outputTextTokens: 200 };
          const cost = priceUsage(usage, ours).costPicoUsd;
          if (cost === null) continue;
          const theirs = calcPrice({ input_tokens: inputTokens, output_tokens: 200 }, model.id, {
            providerId: provider.id,
            timestamp: new Date(NOW),
          });
          // Their sum is floating point: equal to within a relative 1e-9 or half a pico-dollar per token.
          const expected = (theirs?.total_price ?? Number.NaN) * 1e12;
          assert.ok(
            Math.abs(Number(cost) - expected) <= expected * 1e-9 + inputTokens,
            `${provider.id}/${model.id}: ${cost} against ${expected}`,
          );
          compared++;
        }
    assert.ok(compared > 3000, `only ${compared} compared`);
  });
});
