import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORPUS_FEATURES } from '../corpus/features.ts';
import type { SimulatedProviders } from '../provider-server.ts';
import { dataOf, type Seen, see, startSim } from '../testing.ts';

const [SUPPORT] = CORPUS_FEATURES;
const TOOLS = SUPPORT.tools.map((tool) => ({ type: 'function', function: tool }));

describe('simulated Cohere', () => {
  let sim: SimulatedProviders;
  before(async () => {
    sim = await startSim({}, 7);
  });
  after(() => sim.close());

  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Seen> =>
    see(sim.port, path, { body, headers: { authorization: 'Bearer any', ...headers } });
  const ask = (content: string, extra: object = {}): object => ({ model: 'sim-large', messages: [{ role: 'user', content }], ...extra });

  it('answers, and streams the same with the events of the dialect in order', async () => {
    const body = ask('Do you ship to Norway, and who pays the customs duty?');
    const whole = JSON.parse((await post('/cohere/v2/chat', body)).text);
    assert.match(whole.message.content[0].text, /VOEC/);
    assert.equal(whole.finish_reason, 'COMPLETE');
    const events = dataOf((await post('/v2/chat', { ...body, stream: true })).text).map((data) => JSON.parse(data));
    assert.deepEqual(
      [...new Set(events.map(({ type }) => type))],
      ['message-start', 'content-start', 'content-delta', 'content-end', 'message-end'],
    );
    const text = events.filter(({ type }) => type === 'content-delta').map(({ delta }) => delta.message.content.text);
    assert.equal(text.join(''), whole.message.content[0].text);
    assert.deepEqual(events.at(-1).delta, { finish_reason: 'COMPLETE', usage: whole.usage });
  });

  it('uses tools, and refuses results without calls', async () => {
    const question = 'I was charged twice for order TS-110045.';
    const whole = JSON.parse((await post('/v2/chat', ask(question, { tools: TOOLS }))).text);
    const [call] = whole.message.tool_calls;
    assert.equal(whole.finish_reason, 'TOOL_CALL');
    assert.deepEqual(JSON.parse(call.function.arguments), { order_id: 'TS-110045' });
    const events = dataOf((await post('/v2/chat', ask(question, { tools: TOOLS, stream: true }))).text).map((data) => JSON.parse(data));
    const pieces = events.filter(({ type }) => type === 'tool-call-delta').map(({ delta }) => delta.message.tool_calls.function.arguments);
    assert.equal(pieces.join(''), call.function.arguments);
    const second = await post('/v2/chat', {
      model: 'sim-large',
      tools: TOOLS,
      messages: [
        { role: 'user', content: question },
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: call.id, content: [{ type: 'document', document: { data: '{"status":"paid"}' } }] },
      ],
    });
    assert.match(JSON.parse(second.text).message.content[0].text, /reservation/);
    const stray = await post('/v2/chat', {
      model: 'sim-large',
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'tool', tool_call_id: 'x', content: '1' },
      ],
    });
    assert.equal(stray.status, 400);
  });

  it('embeds, and ranks the document that shares most words first', async () => {
    const embedded = JSON.parse(
      (
        await post('/v2/embed', {
          model: 'sim-small',
          input_type: 'search_query',
          texts: ['a', 'b'],
          embedding_types: ['float', 'base64'],
          output_dimension: 8,
        })
      ).text,
    );
    assert.deepEqual(
      [embedded.embeddings.float.length, embedded.embeddings.float[0].length, embedded.meta.billed_units.input_tokens],
      [2, 8, 2],
    );
    assert.equal(
      Buffer.from(embedded.embeddings.base64[1], 'base64').readFloatLE(0).toFixed(5),
      embedded.embeddings.float[1][0].toFixed(5),
    );
    const documents = ['How to wash a jacket', 'Where is my parcel?', 'Opening hours of the shop in Bilbao'];
    const ranked = JSON.parse(
      (await post('/v2/rerank', { model: 'sim-small', query: 'washing my rain jacket', documents, top_n: 2 })).text,
    );
    assert.deepEqual([ranked.results.length, ranked.results[0].index, ranked.meta.billed_units.search_units], [2, 0, 1]);
    assert.equal(sim.invoice().lines.find(({ model }) => model === 'sim-small')?.units.searches, 1);
  });

  it('fails as the provider does', async () => {
    const faulty = (fault: string, extra: object = {}): Promise<Seen> => post('/v2/chat', ask('Hi', extra), { 'x-sim-fault': fault });
    assert.equal(typeof JSON.parse((await faulty('error:429')).text).message, 'string');
    assert.equal((await faulty('key_revoked')).status, 401);
    const last = dataOf((await faulty('error_after=2', { stream: true })).text).at(-1) ?? '';
    assert.equal(JSON.parse(last).delta.finish_reason, 'ERROR');
    assert.equal((await post('/v2/chat', ask('Hi', { tool_choice: 'REQUIRED' }))).status, 400);
  });
});
