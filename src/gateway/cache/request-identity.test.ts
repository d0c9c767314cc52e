import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { Call } from '../call.ts';
import type { ClientDialect, ClientTranslation } from '../client-dialect.ts';
import { compileSnapshot } from '../compiled-snapshot.ts';
import { openAiChat } from '../dialects/openai-chat.ts';
import { testSnapshot } from '../testing.ts';
import { identifyRequest, requestContext } from './request-identity.ts';

const snapshot = compileSnapshot(testSnapshot('http://127.0.0.1:1/v1'), () => null);
const response = { on: () => response } as unknown as ServerResponse; // only listened to

function callOf(text: string, dialect: ClientDialect = openAiChat, headers: Record<string, string> = {}): Call {
  const call = new Call({ headers, url: '/v1/chat/completions' } as IncomingMessage, response, dialect, snapshot, systemClock); // only read here
  call.body = dialect.scan(Buffer.from(text), snapshot.bodyScanner, '/v1/chat/completions');
  return call;
}

function identity(text: string, dialect?: ClientDialect, headers?: Record<string, string>) {
  const found = identifyRequest(callOf(text, dialect, headers));
  assert.ok(typeof found !== 'string', String(found));
  return found;
}

const canonical = (text: string): string => identity(text).canonical;

/** JSON text of a value with its members in another order, white space, and strings and numbers written in another way. */
function rewrite(value: unknown, random: () => number): string {
  const space = (): string => ['', ' ', '\n', '\t '][Math.floor(random() * 4)] ?? '';
  if (Array.isArray(value)) return `[${value.map((entry) => `${space()}${rewrite(entry, random)}${space()}`).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(() => random() - 0.5);
    return `{${members.map(([name, entry]) => `${space()}${rewrite(name, random)}${space()}:${space()}${rewrite(entry, random)}`).join(',')}}`;
  }
  if (typeof value === 'string')
    return `"${[...value].map((character) => (random() < 0.3 || /["\\\p{Cc}]/u.test(character) ? escaped(character) : character)).join('')}"`;
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 1e6) return random() < 0.5 ? `${value}.0` : `${value}e0`;
  return JSON.stringify(value);
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}

const name = fc.constantFrom(
  'temperature',
  'tools',
  'seed',
  'stop',
  'top_p',
  'response_format',
  'x',
  '__proto__',
  'constructor',
  'messages2',
);
const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>;
const request = fc
  .tuple(fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 5 }), fc.array(value, { maxLength: 3 }))
  .map(([members, messages]) => Object.fromEntries([['model', 'main'], ['messages', messages], ...members]) as Record<string, unknown>);

describe('what a request asks', () => {
  it('is the same however it is written, whoever asks, and in whatever form the answer is wanted', () => {
    fc.assert(
      fc.property(request, fc.nat(), fc.string(), fc.boolean(), (body, seed, user, stream) => {
        let state = seed;
        const random = (): number => {
          state = (state * 1664525 + 1013904223) % 4294967296;
          return state / 4294967296;
        };
        const other = {
          ...body,
          model: 'other',
          user,
          stream,
          metadata: { user },
          safety_identifier: user,
          stream_options: { include_usage: stream },
        };
        assert.equal(canonical(rewrite(other, random)), canonical(JSON.stringify(body)));
      }),
      { numRuns: 300 },
    );
  });

  it('is another one when any member is', () => {
    fc.assert(
      fc.property(request, name, value, (body, member, changed) => {
        const other = { ...body };
        Object.defineProperty(other, member, { value: changed, enumerable: true, configurable: true, writable: true });
        const before = Object.hasOwn(body, member) ? (body[member] ?? null) : null;
        const isEqual = JSON.stringify(sorted(before)) === JSON.stringify(sorted(changed ?? null));
        assert.equal(canonical(JSON.stringify(other)) === canonical(JSON.stringify(body)), isEqual);
      }),
      { numRuns: 300 },
    );
  });

  it('tells numbers apart that a double cannot', () => {
    const seed = (text: string): string => canonical(`{"model":"m","messages":[],"seed":${text}}`);
    assert.notEqual(seed('9007199254740993'), seed('9007199254740992'));
    assert.notEqual(seed('1e400'), seed('1e401'));
    assert.notEqual(seed('1e400'), seed('null'));
    assert.equal(seed('1.50'), seed('1.5'));
    assert.equal(seed('-0'), seed('0'));
  });

  it('leaves defaults out and everything unknown in', () => {
    const text = (rest: string): string => canonical(`{"model":"m","messages":[]${rest}}`);
    assert.equal(text(',"n":1,"stop":null'), text(''));
    assert.notEqual(text(',"n":2'), text(''));
    assert.notEqual(text(',"new_member_of_next_year":true'), text(''));
    assert.equal(text(',"plimsoll":{"a":{"b":1}}'), text(''));
  });

  it('cannot be said of a request with a name twice, or with state of its own', () => {
    const of = (text: string) => identifyRequest(callOf(text));
    assert.equal(of('{"model":"m","messages":[],"seed":1,"seed":2}'), 'a member appears twice');
    assert.equal(of('{"model":"m","messages":[{"role":"user","a":{"b":1,"b":1}}],"plimsoll":{"x":1}}'), 'a member appears twice');
    assert.equal(of('{"model":"m","messages":[],"conversation":"c"}'), '"conversation" is set');
    assert.equal(typeof of('{"model":"m","messages":["a:b","\\":\\\\"],"metadata":{"k":"v"},"background":false}'), 'object');
  });

  it('is said in the hub’s terms where nothing is lost, else in the client’s', () => {
    const translation = (warnings: string[]): ClientTranslation => ({
      decodeRequest: (body) => ({ body: { messages: body.messages, model: body.model, max_tokens: body.max }, warnings }),
      encodeAnswer: (completion) => completion,
      createStreamEncoder: () => ({ onChunk: () => '', end: () => '', fail: () => '' }),
    });
    const other = (warnings: string[]): ClientDialect => ({
      ...openAiChat,
      name: 'anthropic-messages',
      translation: translation(warnings),
    });
    const own = '{"model":"m","messages":[],"max":5,"top_k":3}';
    assert.equal(identity(own, other([])).canonical, canonical('{"model":"m","messages":[],"max_tokens":5}'));
    assert.notEqual(
      identity(own, other(['top_k was dropped'])).canonical,
      identity(own.replace('3', '4'), other(['top_k was dropped'])).canonical,
    );
    // An answer that repeats its request is for nobody who asks with another one.
    const repeating: ClientDialect = { ...other([]), hasOwnForm: () => true };
    const named = (team: string) => identity(`{"model":"m","messages":[],"metadata":{"team":"${team}"}}`, repeating);
    assert.notEqual(named('a').canonical, named('b').canonical);
    assert.equal(named('a').canonical, named('a').canonical);
    assert.equal(named('a').hub, null);
    assert.notEqual(identity(own, other(['x'])).canonical, identity(own, other(['x']), { 'anthropic-beta': 'y' }).canonical);
    const failing: ClientDialect = {
      ...other([]),
      translation: {
        ...translation([]),
        decodeRequest: () => {
          throw new PlimsollError('invalid_argument', 'no counterpart');
        },
      },
    };
    assert.equal(identity(own, failing).hub, null);
  });
});

describe('the text of a request', () => {
  const context = (messages: unknown[], rest: Record<string, unknown> = {}) => requestContext({ messages, ...rest });
  it('is that of the last user message, under circumstances that must be equal', () => {
    const base = context([
      { role: 'system', content: 's' },
      { role: 'user', content: 'a' },
    ]);
    assert.equal(base?.text, 'a');
    assert.equal(
      context([
        { role: 'system', content: 's' },
        { role: 'user', content: 'b' },
      ])?.canonical,
      base?.canonical,
    );
    assert.equal(context([{ role: 'user', content: [{ type: 'text', text: 'b' }] }])?.text, 'b');
    for (const other of [
      context([
        { role: 'system', content: 't' },
        { role: 'user', content: 'a' },
      ]),
      context([{ role: 'user', content: 'a' }]),
      context([
        { role: 'system', content: 's' },
        { role: 'user', content: 'a', name: 'n' },
      ]),
      context([
        { role: 'system', content: 's' },
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'x' },
      ]),
      context(
        [
          { role: 'system', content: 's' },
          { role: 'user', content: 'a' },
        ],
        { temperature: 0 },
      ),
      context(
        [
          { role: 'system', content: 's' },
          { role: 'user', content: 'a' },
        ],
        { tools: [] },
      ),
    ])
      assert.notEqual(other?.canonical, base?.canonical);
  });

  it('is not there for images, empty texts and conversations without a user', () => {
    for (const messages of [
      [],
      [{ role: 'system', content: 's' }],
      [{ role: 'user', content: ' ' }],
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'image_url', image_url: { url: 'u' } },
          ],
        },
      ],
      [{ role: 'user', content: [{ type: 'text', text: 'a', cache_control: {} }] }],
    ])
      assert.equal(context(messages), null);
  });
});

/** The value with the members of every object in order; arrays stay apart from objects, also empty ones. */
function sorted(entry: unknown): unknown {
  if (Array.isArray(entry)) return entry.map(sorted);
  if (typeof entry !== 'object' || entry === null) return Object.is(entry, -0) ? 0 : entry;
  const members = Object.entries(entry)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
  return { members };
}
