import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';
import OpenAI, { toFile } from 'openai';
import type { SnapshotModel } from '../snapshot.ts';
import {
  manyTurns,
  sendJson,
  sendStream,
  startGateway,
  TEST_KEY,
  TEST_PRICE,
  type TestGateway,
  testModel,
  testProvider,
  testSnapshot,
  until,
} from '../testing.ts';
import { OPERATION_DIALECTS } from './client-operation.ts';
import { type ByteProvider, snapshotBefore, startBefore, startByteProvider } from './testing.ts';

describe('operations besides chat, forwarded', () => {
  let provider: ByteProvider;
  let gateway: TestGateway;
  let client: OpenAI;
  before(async () => {
    provider = await startByteProvider();
    gateway = await startBefore(provider, { kind: 'openai' });
    client = new OpenAI({ apiKey: TEST_KEY, baseURL: gateway.baseUrl, maxRetries: 0 });
  });
  after(async () => {
    await gateway.close();
    await provider.close();
  });
  beforeEach(() => {
    provider.requests.length = 0;
    gateway.journal.settled.length = 0;
    gateway.journal.payloads.length = 0;
    use({});
  });

  function use(model: Partial<SnapshotModel>): void {
    gateway.snapshot = snapshotBefore(provider, { kind: 'openai' }, model);
  }

  function last() {
    const call = gateway.journal.settled.at(-1);
    return { call, attempt: call?.attempts.at(-1) };
  }

  async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${gateway.origin}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  it('embeddings: bytes both ways but for the model, priced by what is reported', async () => {
    const floats = Buffer.from(new Float32Array([0.5, -1, 2]).buffer).toString('base64');
    provider.answer = (_request, response) =>
      sendJson(response, {
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: floats }],
        model: 'm-1',
        usage: { prompt_tokens: 8, total_tokens: 8 },
      });
    const { data: answer, response } = await client.embeddings
      .create({ model: 'small', input: ['a load line'], dimensions: 3 })
      .withResponse();
    assert.deepEqual(answer.data[0]?.embedding, [0.5, -1, 2]);
    assert.equal(provider.requests[0]?.path, '/embeddings');
    assert.deepEqual(JSON.parse(provider.requests[0]?.body.toString() ?? ''), {
      model: 'upstream-1',
      input: ['a load line'],
      dimensions: 3,
      encoding_format: 'base64',
    });
    assert.equal(response.headers.get('x-plimsoll-cost-usd'), '0.000008');
    const { call, attempt } = last();
    assert.deepEqual(
      [call?.operation, call?.costStatus, attempt?.usage?.inputUncachedTokens, attempt?.usage?.outputTextTokens],
      ['embeddings', 'priced', 8, 0],
    );
    assert.deepEqual(call?.requestParameters, { dimensions: 3, encoding_format: 'base64' });
    assert.equal(gateway.journal.payloads.at(-1)?.output, null);
    assert.match(gateway.journal.payloads.at(-1)?.input ?? '', /a load line/);
  });

  it('embeddings: without a reported usage the tokens are estimated and marked', async () => {
    provider.answer = (_request, response) => sendJson(response, { object: 'list', data: [], model: 'm-1' });
    assert.equal((await post('/v1/embeddings', { model: 'small', input: 'x'.repeat(400) })).status, 200);
    const { call, attempt } = last();
    assert.equal(call?.costStatus, 'estimated_tokens');
    assert.ok((attempt?.usage?.inputUncachedTokens ?? 0) >= 100);
    assert.equal(attempt?.usage?.outputTextTokens, 0);
  });

  it('moderations: unpriced, never 0, unless the price says what a request costs', async () => {
    provider.answer = (_request, response) => sendJson(response, { id: 'modr-1', model: 'omni-moderation', results: [{ flagged: false }] });
    await client.moderations.create({ model: 'small', input: 'hello' });
    assert.deepEqual([last().call?.costStatus, last().call?.costPicoUsd, last().attempt?.responseId], ['unpriced', null, 'modr-1']);
    use({ price: { priceId: 'config:m@1', perToken: {}, perRequest: '0', tiers: [] } });
    await client.moderations.create({ model: 'small', input: 'hello' });
    assert.deepEqual([last().call?.costStatus, last().call?.costPicoUsd], ['priced', '0']);
  });

  it('rerank: unknown at OpenAI, forwarded to a server that has it; searches are priced', async () => {
    const body = { model: 'small', query: 'q', documents: ['a', 'b'], top_n: 1 };
    const refused = await post('/v1/rerank', body);
    assert.equal(refused.status, 400);
    const said = (await refused.json()) as { message: string; error: { code: string } };
    assert.match(said.message, /No target of "small" serves rerank: small \(openai\)/);
    assert.equal(said.error.code, 'invalid_argument');
    assert.equal(provider.requests.length, 0);
    gateway.snapshot = snapshotBefore(
      provider,
      { kind: 'cohere' },
      { price: { priceId: 'config:r@1', perToken: {}, perRequest: null, perUnit: { searches: '2000000000' }, tiers: [] } },
    );
    provider.answer = (_request, response) =>
      sendJson(response, { id: 'r-1', results: [{ index: 0, relevance_score: 0.9 }], meta: { billed_units: { search_units: 3 } } });
    const answer = await post('/v1/rerank', body);
    assert.deepEqual(((await answer.json()) as { results: unknown }).results, [{ index: 0, relevance_score: 0.9 }]);
    assert.equal(provider.requests[0]?.path, '/rerank');
    assert.deepEqual([last().call?.costPicoUsd, last().attempt?.units], ['6000000000', { searches: 3 }]);
    gateway.snapshot = snapshotBefore(provider, { kind: 'vllm' });
    provider.answer = (_request, response) => sendJson(response, { id: 'r-2', results: [], usage: { total_tokens: 40 } });
    await post('/v1/rerank', body);
    assert.deepEqual([last().call?.costStatus, last().attempt?.usage?.inputUncachedTokens], ['priced', 40]);
  });

  it('images: priced by tokens where they are reported, by the piece where the price says so', async () => {
    const image = { b64_json: 'iVBORw0KGgo=' };
    const usage = {
      input_tokens: 50,
      output_tokens: 1000,
      total_tokens: 1050,
      input_tokens_details: { text_tokens: 10, image_tokens: 40 },
    };
    provider.answer = (_request, response) => sendJson(response, { created: 1, data: [image, image], usage });
    const answer = await client.images.generate({ model: 'small', prompt: 'a ship', n: 2 });
    assert.equal(answer.data?.length, 2);
    assert.equal(provider.requests[0]?.path, '/images/generations');
    assert.deepEqual([last().call?.costStatus, last().attempt?.units], ['unpriced', { images: 2, inputImageTokens: 40 }]);
    use({ price: { ...TEST_PRICE, perUnit: { inputImageTokens: '10000000' } } });
    await client.images.generate({ model: 'small', prompt: 'a ship', n: 2 });
    assert.equal(last().call?.costPicoUsd, String(10 * 1_000_000 + 1000 * 4_000_000 + 40 * 10_000_000));
    use({ price: { priceId: 'config:i@1', perToken: {}, perRequest: null, perUnit: { images: '40000000000' }, tiers: [] } });
    provider.answer = (_request, response) => sendJson(response, { created: 1, data: [image] });
    await client.images.generate({ model: 'small', prompt: 'a ship' });
    assert.deepEqual([last().call?.costPicoUsd, last().call?.operation], ['40000000000', 'image_generation']);
  });

  it('image edits: a form with files goes through as it is, but for the model', async () => {
    provider.answer = (_request, response) => sendJson(response, { created: 1, data: [{ b64_json: 'AAAA' }] });
    const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe, 0x0d, 0x0a, 0x2d, 0x2d]);
    await client.images.edit({ model: 'small', image: await toFile(png, 'ship.png', { type: 'image/png' }), prompt: 'Grüße' });
    const [request] = provider.requests;
    assert.equal(request?.path, '/images/edits');
    assert.match(String(request?.headers['content-type']), /^multipart\/form-data; boundary=/);
    const form = await new Response(request?.body as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': String(request?.headers['content-type']) },
    }).formData();
    assert.equal(form.get('model'), 'upstream-1');
    assert.equal(form.get('prompt'), 'Grüße');
    assert.deepEqual(Buffer.from(await (form.get('image') as File).arrayBuffer()), png);
    const kept = gateway.journal.payloads.at(-1)?.input ?? '';
    assert.match(kept, /\{"fileName":"ship\.png","bytes":11\}/);
    assert.match(kept, /Grüße/);
  });

  it('transcriptions: as JSON with text and seconds, as subtitles, as events', async () => {
    const file = await toFile(Buffer.from('RIFF....WAVE'), 'call.wav', { type: 'audio/wav' });
    use({ price: { priceId: 'config:w@1', perToken: {}, perRequest: null, perUnit: { seconds: '100000000' }, tiers: [] } });
    provider.answer = (_request, response) => sendJson(response, { text: 'Full ahead.', usage: { type: 'duration', seconds: 13 } });
    const answer = await client.audio.transcriptions.create({ model: 'small', file });
    assert.equal(answer.text, 'Full ahead.');
    assert.equal(provider.requests[0]?.path, '/audio/transcriptions');
    assert.deepEqual([last().call?.operation, last().call?.costPicoUsd], ['transcription', '1300000000']);
    assert.equal(gateway.journal.payloads.at(-1)?.output, '[{"role":"assistant","content":"Full ahead."}]');
    provider.answer = (_request, response) => sendJson(response, { text: 'x', duration: 12.4, segments: [] });
    await client.audio.transcriptions.create({ model: 'small', file, response_format: 'verbose_json' });
    assert.equal(last().call?.costPicoUsd, '1300000000');

    provider.answer = (_request, response) =>
      response.setHeader('content-type', 'text/plain; charset=utf-8').end('1\n00:00:00,000 --> 00:00:02,000\nGrüße\n');
    const subtitles = await client.audio.transcriptions.create({ model: 'small', file, response_format: 'srt' });
    assert.match(String(subtitles), /Grüße/);
    assert.equal(last().call?.costStatus, 'unpriced', 'nobody said how long it was');

    use({});
    const events = [
      `data: ${JSON.stringify({ type: 'transcript.text.delta', delta: 'Full ' })}\n\n`,
      `data: ${JSON.stringify({ type: 'transcript.text.delta', delta: 'ahead.' })}\n\n`,
      `data: ${JSON.stringify({ type: 'transcript.text.done', text: 'Full ahead.', usage: { type: 'tokens', input_tokens: 30, output_tokens: 4, input_token_details: { text_tokens: 10, audio_tokens: 20 } } })}\n\n`,
    ];
    provider.answer = (_request, response) => sendStream(response, events);
    let text = '';
    for await (const event of await client.audio.transcriptions.create({ model: 'small', file, stream: true }))
      if (event.type === 'transcript.text.delta') text += event.delta;
    assert.equal(text, 'Full ahead.');
    const { call, attempt } = last();
    assert.deepEqual(
      [call?.isStream, attempt?.usage?.audioInputTokens, attempt?.usage?.inputUncachedTokens, attempt?.usage?.outputTextTokens],
      [true, 20, 10, 4],
    );
    assert.equal(call?.costStatus, 'unpriced', 'the price knows no audio');
    provider.answer = (_request, response) => sendStream(response, events.slice(0, 2));
    await assert.rejects(async () => {
      for await (const _ of await client.audio.transcriptions.create({ model: 'small', file, stream: true }));
    });
    assert.match(String(last().call?.errorType), /provider_(stream_cut|bad_response)/);
  });

  it('speech: sound goes through as it comes, priced by the character', async () => {
    use({ price: { priceId: 'config:s@1', perToken: {}, perRequest: null, perUnit: { characters: '15000000' }, tiers: [] } });
    const sound = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    provider.answer = (_request, response) => {
      response.setHeader('content-type', 'audio/mpeg');
      for (let at = 0; at < sound.length; at += 10_000) response.write(sound.subarray(at, at + 10_000));
      response.end();
    };
    const answer = await client.audio.speech.create({ model: 'small', voice: 'alloy', input: 'Volle Kraft 🚢' });
    assert.equal(answer.headers.get('content-type'), 'audio/mpeg');
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), sound);
    const { call, attempt } = last();
    assert.deepEqual([call?.operation, attempt?.units, call?.costPicoUsd], ['speech', { characters: 13 }, String(13 * 15_000_000)]);
    assert.ok((call?.ttftMs ?? -1) >= 0);
  });

  it('speech: nothing of ours stands between its bytes, and a cut is no whole answer', async () => {
    const original = Buffer.from('sound');
    provider.answer = (_request, response) => response.setHeader('content-type', 'audio/mpeg').end(original);
    const whole = await post('/v1/audio/speech', { model: 'small', voice: 'a', input: 'x' }, { 'x-plimsoll-cost': 'trailer' });
    assert.equal(await whole.text(), 'sound');
    let speaking: ServerResponse | undefined;
    provider.answer = async (_request, response) => {
      speaking = response;
      response.writeHead(200, { 'content-type': 'audio/mpeg', 'content-length': '100000' });
      response.write(Buffer.alloc(30_000));
      // The gateway passes on what it has read once there is more: these bytes have to arrive on their own.
      await manyTurns();
      response.write(Buffer.alloc(10_000));
    };
    const cut = await post('/v1/audio/speech', { model: 'small', voice: 'a', input: 'x' });
    speaking?.destroy();
    await assert.rejects(cut.arrayBuffer());
    await until(() => last().call?.errorType === 'provider_stream_cut', 'the cut is recorded');
  });

  it('speech: a client that reads slowly holds the provider back', async () => {
    let sent = 0;
    provider.answer = (_request, response) => {
      response.setHeader('content-type', 'audio/mpeg');
      const more = (): void => {
        while (sent < 64 * 1024 * 1024) {
          sent += 64 * 1024;
          if (!response.write(Buffer.alloc(64 * 1024))) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    };
    const answer = await post('/v1/audio/speech', { model: 'small', voice: 'a', input: 'x' });
    const reader = answer.body?.getReader();
    await reader?.read();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await manyTurns();
    }
    assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes were taken from the provider`);
    let received = 0;
    for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read()) received += chunk.value.length;
    assert.ok(received > 32 * 1024 * 1024);
  });

  it('completions: forwarded, usage asked for and kept from who did not ask', async () => {
    const choice = (text: string, finish: string | null = null) => ({
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1,
      model: 'm',
      choices: [{ text, index: 0, logprobs: null, finish_reason: finish }],
    });
    provider.answer = (_request, response) =>
      sendJson(response, { ...choice('ahead', 'stop'), usage: { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 } });
    const whole = await client.completions.create({ model: 'small', prompt: 'Full', max_tokens: 5 });
    assert.equal(whole.choices[0]?.text, 'ahead');
    assert.equal(provider.requests[0]?.path, '/completions');
    assert.deepEqual(
      [last().call?.operation, last().attempt?.usage?.outputTextTokens, last().attempt?.finishReasons],
      ['text_completion', 1, ['stop']],
    );
    const events = [
      choice('a'),
      choice('head'),
      choice('', 'stop'),
      { ...choice(''), choices: [], usage: { prompt_tokens: 2, completion_tokens: 2 } },
    ];
    provider.answer = (_request, response) =>
      sendStream(response, [...events.map((event) => `data: ${JSON.stringify(event)}\n\n`), 'data: [DONE]\n\n']);
    let text = '';
    for await (const chunk of await client.completions.create({ model: 'small', prompt: 'Full', stream: true }))
      text += chunk.choices[0]?.text ?? assert.fail('a chunk without choices');
    assert.equal(text, 'ahead');
    assert.deepEqual((JSON.parse(provider.requests.at(-1)?.body.toString() ?? '') as { stream_options: unknown }).stream_options, {
      include_usage: true,
    });
    assert.equal(last().attempt?.usage?.outputTextTokens, 2);
    provider.answer = (_request, response) =>
      sendStream(
        response,
        events.slice(0, 2).map((event) => `data: ${JSON.stringify(event)}\n\n`),
      );
    await assert.rejects(async () => {
      for await (const _ of await client.completions.create({ model: 'small', prompt: 'Full', stream: true }));
    });
    assert.equal(last().call?.errorType, 'provider_stream_cut');
  });

  it('an error of the provider is one, also in the clothes of a 200', async () => {
    provider.answer = (_request, response) =>
      sendJson(response, { error: { message: 'Too many', type: 'rate_limit_error' } }, 429, { 'retry-after': '3' });
    await assert.rejects(client.embeddings.create({ model: 'small', input: 'x' }), (error) => error instanceof OpenAI.RateLimitError);
    provider.answer = (_request, response) => sendJson(response, { error: { message: 'overloaded', type: 'server_error' } });
    assert.equal((await post('/v1/embeddings', { model: 'small', input: 'x' })).status, 502);
    provider.answer = (_request, response) => response.setHeader('content-type', 'application/json').end('[1]');
    assert.equal((await post('/v1/embeddings', { model: 'small', input: 'x' })).status, 502);
    provider.answer = (_request, response) =>
      sendStream(response, [`data: ${JSON.stringify({ error: { message: 'no', code: '500' } })}\n\n`]);
    assert.equal((await post('/v1/audio/speech', { model: 'small', input: 'x', voice: 'a' })).status, 502);
  });

  it('refuses bodies that are not what they say', async () => {
    const form = async (body: string | Buffer, type: string) => {
      const answer = await fetch(`${gateway.origin}/v1/audio/transcriptions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': type },
        body: new Uint8Array(Buffer.from(body)),
      });
      return [answer.status, ((await answer.json()) as { error: { message: string } }).error.message] as const;
    };
    const type = 'multipart/form-data; boundary=b';
    assert.equal((await form('{}', 'application/json'))[0], 415);
    assert.match((await form('x', 'multipart/form-data; boundary='))[1], /no usable boundary/);
    assert.match((await form('x', type))[1], /does not begin with its boundary/);
    assert.match((await form('--b\r\ncontent-disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n', type))[1], /no "model"/);
    const model = 'content-disposition: form-data; name="model"\r\n\r\nsmall\r\n';
    assert.match((await form(`--b\r\n${model}--b\r\n${model}--b--\r\n`, type))[1], /"model" appears twice/);
    assert.match((await form(`--b\r\n${model}--b\r\ncontent-disposition: form-data; name="file"\r\n\r\nx`, type))[1], /ends in the middle/);
    assert.match((await form(`--b\r\nx: y\r\n\r\nsmall\r\n--b--`, type))[1], /has no name/);
    assert.match(
      (await form(`--b\r\n${'content-disposition: form-data; name="a"\r\n\r\nx\r\n--b\r\n'.repeat(80)}`, type))[1],
      /more than 64 parts/,
    );
    assert.equal((await post('/v1/embeddings', { input: 'x' })).status, 400);
    assert.equal((await post('/v1/embeddings', { model: 'small' })).status, 400);
    assert.equal((await post('/v1/rerank', { model: 'small', documents: [], query: 'x', model2: 1 })).status, 400);
    assert.equal(provider.requests.length, 0);
  });

  it('every operation asks for a key, and has a path of its own', async () => {
    assert.equal(new Set(OPERATION_DIALECTS.map(({ operation }) => operation.path)).size, OPERATION_DIALECTS.length);
    for (const { operation } of OPERATION_DIALECTS) {
      const answer = await fetch(`${gateway.origin}${operation.path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
      assert.equal(answer.status, 401, operation.path);
      assert.equal((await fetch(`${gateway.origin}${operation.path}`)).status, 405, operation.path);
    }
  });
});

describe('targets that do not serve what is asked for', () => {
  it('are left out of a route; when none is left that is said', async () => {
    const provider = await startByteProvider();
    provider.answer = (_request, response) =>
      sendJson(response, { object: 'list', data: [], model: 'm', usage: { prompt_tokens: 1, total_tokens: 1 } });
    const snapshot = testSnapshot(provider.origin, {
      providers: [
        testProvider(provider.origin, { name: 'claude', kind: 'anthropic' }),
        testProvider(provider.origin, { name: 'open', kind: 'openai' }),
      ],
      models: [testModel('small', { provider: 'claude' }), testModel('large', { provider: 'open' })],
    });
    const gateway = await startGateway(snapshot);
    const ask = (model: string) =>
      fetch(`${gateway.baseUrl}/embeddings`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, input: 'x' }),
      });
    assert.equal((await ask('main')).status, 200);
    assert.deepEqual(
      gateway.journal.settled[0]?.attempts.map(({ model }) => model),
      ['large'],
    );
    const refused = await ask('small');
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /No target of \\"small\\" serves embeddings: small \(anthropic\)/);
    await gateway.close();
    await provider.close();
  });
});
