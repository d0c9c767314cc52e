import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import OpenAI from 'openai';
import { FakeClock } from '../kernel/clock.ts';
import { priceFromConfig } from '../models/catalogue.ts';
import type { PriceConfig } from '../models/config.ts';
import { compilePrice, priceCompiled } from '../models/price-usage.ts';
import { inputTokens, NO_USAGE, outputTokens, type Usage } from '../models/usage.ts';
import { simConfig } from './config.ts';
import { type Charge, chargedPicoUsd, type Invoice, InvoiceBook, invoiceKey, usageSoFar } from './invoice.ts';
import { startSimulatedProviders } from './provider-server.ts';
import { see, startSim } from './testing.ts';
import { NO_UNITS } from './wire.ts';

const count = fc.integer({ min: 0, max: 5_000_000 });
const USAGE = fc.record<Usage>({
  inputUncachedTokens: count,
  cacheReadTokens: count,
  cacheWrite5mTokens: count,
  cacheWrite1hTokens: count,
  audioInputTokens: count,
  outputTextTokens: count,
  reasoningTokens: count,
  audioOutputTokens: count,
});
/** Dollars with at most six decimals, as the configuration allows. */
const usd = fc.integer({ min: 0, max: 90_000_000 }).map((micro) => micro / 1_000_000);
const PRICE: fc.Arbitrary<PriceConfig> = fc.record(
  {
    inputPerMillionUsd: usd,
    outputPerMillionUsd: usd,
    cacheReadPerMillionUsd: usd,
    cacheWrite5mPerMillionUsd: usd,
    cacheWrite1hPerMillionUsd: usd,
    reasoningPerMillionUsd: usd,
    audioInputPerMillionUsd: usd,
    audioOutputPerMillionUsd: usd,
    perRequestUsd: usd,
  },
  { requiredKeys: ['inputPerMillionUsd', 'outputPerMillionUsd'] },
);
const CHARGE: fc.Arbitrary<Charge> = fc.record({
  apiKey: fc.constantFrom('', 'a', 'b'),
  model: fc.constantFrom('m', 'n'),
  ending: fc.constantFrom('complete', 'client_left', 'cut'),
  usage: USAGE,
  units: fc.constant(NO_UNITS),
  price: fc.option(PRICE),
});

describe('arithmetic of the invoice', () => {
  it('charges what the price list of the ledger charges, though it is other code', () => {
    fc.assert(
      fc.property(USAGE, PRICE, (usage, price) => {
        const ledger = priceCompiled(usage, compilePrice(priceFromConfig('m', price)));
        assert.equal(chargedPicoUsd(usage, price), ledger.costPicoUsd);
      }),
      { numRuns: 300 },
    );
  });

  it('sums exactly: total = lines = endings = charges, in any order', () => {
    fc.assert(
      fc.property(fc.array(CHARGE, { maxLength: 30 }), (charges) => {
        const book = new InvoiceBook(0);
        for (const charge of charges) book.book(charge);
        const { lines, total } = book.read();
        const priced = charges.map(({ usage, price }) => (price === null ? null : chargedPicoUsd(usage, price)));
        const cost = priced.reduce<bigint>((sum, pico) => sum + (pico ?? 0n), 0n);
        assert.equal(total.costPicoUsd, cost.toString());
        assert.equal(total.unpricedRequests, priced.filter((pico) => pico === null).length);
        assert.equal(
          lines.reduce((sum, line) => sum + BigInt(line.costPicoUsd), 0n),
          cost,
        );
        for (const line of lines) {
          const endings = Object.values(line.byEnding);
          assert.equal(endings.reduce((sum, ending) => sum + BigInt(ending.costPicoUsd), 0n).toString(), line.costPicoUsd);
          assert.equal(
            endings.reduce((sum, ending) => sum + ending.requests, 0),
            line.requests,
          );
          assert.equal(
            endings.reduce((sum, ending) => sum + outputTokens(ending.usage), 0),
            outputTokens(line.usage),
          );
        }
        const shuffled = new InvoiceBook(0);
        for (const charge of charges.toReversed()) shuffled.book(charge);
        assert.deepEqual(shuffled.read().total, total);
      }),
      { numRuns: 100 },
    );
  });

  it('bills an answer so far: all input, reasoning before text, never more than the whole', () => {
    const planned = {
      uncachedInputTokens: 7,
      cacheReadTokens: 5,
      cacheWrite5mTokens: 3,
      cacheWrite1hTokens: 2,
      outputTokens: 30,
      reasoningTokens: 10,
    };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), (generated) => {
        const usage = usageSoFar(planned, generated);
        assert.equal(inputTokens(usage), 17);
        assert.equal(outputTokens(usage), Math.min(generated, 30));
        assert.equal(usage.reasoningTokens, Math.min(10, generated));
      }),
    );
    assert.deepEqual(usageSoFar(planned, 0), {
      ...NO_USAGE,
      inputUncachedTokens: 7,
      cacheReadTokens: 5,
      cacheWrite5mTokens: 3,
      cacheWrite1hTokens: 2,
    });
  });

  it('holds no keys, and charges nothing for what failed', () => {
    const book = new InvoiceBook(5);
    const price = { inputPerMillionUsd: 1, outputPerMillionUsd: 1, perRequestUsd: 1 };
    book.book({ apiKey: 'sk-secret', model: 'm', ending: 'failed', usage: NO_USAGE, units: NO_UNITS, price });
    const invoice = book.read();
    assert.doesNotMatch(JSON.stringify(invoice), /sk-secret/);
    assert.match(invoice.lines[0]?.key ?? '', /^sha256:[0-9a-f]{12}$/);
    assert.deepEqual([invoice.total.costPicoUsd, invoice.total.requests, invoice.sinceMs], ['0', 1, 5]);
    book.reset(9);
    assert.deepEqual([book.read().lines, book.read().sinceMs], [[], 9]);
  });
});

const PRICES = {
  inputPerMillionUsd: 2.5,
  outputPerMillionUsd: 10,
  cacheReadPerMillionUsd: 1.25,
  reasoningPerMillionUsd: 11,
  cacheWrite5mPerMillionUsd: 3,
  perRequestUsd: 0.000123,
};
const QUESTION = 'Where is my order TS-104233? It should have been here on Monday.';

describe('the invoice of the simulated providers', () => {
  it('is what the SDKs were told, to the pico-dollar, over dialects, streams, tools, reasoning and caching', async () => {
    const price = { price: PRICES };
    const sim = await startSim({
      models: {
        'sim-large': price,
        'sim-reasoner': price,
        'sim-claude': { ...price, cacheHitRate: 0.5, cacheMinimumTokens: 10 },
        'sim-small': {},
      },
    });
    const openai = new OpenAI({ apiKey: 'key-a', baseURL: `http://127.0.0.1:${sim.port}/openai/v1`, maxRetries: 0 });
    const anthropic = new Anthropic({ apiKey: 'key-b', baseURL: `http://127.0.0.1:${sim.port}/anthropic`, maxRetries: 0 });
    let expected = 0n;
    const add = (uncached: number, read: number, write: number, text: number, reasoning: number): void => {
      expected += BigInt(uncached) * 2_500_000n + BigInt(read) * 1_250_000n + BigInt(write) * 3_000_000n;
      expected += BigInt(text) * 10_000_000n + BigInt(reasoning) * 11_000_000n + 123_000_000n;
    };
    const addOpenAi = (usage: OpenAI.CompletionUsage | null | undefined): void => {
      assert.ok(usage);
      const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
      const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
      add(usage.prompt_tokens - cached, cached, 0, usage.completion_tokens - reasoning, reasoning);
    };
    const addAnthropic = ({ usage }: Anthropic.Message): void => {
      const reasoning = usage.output_tokens_details?.thinking_tokens ?? 0;
      add(
        usage.input_tokens,
        usage.cache_read_input_tokens ?? 0,
        usage.cache_creation_input_tokens ?? 0,
        usage.output_tokens - reasoning,
        reasoning,
      );
    };
    for (let round = 0; round < 6; round++) {
      const messages = [{ role: 'user' as const, content: `${round}. ${QUESTION}` }];
      for (const model of ['sim-large', 'sim-reasoner']) {
        addOpenAi((await openai.chat.completions.create({ model, messages, n: 1 + (round % 2) })).usage);
        for await (const chunk of await openai.chat.completions.create({
          model,
          messages,
          stream: true,
          stream_options: { include_usage: true },
        }))
          if (chunk.usage) addOpenAi(chunk.usage);
      }
      const system = [{ type: 'text' as const, text: `Be brief. ${round} `.repeat(20), cache_control: { type: 'ephemeral' as const } }];
      const body = { model: 'sim-claude', max_tokens: 2_000, system, messages };
      addAnthropic(await anthropic.messages.create(body));
      addAnthropic(await anthropic.messages.stream({ ...body, thinking: { type: 'enabled', budget_tokens: 1_024 } }).finalMessage());
    }
    await openai.chat.completions.create({ model: 'sim-small', messages: [{ role: 'user', content: 'Hi' }] });
    await assert.rejects(
      openai.chat.completions.create(
        { model: 'sim-large', messages: [{ role: 'user', content: 'Hi' }] },
        { headers: { 'x-sim-fault': 'error:503' } },
      ),
    );
    const invoice = sim.invoice();
    assert.equal(invoice.total.costPicoUsd, expected.toString());
    assert.equal(invoice.total.unpricedRequests, 1);
    assert.equal(invoice.total.requests, 6 * 6 + 2);
    const read = async (query: string): Promise<Invoice> => JSON.parse((await see(sim.port, `/sim/invoice${query}`)).text);
    assert.deepEqual(await read(''), invoice);
    assert.deepEqual(
      (await read('?key=key-b')).lines.map(({ key, model }) => [key, model]),
      [[invoiceKey('key-b'), 'sim-claude']],
    );
    assert.equal((await read('?key=key-a&model=sim-large')).lines[0]?.byEnding.failed.requests, 1);
    await see(sim.port, '/sim/invoice', { method: 'DELETE' });
    assert.deepEqual(sim.invoice().lines, []);
    await sim.close();
  });

  it('bills by the ending of the answer: nothing for errors, what was sent for cuts and stalls, everything for a bad form', async () => {
    const sim = await startSim({ models: { plain: { tokensPerChunk: 1, price: PRICES } } });
    const call = async (fault: string, stream: boolean, dialect: 'openai' | 'anthropic' = 'openai'): Promise<[string, number, number]> => {
      sim.resetInvoice();
      await see(sim.port, dialect === 'openai' ? '/openai/v1/chat/completions' : '/anthropic/v1/messages', {
        body: { model: 'plain', max_tokens: 900, stream, messages: [{ role: 'user', content: QUESTION }] },
        headers: fault === '' ? {} : { 'x-sim-fault': fault },
        patienceMs: 250,
        ...(fault === 'timeout' ? { headPatienceMs: 250 } : {}),
      });
      while (sim.stats().open > 0) await new Promise((resolve) => setImmediate(resolve));
      const [line] = sim.invoice().lines;
      assert.ok(line);
      const [ending] = Object.entries(line.byEnding).find(([, sum]) => sum.requests > 0) ?? [];
      return [ending ?? '', inputTokens(line.usage), outputTokens(line.usage)];
    };
    const [, input, output] = await call('', true);
    assert.ok(input > 0 && output > 20);
    for (const stream of [true, false]) {
      assert.deepEqual(await call('', stream), ['complete', input, output]);
      for (const fault of [
        'error:500',
        'key_revoked',
        'context_length',
        'html_page',
        'connection_reset',
        'timeout',
        'headers_then_hang',
        'empty',
        'error_first_event',
      ])
        assert.deepEqual(await call(fault, stream), ['failed', 0, 0], fault);
      for (const fault of [
        'no_usage',
        'malformed_json',
        'malformed_sse',
        'no_finish_reason',
        'duplicate_final',
        'wrong_content_type',
        'huge_headers',
        'slow_first_byte=20',
      ])
        assert.deepEqual(await call(fault, stream), ['complete', input, output], fault);
      assert.deepEqual(await call('empty_completion', stream), ['complete', input, 0]);
    }
    // The first event has only the role; then one token an event.
    assert.deepEqual(await call('cut_after=5', true), ['cut', input, 4]);
    assert.deepEqual(await call('stall_after=5', true), ['cut', input, 4]);
    assert.deepEqual(await call('error_after=5', true), ['cut', input, 4]);
    assert.deepEqual(await call('cut_after=0', true), ['failed', 0, 0]);
    // Anthropic begins with message_start, content_block_start and a ping.
    assert.deepEqual(await call('cut_after=5', true, 'anthropic'), ['cut', input, 2]);
    // A JSON answer is generated before it is sent.
    assert.deepEqual(await call('cut_after=1', false), ['cut', input, output]);
    assert.deepEqual(await call('error_after=5', false), ['failed', 0, 0]);
    await sim.close();
  });

  it('bills a client that leaves the input and the tokens sent until then', { timeout: 120_000 }, async (t) => {
    const clock = new FakeClock(1_780_000_000_000);
    const clockwork = {
      ttftMedianMs: 100,
      ttftP95Ms: 100,
      jitter: 0,
      tokensPerSecond: 100,
      tokensPerChunk: 1,
      prefillMsPerThousandTokens: 0,
      price: PRICES,
    };
    const sim = await startSimulatedProviders({ config: simConfig.parse({ models: { clockwork } }), clock, port: 0 });
    t.after(() => sim.close());
    const settle = async (condition: () => boolean): Promise<void> => {
      while (!t.signal.aborted && !condition()) await new Promise((resolve) => setImmediate(resolve));
    };
    const leaveAt = async (stream: boolean, ms: number): Promise<[number, number]> => {
      sim.resetInvoice();
      const request = httpRequest({ port: sim.port, path: '/v1/chat/completions', method: 'POST' });
      request.on('error', () => undefined); // leaving is the test
      request.end(JSON.stringify({ model: 'clockwork', stream, messages: [{ role: 'user', content: QUESTION }] }));
      const before = sim.stats().byModel.clockwork ?? 0;
      await settle(() => sim.stats().byModel.clockwork === before + 1);
      await clock.advance(ms);
      request.destroy();
      await settle(() => sim.stats().open === 0 && sim.invoice().lines.length === 1);
      const [line] = sim.invoice().lines;
      assert.ok(line);
      assert.equal(line.byEnding.client_left.requests, 1);
      return [inputTokens(line.usage), outputTokens(line.usage)];
    };
    const [input] = await leaveAt(true, 99);
    assert.ok((input ?? 0) > 10);
    assert.deepEqual(await leaveAt(true, 99), [input, 0]);
    assert.deepEqual(await leaveAt(true, 100), [input, 1]);
    assert.deepEqual(await leaveAt(true, 140), [input, 5]);
    assert.deepEqual(await leaveAt(false, 140), [input, 0]);
  });
});
