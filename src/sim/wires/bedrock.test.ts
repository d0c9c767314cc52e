import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { SimulatedProviders } from '../provider-server.ts';
import { type Seen, see, startSim } from '../testing.ts';

/** The package has no types. */
interface Aws4 {
  sign(request: object, credentials: object): { readonly headers: Record<string, string> };
}
const aws4: Aws4 = createRequire(import.meta.url)('aws4');

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString(),
  (text) => Buffer.from(text),
);

interface Frame {
  readonly type: unknown;
  readonly kind: unknown;
  readonly body: Record<string, unknown>;
}

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const { headers, body } = codec.decode(bytes.subarray(at, at + length));
    frames.push({
      type: headers[':event-type']?.value ?? headers[':exception-type']?.value,
      kind: headers[':message-type']?.value,
      body: JSON.parse(Buffer.from(body).toString()),
    });
    at += length;
  }
  return frames;
}

describe('simulated Bedrock', () => {
  let sim: SimulatedProviders;
  before(async () => {
    sim = await startSim({}, 7);
  });
  after(() => sim.close());

  const ask = (text: string, extra: object = {}): object => ({ messages: [{ role: 'user', content: [{ text }] }], ...extra });
  function call(
    operation: 'converse' | 'converse-stream',
    body: object,
    headers: Record<string, string> = {},
    service = 'bedrock',
  ): Promise<Seen> {
    const path = `/model/${encodeURIComponent('sim-claude')}/${operation}`;
    const signed = aws4.sign(
      {
        host: `127.0.0.1:${sim.port}`,
        path,
        method: 'POST',
        service,
        region: 'eu-west-1',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      },
      { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    );
    return see(sim.port, path, { body, headers: { ...signed.headers, ...headers } });
  }
  const TOOL_CONFIG = {
    tools: [
      {
        toolSpec: {
          name: 'get_order_status',
          description: 'Status of one order',
          inputSchema: { json: { type: 'object', properties: { order_id: { type: 'string' } }, required: ['order_id'] } },
        },
      },
    ],
  };

  it('answers a signed request, and streams the same in binary frames', async () => {
    const body = ask('Do you ship to Norway, and who pays the customs duty?');
    const whole = JSON.parse((await call('converse', body)).text);
    assert.match(whole.output.message.content[0].text, /VOEC/);
    assert.equal(whole.stopReason, 'end_turn');
    assert.equal(whole.usage.totalTokens, whole.usage.inputTokens + whole.usage.outputTokens);
    const seen = await call('converse-stream', body);
    assert.equal(seen.headers['content-type'], 'application/vnd.amazon.eventstream');
    const frames = framesOf(seen.bytes);
    const text = frames.map(({ body: event }) => (event as { delta?: { text?: string } }).delta?.text ?? '').join('');
    assert.equal(text, whole.output.message.content[0].text);
    assert.deepEqual(
      [...new Set(frames.map(({ type }) => type))],
      ['messageStart', 'contentBlockDelta', 'contentBlockStop', 'messageStop', 'metadata'],
    );
    assert.deepEqual(frames.at(-1)?.body.usage, whole.usage);
    const [line] = sim.invoice().lines;
    assert.equal(line?.usage.outputTextTokens, 2 * whole.usage.outputTokens);
  });

  it('uses tools: the input comes in pieces, the result answers the question', async () => {
    const body = ask('I was charged twice for order TS-110045.', { toolConfig: TOOL_CONFIG });
    const frames = framesOf((await call('converse-stream', body)).bytes);
    const start = frames.find(({ type }) => type === 'contentBlockStart')?.body as {
      start: { toolUse: { toolUseId: string; name: string } };
    };
    const input = frames
      .map(({ body: event }) => (event as { delta?: { toolUse?: { input: string } } }).delta?.toolUse?.input ?? '')
      .join('');
    assert.equal(start.start.toolUse.name, 'get_order_status');
    assert.deepEqual(JSON.parse(input), { order_id: 'TS-110045' });
    const whole = JSON.parse((await call('converse', body)).text);
    const [use] = whole.output.message.content;
    assert.deepEqual(use.toolUse.input, JSON.parse(input));
    const toolResult = { toolUseId: use.toolUse.toolUseId, content: [{ json: { status: 'paid' } }] };
    const second = await call('converse', {
      toolConfig: TOOL_CONFIG,
      messages: [
        { role: 'user', content: [{ text: 'I was charged twice for order TS-110045.' }] },
        { role: 'assistant', content: [use] },
        { role: 'user', content: [{ toolResult }] },
      ],
    });
    assert.match(JSON.parse(second.text).output.message.content[0].text, /reservation/);
  });

  it('caches up to the cache points', async () => {
    const system = [{ text: 'You answer briefly. '.repeat(800) }, { cachePoint: { type: 'default' } }];
    const { usage } = JSON.parse((await call('converse', ask('Hello', { system }))).text);
    const cached = usage.cacheReadInputTokens + usage.cacheWriteInputTokens;
    assert.ok(cached > 1_500);
    assert.equal(usage.totalTokens, usage.inputTokens + cached + usage.outputTokens);
  });

  it('checks the form of the signature', async () => {
    const body = ask('Hi');
    assert.equal((await call('converse', body)).status, 200);
    assert.equal((await call('converse', body, { authorization: 'Bearer bedrock-api-key' })).status, 200);
    const plain = await see(sim.port, '/model/sim-claude/converse', { body });
    assert.deepEqual([plain.status, plain.headers['x-amzn-errortype']], [403, 'UnrecognizedClientException']);
    assert.match(plain.text, /Missing Authentication Token/);
    assert.match((await call('converse', body, {}, 's3')).text, /correct service/);
    assert.match((await call('converse', body, { authorization: 'AWS4-HMAC-SHA256 Credential=x' })).text, /does not conform/);
    assert.match((await call('converse', body, { 'x-amz-date': '20200101T000000Z' })).text, /does not match/);
  });

  it('fails as the service does: status and error type, exception frames, broken checksums', async () => {
    const body = ask('Where is my order TS-104233? It should have been here on Monday.');
    const faulty = (fault: string, operation: 'converse' | 'converse-stream' = 'converse-stream'): Promise<Seen> =>
      call(operation, body, { 'x-sim-fault': fault });
    const throttled = await faulty('error:429;retry-after=3');
    assert.deepEqual(
      [throttled.status, throttled.headers['x-amzn-errortype'], throttled.headers['retry-after']],
      [429, 'ThrottlingException', '3'],
    );
    const frames = framesOf((await faulty('error_after=3')).bytes);
    assert.deepEqual([frames.length, frames.at(-1)?.kind, frames.at(-1)?.type], [4, 'exception', 'internalServerException']);
    const broken = await faulty('malformed_sse');
    assert.throws(() => framesOf(broken.bytes), /checksum/);
    assert.equal((await call('converse', { ...body, max_tokens: 5 })).headers['x-amzn-errortype'], 'ValidationException');
    assert.match(
      (await call('converse', { messages: [{ role: 'assistant', content: [{ text: 'Hi' }] }] })).text,
      /must start with a user message/,
    );
  });
});
