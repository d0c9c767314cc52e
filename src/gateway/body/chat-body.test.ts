import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { metadataTags, parseChatBody, requestParameters, scanChatBody, upstreamChatBody, wholeBody } from './chat-body.ts';
import { JsonScanner } from './json-scanner.ts';

const scanner = new JsonScanner(64);
const UPSTREAM = Buffer.from('"gpt-5-2026"');

function scan(text: string) {
  return scanChatBody(Buffer.from(text), scanner);
}

function forward(text: string): Record<string, unknown> {
  return parseJsonText(wholeBody(upstreamChatBody(scan(text), UPSTREAM)).toString()) as Record<string, unknown>;
}

function refuses(text: string, message: RegExp): void {
  assert.throws(() => scan(text), { name: 'PlimsollError', code: 'invalid_argument', message });
}

const field = fc.oneof(
  fc.constantFrom('temperature', 'tools', 'mod el', 'x', 'Model', 'stream_option', 'streams', ''),
  fc.string({ maxLength: 8 }),
);
const request = fc
  .record({
    rest: fc.dictionary(field, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 }),
    model: fc.string({ minLength: 1 }),
    stream: fc.constantFrom(undefined, true, false, null),
    streamOptions: fc.constantFrom(undefined, null, {}, { include_usage: false }, { include_usage: true }, { other: 1 }),
    plimsoll: fc.constantFrom(undefined, { prompt: 'a@b' }, null),
    order: fc.infiniteStream(fc.nat()),
    space: fc.constantFrom(undefined, 1, '\t'),
  })
  .map(({ rest, model, stream, streamOptions, plimsoll, order, space }) => {
    const all: Record<string, unknown> = { ...rest, model, messages: [{ role: 'user', content: 'é"\\' }] };
    if (stream !== undefined) all.stream = stream;
    if (streamOptions !== undefined) all.stream_options = streamOptions;
    if (plimsoll !== undefined) all.plimsoll = plimsoll;
    for (const name of ['user', 'metadata']) delete all[name];
    const shuffled = Object.entries(all)
      .map((entry) => [order.next().value as number, entry] as const)
      .sort(([a], [b]) => a - b)
      .map(([, entry]) => entry);
    const text = JSON.stringify(Object.fromEntries(shuffled), null, space);
    // What JSON can hold: -0 is written as 0.
    return { all: parseJsonText(text) as Record<string, unknown>, text };
  });

describe('scanChatBody and upstreamChatBody', () => {
  it('forward the request as it is, but for model, include_usage and our own member', () => {
    fc.assert(
      fc.property(request, ({ all, text }) => {
        const expected: Record<string, unknown> = { ...all, model: 'gpt-5-2026' };
        delete expected.plimsoll;
        if (all.stream === true) {
          expected.stream_options = { ...(all.stream_options as object | null), include_usage: true };
        }
        assert.deepEqual(forward(text), expected);
        const body = scan(text);
        assert.equal(body.model, all.model);
        assert.equal(body.isStream, all.stream === true);
        const withoutOurs = { ...all };
        delete withoutOurs.plimsoll;
        assert.deepEqual(parseChatBody(body), withoutOurs);
      }),
      { numRuns: 200 },
    );
  });

  it('hand back the very same bytes when nothing changes', () => {
    const text = '{ "messages" : [],\n"model":"gpt-5-2026" , "stream":true, "stream_options": {"include_usage" :true}, "n": 1e0 }';
    const body = scan(text);
    assert.equal(wholeBody(upstreamChatBody(body, UPSTREAM)), body.bytes);
  });

  it('read member names with escapes', () => {
    assert.equal(scan('{"mod\\u0065l":"a","messages":[]}').model, 'a');
    assert.deepEqual(forward('{"mod\\u0065l":"a","messages":[],"pl\\u0069msoll":{}}'), { model: 'gpt-5-2026', messages: [] });
  });

  it('refuse a member that we read and that appears twice, in whatever spelling', () => {
    refuses('{"model":"a","messages":[],"model":"b"}', /"model" appears twice/);
    refuses('{"model":"a","messages":[],"mode\\u006c":"b"}', /"model" appears twice/);
    refuses('{"model":"a","messages":[],"stream":true,"stream":false}', /"stream" appears twice/);
  });

  it('leave duplicates of what is only forwarded to the provider', () => {
    const text = '{"model":"gpt-5-2026","messages":[],"tools":[],"tools":[]}';
    assert.equal(wholeBody(upstreamChatBody(scan(text), UPSTREAM)).toString(), text);
  });

  it('say which member is wrong', () => {
    refuses('{"messages":[]}', /no "model"/);
    refuses('{"model":"a"}', /no "messages"/);
    refuses('{"model":7,"messages":[]}', /"model" must be a string/);
    refuses('{"model":"a","messages":[],"stream":"yes"}', /"stream" must be true or false/);
    refuses('{"model":"a","messages":[],"stream_options":[]}', /"stream_options" must be an object/);
    refuses('[]', /must be a JSON object/);
    refuses('{"model":"a","messages":[]', /ends too early/);
    refuses('{"model":"a","messages":[]}}', /unexpected byte at offset 27/);
    refuses(`{"model":"a","messages":${'['.repeat(64)}${']'.repeat(64)}}`, /deeper than 64/);
  });

  it('read user, metadata and sampling parameters', () => {
    const body = scan(
      '{"model":"a","messages":[],"user":"u\\u0031","metadata":{"team":"x","n":1},"temperature":0.5,"stop":["a"],"max_tokens":9}',
    );
    assert.equal(body.user, 'u1');
    assert.deepEqual(metadataTags(body), { team: 'x' });
    assert.deepEqual(parseJsonText(requestParameters(body)), { temperature: 0.5, stop: ['a'], max_tokens: 9 });
  });

  it('keep a long parameter out of the record', () => {
    assert.deepEqual(parseJsonText(requestParameters(scan(`{"model":"a","messages":[],"stop":"${'x'.repeat(300)}"}`))), {});
  });
});
