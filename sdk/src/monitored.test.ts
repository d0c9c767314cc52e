import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { startSim } from '../../src/sim/testing.ts';
import { createPlimsoll, type Plimsoll } from './plimsoll.ts';
import { type ReceivedSpan, Receiver } from './testing.ts';

const QUESTION = [{ role: 'user' as const, content: 'Where is my parcel?' }];
const WHO = { feature: 'customer-support', user: 'u-1', session: 's-1' };

/** Without what differs from one answer to the next. */
function stable(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, each) =>
      /^(id|created|created_at|completed_at|_request_id|system_fingerprint)$/.test(name) ? undefined : each,
    ),
  );
}

describe('monitored', () => {
  let sim: Awaited<ReturnType<typeof startSim>>;
  let receiver: Receiver;
  let plimsoll: Plimsoll;
  let openai: OpenAI;
  let anthropic: Anthropic;
  let bare: { openai: OpenAI; anthropic: Anthropic };

  before(async () => {
    sim = await startSim();
    receiver = await Receiver.start();
    plimsoll = createPlimsoll({ url: receiver.url, key: 'plk_test', flushMs: 5 });
    const origin = `http://127.0.0.1:${sim.port}`;
    bare = {
      openai: new OpenAI({ baseURL: `${origin}/openai/v1`, apiKey: 'sim', maxRetries: 0 }),
      anthropic: new Anthropic({ baseURL: `${origin}/anthropic`, apiKey: 'sim', maxRetries: 0 }),
    };
    openai = plimsoll.monitored(bare.openai, WHO);
    anthropic = plimsoll.monitored(bare.anthropic, WHO);
  });
  after(async () => {
    await sim?.close();
    await receiver?.close();
  });

  /** The spans of what `work` did. */
  async function spansOf(work: () => Promise<unknown>): Promise<ReceivedSpan[]> {
    const seen = receiver.spans.length;
    await work();
    await plimsoll.flush(3_000);
    return receiver.spans.slice(seen);
  }
  async function spanOf(work: () => Promise<unknown>): Promise<ReceivedSpan> {
    const [span, ...more] = await spansOf(work);
    assert.ok(span !== undefined && more.length === 0, 'one trace a call');
    return span;
  }
  async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
    const events: T[] = [];
    for await (const event of stream) events.push(event);
    return events;
  }

  it('gives the answer of OpenAI’s chat as it is, and one span with usage, texts and who it was for', async () => {
    const request = { model: 'sim-small', messages: QUESTION };
    const plain = await bare.openai.chat.completions.create(request);
    let answer: OpenAI.ChatCompletion | undefined;
    const span = await spanOf(async () => {
      answer = await openai.chat.completions.create(request);
    });
    assert.ok(answer);
    assert.deepEqual(stable(answer), stable(plain));
    assert.equal(span.feature, 'customer-support');
    assert.equal(span.status, 1);
    assert.equal(span.name, 'chat sim-small');
    assert.equal(plimsoll.traceIdOf(answer), span.traceId);
    const { attributes } = span;
    assert.deepEqual(
      ['gen_ai.provider.name', 'gen_ai.request.model', 'user.id', 'gen_ai.conversation.id'].map((name) => attributes[name]),
      ['openai', 'sim-small', 'u-1', 's-1'],
    );
    assert.equal(attributes['gen_ai.usage.input_tokens'], answer.usage?.prompt_tokens);
    assert.equal(attributes['gen_ai.usage.output_tokens'], answer.usage?.completion_tokens);
    assert.deepEqual(attributes['gen_ai.response.finish_reasons'], ['stop']);
    assert.deepEqual(JSON.parse(String(attributes['gen_ai.output.messages'])), [
      { role: 'assistant', parts: [{ type: 'text', content: answer.choices[0]?.message.content }] },
    ]);
    assert.match(String(attributes['gen_ai.input.messages']), /Where is my parcel\?/);
    assert.equal(receiver.authorizations.at(-1), 'Bearer plk_test');
  });

  it('passes every event of a stream, in order, and measures the first content', async () => {
    const request = { model: 'sim-small', messages: QUESTION, stream: true, stream_options: { include_usage: true } } as const;
    const plain = await collect(await bare.openai.chat.completions.create(request));
    let events: OpenAI.ChatCompletionChunk[] = [];
    const span = await spanOf(async () => {
      events = await collect(await openai.chat.completions.create(request));
    });
    assert.deepEqual(stable(events), stable(plain));
    assert.equal(span.attributes['gen_ai.request.stream'], true);
    assert.equal(typeof span.attributes['gen_ai.response.time_to_first_chunk'], 'number');
    assert.equal(span.attributes['gen_ai.usage.output_tokens'], events.at(-1)?.usage?.completion_tokens);
    const words = events.map((event) => event.choices[0]?.delta.content ?? '').join('');
    assert.ok(String(span.attributes['gen_ai.output.messages']).includes(JSON.stringify(words).slice(1, -1)));
  });

  it('lets streams be left, split and turned into web streams', async () => {
    const request = { model: 'sim-small', messages: QUESTION, stream: true } as const;
    const left = await spanOf(async () => {
      for await (const _ of await openai.chat.completions.create(request)) break;
    });
    assert.equal(left.attributes['plimsoll.sdk.aborted'], true);
    const split = await spanOf(async () => {
      const [one, two] = (await openai.chat.completions.create(request)).tee();
      const [first, second] = await Promise.all([collect(one), collect(two)]);
      assert.deepEqual(first, second);
    });
    assert.equal(split.status, 1);
    const web = await spanOf(async () => {
      const stream = await openai.chat.completions.create(request);
      assert.match(await new Response(stream.toReadableStream()).text(), /chat\.completion\.chunk/);
    });
    assert.equal(web.status, 1);
  });

  it('observes the helpers of the SDKs: parse, stream, responses, embeddings', async () => {
    const parsed = await spanOf(() => openai.chat.completions.parse({ model: 'sim-small', messages: QUESTION }));
    assert.equal(typeof parsed.attributes['gen_ai.usage.input_tokens'], 'number');
    const streamed = await spanOf(async () => {
      const runner = openai.chat.completions.stream({ model: 'sim-small', messages: QUESTION });
      assert.ok((await runner.finalContent())?.length);
    });
    assert.equal(streamed.attributes['gen_ai.request.stream'], true);
    const response = await spanOf(() => openai.responses.create({ model: 'sim-small', input: 'Where is my parcel?' }));
    assert.equal(typeof response.attributes['gen_ai.usage.output_tokens'], 'number');
    assert.match(String(response.attributes['gen_ai.output.messages']), /assistant/);
    const events = await spanOf(async () => collect(await openai.responses.create({ model: 'sim-small', input: 'Where?', stream: true })));
    assert.equal(typeof events.attributes['gen_ai.usage.output_tokens'], 'number');
    const embedded = await spanOf(() => openai.embeddings.create({ model: 'sim-small', input: 'parcel' }));
    assert.equal(embedded.attributes['gen_ai.operation.name'], 'embeddings');
    assert.equal(embedded.attributes['gen_ai.input.messages'], undefined);
    const message = await spanOf(async () => {
      const stream = anthropic.messages.stream({ model: 'sim-claude', max_tokens: 200, messages: QUESTION });
      assert.ok((await stream.finalText()).length > 0);
    });
    assert.equal(typeof message.attributes['gen_ai.usage.output_tokens'], 'number');
  });

  it('gives Anthropic’s answers as they are; what caches read and wrote is part of the input', async () => {
    const request = { model: 'sim-claude', max_tokens: 200, messages: QUESTION, system: 'Be brief.' };
    const plain = await bare.anthropic.messages.create(request);
    let answer: Anthropic.Message | undefined;
    const span = await spanOf(async () => {
      answer = await anthropic.messages.create(request);
    });
    assert.ok(answer);
    assert.deepEqual(stable(answer), stable(plain));
    const { usage } = answer;
    const input = usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
    assert.deepEqual([span.attributes['gen_ai.provider.name'], span.attributes['gen_ai.usage.input_tokens']], ['anthropic', input]);
    assert.match(String(span.attributes['gen_ai.input.messages']), /Be brief/);
    const events = await spanOf(async () => {
      assert.ok((await collect(await anthropic.messages.create({ ...request, stream: true }))).length > 3);
    });
    assert.equal(typeof events.attributes['gen_ai.usage.input_tokens'], 'number');
    assert.equal(typeof events.attributes['gen_ai.response.time_to_first_chunk'], 'number');
  });

  it('throws what the SDK throws, and says what it was', async () => {
    const options = { headers: { 'x-sim-fault': 'error:429' } };
    const request = { model: 'sim-small', messages: QUESTION };
    const plain: unknown = await bare.openai.chat.completions.create(request, options).catch((thrown: unknown) => thrown);
    const span = await spanOf(async () => {
      const thrown: unknown = await openai.chat.completions.create(request, options).catch((error: unknown) => error);
      assert.ok(thrown instanceof OpenAI.RateLimitError && plain instanceof OpenAI.RateLimitError);
      assert.equal(thrown.message, plain.message);
    });
    assert.deepEqual(
      [span.status, span.attributes['error.type'], span.attributes['http.response.status_code']],
      [2, 'RateLimitError', 429],
    );
    const cut = await spanOf(async () => {
      const stream = await openai.chat.completions.create({ ...request, stream: true }, { headers: { 'x-sim-fault': 'cut_after:3' } });
      await assert.rejects(collect(stream));
    });
    assert.equal(cut.status, 2);
    const helper = await spanOf(async () => {
      await assert.rejects(openai.chat.completions.parse(request, options), OpenAI.RateLimitError);
    });
    assert.equal(helper.status, 2);
  });

  it('leaves the promise as it was: raw responses unread, responses beside data, nothing done twice', async () => {
    const request = { model: 'sim-small', messages: QUESTION };
    const unread = await spanOf(async () => {
      const promise = openai.chat.completions.create(request);
      assert.ok(promise instanceof Promise);
      const raw = await promise.asResponse();
      assert.equal(raw.bodyUsed, false);
      assert.match(await raw.text(), /chat\.completion/);
    });
    assert.deepEqual([unread.status, unread.attributes['gen_ai.usage.input_tokens']], [1, undefined]);
    const span = await spanOf(async () => {
      const { data, response, request_id: id } = await openai.chat.completions.create(request).withResponse();
      assert.equal(response.status, 200);
      assert.equal(data.object, 'chat.completion');
      assert.equal(typeof id === 'string' || id === null, true);
    });
    assert.equal(span.status, 1);
    const twice = await spanOf(async () => {
      const same = openai.chat.completions.create(request);
      const [one, two] = await Promise.all([same, same]);
      assert.equal(one, two);
      await same.finally(() => {});
    });
    assert.equal(twice.status, 1);
  });

  it('is the client in every other way', async () => {
    assert.ok(openai instanceof OpenAI);
    assert.equal(openai.baseURL, bare.openai.baseURL);
    assert.equal(openai.chat, openai.chat);
    assert.deepEqual((await openai.models.list()).data.length, (await bare.openai.models.list()).data.length);
    assert.equal(openai.withOptions({ maxRetries: 7 }).maxRetries, 7);
    const quiet = plimsoll.monitored(bare.openai, { recordTexts: false });
    const span = await spanOf(() => quiet.chat.completions.create({ model: 'sim-small', messages: QUESTION }));
    assert.deepEqual(
      [span.feature, span.attributes['gen_ai.input.messages'], span.attributes['gen_ai.output.messages']],
      [null, undefined, undefined],
    );
    const odd = plimsoll.monitored({ chat: { completions: { create: () => 42 } } });
    assert.equal(odd.chat.completions.create(), 42);
    const broken = plimsoll.monitored({
      messages: {
        create: () => {
          throw new RangeError('no');
        },
      },
    });
    assert.throws(() => broken.messages.create(), RangeError);
  });
});

describe('a Plimsoll that is away', () => {
  const client = {
    chat: {
      completions: { create: async (request: { model: string; messages?: unknown }) => ({ id: 'x', model: request.model, choices: [] }) },
    },
  };

  it('never slows or breaks a call, whether it refuses, is silent, or is not there; and what is kept is bounded', async () => {
    const receiver = await Receiver.start();
    try {
      for (const status of [500, 401, null] as const) {
        receiver.status = status;
        const plimsoll = createPlimsoll({ url: receiver.url, key: 'k', flushMs: 1, maxQueueCharacters: 50_000 });
        const watched = plimsoll.monitored(client);
        const messages = [{ role: 'user', content: 'x'.repeat(2_000) }];
        let slowestMs = 0;
        for (let place = 0; place < 200; place++) {
          const started = performance.now();
          assert.equal((await watched.chat.completions.create({ model: 'm', messages })).model, 'm');
          slowestMs = Math.max(slowestMs, performance.now() - started);
        }
        assert.ok(slowestMs < 250, `${slowestMs}`);
        await plimsoll.flush(200);
        const { sent, dropped, waiting } = plimsoll.stats;
        assert.equal(sent, 0);
        assert.ok(waiting <= 25, `${waiting} of 2 kB fit into 50 kB`);
        assert.ok(dropped >= 75, `${dropped}`);
      }
      const nobody = createPlimsoll({ url: 'http://127.0.0.1:1', key: 'k', flushMs: 1 });
      assert.equal((await nobody.monitored(client).chat.completions.create({ model: 'm' })).id, 'x');
      await nobody.flush(200);
      assert.equal(nobody.stats.waiting, 1);
    } finally {
      await receiver.close();
    }
  });

  it('gets what waits once it is back, each span once', async () => {
    const receiver = await Receiver.start();
    try {
      receiver.status = 503;
      const plimsoll = createPlimsoll({ url: receiver.url, key: 'k', flushMs: 1 });
      const watched = plimsoll.monitored(client);
      for (let place = 0; place < 250; place++) await watched.chat.completions.create({ model: `m-${place}` });
      await plimsoll.flush(300);
      assert.equal(plimsoll.stats.sent, 0);
      receiver.status = 200;
      await plimsoll.flush(10_000);
      assert.deepEqual(plimsoll.stats, { sent: 250, dropped: 0, waiting: 0 });
      assert.equal(new Set(receiver.spans.map(({ traceId }) => traceId)).size, 250);
    } finally {
      await receiver.close();
    }
  });
});
