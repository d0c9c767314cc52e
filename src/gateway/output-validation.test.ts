import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import OpenAI from 'openai';
import type { OutputContract } from '../features/output-config.ts';
import { cpuTimer } from '../kernel/testing.ts';
import { spansFromCall } from '../traces/from-call.ts';
import type { SnapshotProvider } from './snapshot.ts';
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
  testFeature,
  testProvider,
  testSnapshot,
} from './testing.ts';

const SCHEMA = { type: 'object', properties: { city: { type: 'string', minLength: 2 } }, required: ['city'], additionalProperties: false };
const GOOD = '{"city":"Oslo"}';
const BAD = '{"city":"O","secret":1}';

function contract(changes: Partial<OutputContract> = {}): OutputContract {
  return { schema: SCHEMA, validate: false, validateToolArguments: false, onInvalid: 'reject', ...changes };
}

describe('the form of answers', () => {
  let gateway: TestGateway;
  let upstream: ScriptedUpstream;
  afterEach(async () => {
    await gateway.close();
    await upstream.close();
  });

  async function start(output: OutputContract, answers: readonly string[], provider: Partial<SnapshotProvider> = {}): Promise<void> {
    let next = 0;
    upstream = await startUpstream(({ json }, response) => {
      const text = answers[Math.min(next++, answers.length - 1)] ?? '';
      if (json.stream === true) sendStream(response, streamEvents([...text].map((letter) => letter)));
      else sendJson(response, completion(text));
    });
    const features = [testFeature('support', { output }), testFeature('billing')];
    const providers = [testProvider(upstream.baseUrl, provider)];
    gateway = await startGateway(testSnapshot(upstream.baseUrl, { features, providers }));
  }

  const call = (body: Record<string, unknown> = {}): Promise<Response> =>
    fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'where?' }], ...body }),
    });
  const verdicts = () => gateway.journal.settled.map(({ outputValidation }) => outputValidation);
  /** What a stream brought until it ended or broke. */
  async function readStream(answer: Response): Promise<{ text: string; isBroken: boolean }> {
    let text = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of answer.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
      return { text, isBroken: false };
    } catch {
      return { text, isBroken: true };
    }
  }

  it('a valid answer passes, JSON and stream, untouched; the trace and the metric say so', async () => {
    await start(contract(), [GOOD]);
    const answer = await call();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('x-plimsoll-warnings'), null);
    assert.deepEqual(await answer.json(), completion(GOOD));
    const streamed = await readStream(await call({ stream: true, stream_options: { include_usage: true } }));
    assert.equal(streamed.text, streamEvents([...GOOD]).join(''));
    const valid = { verdict: 'valid', errors: [], repaired: false };
    assert.deepEqual(verdicts(), [valid, valid]);
    assert.match(gateway.gateway.metrics(), /llm_format_compliance_total\{feature="support",verdict="valid"\} 2/);
    const [settled] = gateway.journal.settled;
    assert.ok(settled);
    const [entry, ...rest] = spansFromCall(settled, null).spans;
    assert.equal(entry?.attributes['plimsoll.output.verdict'], 'valid');
    assert.ok(rest.some(({ name }) => name === 'guard-output'));
  });

  it('reject: an invalid answer is an error that names the rule and not the content', async () => {
    await start(contract(), [BAD]);
    const answer = await call();
    assert.equal(answer.status, 502);
    const text = await answer.text();
    assert.match(text, /output_invalid/);
    assert.match(text, /must NOT have additional properties/);
    assert.ok(!text.includes('secret'), text);
    const [settled] = gateway.journal.settled;
    assert.equal(settled?.outputValidation?.verdict, 'invalid');
    assert.deepEqual([settled?.status, settled?.errorType], ['error', 'output_invalid']);
    assert.notEqual(settled?.costPicoUsd, '0', 'it was paid for');
    assert.equal(upstream.requests.length, 1, 'neither repaired nor sent elsewhere');
  });

  it('reject: an invalid stream never shows its finish; it ends in an error event and is cut', async () => {
    await start(contract(), [BAD]);
    const { text, isBroken } = await readStream(await call({ stream: true }));
    assert.ok(isBroken);
    assert.ok(!text.includes('"finish_reason":"stop"'), text);
    assert.ok(!text.includes('[DONE]'));
    assert.match(text, /output_invalid/);
    assert.equal(gateway.journal.settled[0]?.errorType, 'output_invalid');
    const client = new OpenAI({ apiKey: TEST_KEY, baseURL: gateway.baseUrl, maxRetries: 0 });
    const stream = await client.chat.completions.create({ model: 'small', stream: true, messages: [{ role: 'user', content: 'x' }] });
    await assert.rejects(async () => {
      for await (const chunk of stream) assert.notEqual(chunk.choices[0]?.finish_reason, 'stop');
    });
  });

  it('holds the end of a stream back wherever its bytes are cut', async () => {
    const bytes = Buffer.from(streamEvents([GOOD.slice(0, 5), GOOD.slice(5)]).join(''));
    const bad = Buffer.from(streamEvents([BAD.slice(0, 5), BAD.slice(5)]).join(''));
    await start(contract(), [GOOD]);
    for (let cut = 1; cut < Math.max(bytes.length, bad.length); cut += 7) {
      for (const [wire, isGood] of [
        [bytes, true],
        [bad, false],
      ] as const) {
        upstream.script = async (_request, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(wire.subarray(0, cut));
          await new Promise((resolve) => setTimeout(resolve, 1));
          response.end(wire.subarray(cut));
        };
        const { text, isBroken } = await readStream(await call({ stream: true, stream_options: { include_usage: true } }));
        assert.equal(isBroken, !isGood, `${cut}`);
        if (isGood) assert.equal(text, wire.toString());
        else
          assert.ok(
            !text.includes('"finish_reason":"stop"') && !text.includes('[DONE]') && text.includes('output_invalid'),
            `${cut}: ${text}`,
          );
      }
    }
  });

  it('flag: an invalid answer passes with a warning, a stream as it is, both are marked', async () => {
    await start(contract({ onInvalid: 'flag' }), [BAD]);
    const answer = await call();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('x-plimsoll-warnings'), 'output invalid: the answer must NOT have additional properties');
    const streamed = await readStream(await call({ stream: true }));
    assert.equal(streamed.isBroken, false);
    assert.match(streamed.text, /\[DONE\]/);
    assert.deepEqual(
      verdicts().map((verdict) => verdict?.verdict),
      ['invalid', 'invalid'],
    );
  });

  it('repair: the model is asked once more with what is wrong; both attempts are recorded and paid', async () => {
    await start(contract({ onInvalid: 'repair' }), ['Oslo, I think.', GOOD]);
    const answer = await call({ temperature: 0, plimsoll: { variables: {} } });
    assert.equal(answer.status, 200);
    assert.deepEqual(((await answer.json()) as ReturnType<typeof completion>).choices, completion(GOOD).choices);
    assert.deepEqual(verdicts(), [{ verdict: 'valid', errors: [], repaired: true }]);
    const [first, second] = upstream.requests;
    assert.deepEqual(second?.json.messages, [
      { role: 'user', content: 'where?' },
      { role: 'assistant', content: 'Oslo, I think.' },
      {
        role: 'user',
        content: 'This answer is not valid: the answer is not JSON. Give the whole answer again, corrected, as JSON and nothing else.',
      },
    ]);
    assert.deepEqual([second?.json.model, second?.json.temperature, second?.json.plimsoll], [first?.json.model, 0, undefined]);
    const [settled] = gateway.journal.settled;
    assert.equal(settled?.attempts.length, 2);
    const sum = settled.attempts.reduce((total, attempt) => total + BigInt(attempt.costPicoUsd ?? 0), 0n);
    assert.equal(settled?.costPicoUsd, sum.toString());
    assert.equal(answer.headers.get('x-plimsoll-cost-usd'), '0.000072');
  });

  it('repair: when the second answer is no better, or there is none, the first failure stands', async () => {
    await start(contract({ onInvalid: 'repair' }), [BAD]);
    assert.equal((await call()).status, 502);
    assert.equal(upstream.requests.length, 2, 'once more, not for ever');
    assert.deepEqual([verdicts()[0]?.verdict, verdicts()[0]?.repaired], ['invalid', true]);
    let asked = 0;
    upstream.script = (_request, response) =>
      asked++ === 0 ? sendJson(response, completion(BAD)) : sendJson(response, { error: { message: 'no' } }, 500);
    const answer = await call();
    assert.equal(answer.status, 502);
    assert.match(await answer.text(), /output_invalid/);
    assert.equal(gateway.journal.settled[1]?.attempts.length, 2);
    assert.equal(verdicts()[1]?.repaired, false);
    upstream.script = ({ json }, response) =>
      json.stream === true ? sendStream(response, streamEvents([BAD])) : assert.fail('a stream cannot be repaired');
    assert.ok((await readStream(await call({ stream: true }))).isBroken);
  });

  it('repair reaches a provider of another dialect', async () => {
    const answers = ['Oslo', GOOD];
    await start(contract({ onInvalid: 'repair' }), [], { kind: 'anthropic' });
    const base = JSON.parse(readFileSync(new URL('./fixtures/anthropic/text.json', import.meta.url), 'utf8')) as Record<string, unknown>;
    upstream.script = (_request, response) => sendJson(response, { ...base, content: [{ type: 'text', text: answers.shift() }] });
    assert.equal((await call({ max_tokens: 50 })).status, 200);
    const said = (upstream.requests[1]?.json.messages ?? []) as { role: string }[];
    assert.deepEqual(
      said.map(({ role }) => role),
      ['user', 'assistant', 'user'],
    );
    assert.deepEqual(verdicts(), [{ verdict: 'valid', errors: [], repaired: true }]);
  });

  it('validate: the request’s own response_format is what counts, and hostile schemas check nothing and say so', async () => {
    await start(contract({ schema: null, validate: true }), [GOOD]);
    const format = (schema: unknown) => ({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } });
    assert.equal((await call()).status, 200, 'nothing was asked for');
    assert.equal((await call(format(SCHEMA))).status, 200);
    assert.equal((await call(format({ type: 'array' }))).status, 502);
    assert.equal((await call({ response_format: { type: 'json_object' } })).status, 200);
    const spentMs = cpuTimer();
    const hostile = await call(format({ properties: { city: { pattern: '(?=a)' } } }));
    assert.equal(hostile.status, 200);
    assert.match(
      hostile.headers.get('x-plimsoll-warnings') ?? '',
      /output unmeasured: the schema of response_format is not checked: .*look-around/,
    );
    upstream.script = (_request, response) => sendJson(response, completion(`{"city":"${'a'.repeat(50_000)}!"}`));
    assert.equal((await call(format({ properties: { city: { pattern: '^(a+)+$' } } }))).status, 502, 'found invalid, in linear time');
    assert.ok(spentMs() < 5_000, `${spentMs()} ms`);
    assert.deepEqual(
      verdicts().map((verdict) => verdict?.verdict ?? null),
      [null, 'valid', 'invalid', 'valid', 'unmeasured', 'invalid'],
    );
  });

  it('validateToolArguments: against the parameters of the tools; a turn of tools is not held against the answer’s schema', async () => {
    await start(contract({ schema: SCHEMA, validateToolArguments: true }), []);
    const tools = [
      {
        type: 'function',
        function: { name: 'find', parameters: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] } },
      },
      { type: 'function', function: { name: 'ping' } },
    ];
    const calling = (name: string, args: string) =>
      completion('', {
        choices: [
          {
            index: 0,
            finish_reason: 'tool_calls',
            message: {
              role: 'assistant',
              content: null,
              tool_calls: [{ id: 'c1', type: 'function', function: { name, arguments: args } }],
            },
          },
        ],
      });
    const results: (string | undefined)[] = [];
    for (const [name, args] of [
      ['find', '{"id":1}'],
      ['find', '{"id":"one"}'],
      ['find', '{"id":1'],
      ['ping', ''],
      ['pong', '{}'],
    ] as const) {
      upstream.script = (_request, response) => sendJson(response, calling(name, args));
      const answer = await call({ tools });
      await answer.text();
      const verdict = verdicts().at(-1);
      results.push(`${answer.status} ${verdict?.verdict} ${verdict?.errors.join()}`);
    }
    assert.deepEqual(results, [
      '200 valid ',
      '502 invalid tool call "find": /id must be integer',
      '502 invalid tool call "find": the arguments are not a JSON object',
      '200 valid ',
      '502 invalid tool call: there is no tool "pong"',
    ]);
  });

  it('asks nothing of features without a contract, of refusals, and of calls that failed', async () => {
    await start(contract(), [BAD]);
    const other = await fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer plk_test_unbound', 'x-plimsoll-feature': 'billing', 'content-type': 'application/json' },
      body: '{"model":"small","messages":[]}',
    });
    assert.equal(other.status, 200);
    upstream.script = (_request, response) =>
      sendJson(
        response,
        completion('', { choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: null, refusal: 'no' } }] }),
      );
    assert.equal((await call()).status, 200);
    upstream.script = (_request, response) => sendJson(response, { error: { message: 'down' } }, 500);
    assert.equal((await call()).status, 502);
    assert.deepEqual(verdicts(), [undefined, undefined, undefined]);
    assert.ok(!gateway.journal.settled[0]?.stages.some(({ name }) => name === 'guard-output'));
  });
});
