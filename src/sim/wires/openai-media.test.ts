import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import OpenAI, { BadRequestError, toFile } from 'openai';
import { patternPng, readWav, tonePcm, wavWithText } from '../media.ts';
import { dataOf, see, startSim } from '../testing.ts';
import { countTokens } from '../tokens.ts';

describe('simulated images, sound, moderations, completions with the openai SDK', () => {
  it('images are PNGs of the asked size, told apart by their prompt, and billed by tokens and count', async () => {
    const sim = await startSim();
    const client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/v1`, maxRetries: 0 });
    const { data = [], usage } = await client.images.generate({ model: 'sim-small', prompt: 'A red boat', n: 2, size: '1536x1024' });
    const [first, second] = data.map(({ b64_json: text }) => Buffer.from(text ?? '', 'base64'));
    assert.ok(first && second && !first.equals(second) && first.length < 20_000);
    assert.deepEqual([first.toString('latin1', 1, 4), first.readUInt32BE(16), first.readUInt32BE(20)], ['PNG', 1_536, 1_024]);
    const { units, usage: billed } = sim.invoice().total;
    assert.deepEqual(
      [units.images, billed.outputTextTokens, billed.inputUncachedTokens],
      [2, usage?.output_tokens, countTokens('A red boat')],
    );
    await sim.close();
  });

  it('a pattern has as many rows as it says', () => {
    const png = patternPng(33, 5, 'x');
    const at = png.indexOf('IDAT');
    assert.equal(inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4))).length, 5 * (Math.ceil(33 / 8) + 1));
  });

  it('speech is a WAV that can be transcribed again; other sound gives the same text each time', async () => {
    const sim = await startSim();
    const client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/v1`, maxRetries: 0 });
    const input = 'Your order is on its way, says José.';
    const speech = await client.audio.speech.create({ model: 'sim-small', voice: 'alloy', input, response_format: 'wav' });
    const wav = Buffer.from(await speech.arrayBuffer());
    assert.equal(speech.headers.get('content-type'), 'audio/wav');
    assert.ok((readWav(wav)?.seconds ?? 0) > 0.3);
    const heard = await client.audio.transcriptions.create({ model: 'sim-small', file: await toFile(wav, 'speech.wav') });
    assert.equal(heard.text, input);
    const noise = await toFile(Buffer.alloc(32_000, 7), 'noise.mp3');
    const [once, again] = [
      await client.audio.transcriptions.create({ model: 'sim-small', file: noise }),
      await client.audio.transcriptions.create({ model: 'sim-small', file: noise }),
    ];
    assert.ok(once.text.length > 5 && once.text === again.text);
    const subtitles = await client.audio.transcriptions.create({ model: 'sim-small', file: noise, response_format: 'srt' });
    assert.match(String(subtitles), /00:00:00,000 --> 00:00:02,000/);
    const { units } = sim.invoice().total;
    assert.deepEqual([units.speechCharacters, units.audioSeconds], [input.length, 3 * 2 + Math.ceil(readWav(wav)?.seconds ?? 0)]);
    await assert.rejects(client.audio.speech.create({ model: 'sim-small', voice: 'alloy', input: '' }), BadRequestError);
    assert.equal(
      (await see(sim.port, '/v1/audio/transcriptions', { body: 'x', headers: { 'content-type': 'multipart/form-data; boundary=y' } }))
        .status,
      400,
    );
    await sim.close();
  });

  it('a WAV is read whatever its bytes are', () => {
    assert.deepEqual(readWav(wavWithText(tonePcm(0.25, 'a'), 'odd')), { seconds: 0.25, text: 'odd' });
    const wav = wavWithText(tonePcm(0.01, 'a'), 'text');
    for (let at = 0; at < 80; at++) {
      const damaged = Buffer.from(wav);
      damaged[at] = 0xff;
      assert.doesNotThrow(() => readWav(damaged));
      assert.doesNotThrow(() => readWav(wav.subarray(0, at)));
    }
  });

  it('moderations are free, and know threats from questions', async () => {
    const sim = await startSim();
    const client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/v1`, maxRetries: 0 });
    const { results, model } = await client.moderations.create({ input: ['Where is my order?', 'I will hurt you, you idiot'] });
    assert.deepEqual(
      results.map(({ flagged }) => flagged),
      [false, true],
    );
    assert.ok(results[1]?.categories['harassment/threatening'] && !results[1]?.categories.sexual);
    assert.equal(model, 'omni-moderation-latest');
    assert.deepEqual(sim.invoice().lines, []);
    await sim.close();
  });

  it('text completions: JSON and stream agree', async () => {
    const sim = await startSim();
    const client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/v1`, maxRetries: 0 });
    const body = { model: 'sim-large', prompt: 'How long do I have to return a jacket I bought online?', max_tokens: 200 };
    const whole = await client.completions.create(body);
    assert.match(whole.choices[0]?.text ?? '', /30 days/);
    let text = '';
    let total = 0;
    for await (const chunk of await client.completions.create({ ...body, stream: true, stream_options: { include_usage: true } })) {
      text += chunk.choices[0]?.text ?? '';
      total = chunk.usage?.total_tokens ?? total;
    }
    assert.deepEqual([text, total], [whole.choices[0]?.text, whole.usage?.total_tokens]);
    await sim.close();
  });
});

describe('simulated Mistral', () => {
  it('differs from OpenAI where the provider does', async () => {
    const sim = await startSim();
    const tool = {
      type: 'function',
      function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
    };
    const body = {
      model: 'sim-large',
      messages: [{ role: 'user', content: 'What is the weather in Lisbon?' }],
      tools: [tool],
      tool_choice: 'any',
    };
    const path = '/mistral/v1/chat/completions';
    const [call] = JSON.parse((await see(sim.port, path, { body })).text).choices[0].message.tool_calls;
    assert.match(call.id, /^[a-z0-9]{9}$/);
    const chunks = dataOf((await see(sim.port, path, { body: { ...body, stream: true } })).text)
      .filter((data) => data !== '[DONE]')
      .map((data) => JSON.parse(data));
    const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
    assert.deepEqual(
      calls.map((part: { function: unknown }) => part.function),
      [call.function],
    );
    assert.deepEqual([chunks.at(-1).choices[0].finish_reason, chunks.at(-1).usage.total_tokens > 0], ['tool_calls', true]);
    const refused = await see(sim.port, path, { body: { ...body, stream_options: { include_usage: true } } });
    assert.equal(refused.status, 422);
    assert.match(refused.text, /extra_forbidden/);
    await sim.close();
  });
});
