import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  sendStream,
  startGateway,
  startUpstream,
  streamEvents,
  TEST_KEY,
  type TestGateway,
  testProvider,
} from '../testing.ts';
import { cachingSnapshot } from './testing.ts';

/** A client's way to ask one question, and to find the text in an answer. */
interface Client {
  readonly name: string;
  path(isStream: boolean): string;
  body(text: string, isStream: boolean): Record<string, unknown>;
  /** Text of a JSON answer, or of one event of a stream. */
  text(value: never): string;
}

const MAX_TOKENS = 64;
const CLIENTS: readonly Client[] = [
  {
    name: 'openai-chat',
    path: () => '/v1/chat/completions',
    body: (text, stream) => ({ model: 'main', max_completion_tokens: MAX_TOKENS, stream, messages: [{ role: 'user', content: text }] }),
    text: ({ choices }: { choices?: { message?: { content: string }; delta?: { content?: string } }[] }) =>
      choices?.[0]?.message?.content ?? choices?.[0]?.delta?.content ?? '',
  },
  {
    name: 'anthropic-messages',
    path: () => '/v1/messages',
    body: (text, stream) => ({ model: 'main', max_tokens: MAX_TOKENS, stream, messages: [{ role: 'user', content: text }] }),
    text: ({ content, delta }: { content?: { text?: string }[]; delta?: { text?: string } }) => content?.[0]?.text ?? delta?.text ?? '',
  },
  {
    name: 'openai-responses',
    path: () => '/v1/responses',
    body: (text, stream) => ({ model: 'main', max_output_tokens: MAX_TOKENS, stream, store: false, input: text }),
    text: ({ output, delta, type }: { output?: { content?: { text: string }[] }[]; delta?: string; type?: string }) =>
      output?.[0]?.content?.[0]?.text ?? (type === 'response.output_text.delta' ? (delta ?? '') : ''),
  },
  {
    name: 'gemini',
    path: (stream) => `/v1beta/models/main:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: (text) => ({ contents: [{ role: 'user', parts: [{ text }] }], generationConfig: { maxOutputTokens: MAX_TOKENS } }),
    text: ({ candidates }: { candidates?: { content?: { parts?: { text?: string }[] } }[] }) =>
      candidates?.[0]?.content?.parts?.[0]?.text ?? '',
  },
];

let upstream: ScriptedUpstream;
let running: TestGateway;
let count = 0;

before(async () => {
  upstream = await startUpstream(({ json }, response) => {
    const text = `It is number ${++count}.`;
    if (json.stream === true) sendStream(response, streamEvents(text.split(/(?= )/)));
    else sendJson(response, completion(text));
  });
  running = await startGateway(
    cachingSnapshot(upstream.baseUrl, {}, {}, { providers: [testProvider(upstream.baseUrl, { kind: 'openai-compatible' })] }),
  );
});
after(async () => {
  await running.close();
  await upstream.close();
});

async function ask(client: Client, text: string, isStream: boolean) {
  const answer = await fetch(`${running.origin}${client.path(isStream)}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(client.body(text, isStream)),
  });
  const body = await answer.text();
  assert.equal(answer.status, 200, body);
  const values = isStream
    ? body
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice(6)) as never)
    : [JSON.parse(body) as never];
  return { outcome: answer.headers.get('x-plimsoll-cache'), body, text: values.map((value) => client.text(value)).join('') };
}

for (const client of CLIENTS) {
  describe(`a cache for clients of ${client.name}`, () => {
    it('gives JSON and streams again byte for byte', async () => {
      for (const isStream of [false, true]) {
        const question = `${client.name} again ${isStream}`;
        const first = await ask(client, question, isStream);
        const second = await ask(client, question, isStream);
        assert.deepEqual([first.outcome, second.outcome], ['miss', 'hit']);
        assert.equal(second.body, first.body);
        assert.match(first.text, /^It is number \d+\.$/);
      }
    });

    it('gives a stream as JSON and JSON as a stream', async () => {
      for (const isStream of [false, true]) {
        const question = `${client.name} other form ${isStream}`;
        const first = await ask(client, question, isStream);
        const second = await ask(client, question, !isStream);
        assert.equal(second.outcome, 'hit');
        assert.equal(second.text, first.text);
      }
    });
  });
}

describe('a cache between dialects', () => {
  it('gives an answer to a client that asks the same in another one, as JSON and as a stream', async () => {
    // An answer of the Responses API repeats its request: it is kept for requests that are equal in every member.
    const clients = CLIENTS.filter(({ name }) => name !== 'openai-responses');
    for (const from of clients) {
      for (const to of clients.filter((client) => client !== from)) {
        for (const isStream of [false, true]) {
          const question = `${from.name} to ${to.name} ${isStream}`;
          const first = await ask(from, question, isStream);
          assert.equal(first.outcome, 'miss');
          for (const form of [isStream, !isStream]) {
            const second = await ask(to, question, form);
            assert.equal(second.outcome, 'hit', question);
            assert.equal(second.text, first.text, question);
          }
        }
      }
    }
    const [chat, , responses] = CLIENTS;
    assert.ok(chat !== undefined && responses !== undefined);
    await ask(chat, 'own form', false);
    assert.equal((await ask(responses, 'own form', false)).outcome, 'miss');
  });
});
