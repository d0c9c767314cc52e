import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cutText, joinText } from './text-parts.ts';

const LONG = 'a long enough text, with "quotes" and \\ in it. '.repeat(6);
const whole = (text: string): string => {
  const { frame, parts } = cutText(text);
  return joinText(frame, parts, 'MISSING');
};

describe('texts in parts', () => {
  it('gives each message, tool and long value apart, and short ones not', () => {
    const body = {
      model: 'm',
      system: LONG,
      tools: [{ name: LONG }],
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'user', content: LONG },
      ],
    };
    const { frame, parts, head } = cutText(JSON.stringify(body));
    assert.deepEqual(
      parts.map((part) => JSON.parse(part)),
      [LONG, { name: LONG }, { role: 'user', content: LONG }],
    );
    assert.equal(frame, '{"model":"m","system":\u0000,"tools":[\u0000],"messages":[{"role":"user","content":"hi"},\u0000]}');
    assert.equal(head, '{"role":"user","content":"hi"}');
  });

  it('shares the parts of a conversation that goes on', () => {
    const messages = Array.from({ length: 6 }, (_, place) => ({
      role: place % 2 === 0 ? 'user' : 'assistant',
      content: `${place} ${LONG}`,
    }));
    const system = { role: 'system', content: LONG };
    const before = cutText(JSON.stringify({ messages: [system, ...messages.slice(0, 3)] }));
    const after = cutText(JSON.stringify({ messages: [system, ...messages] }, null, 2));
    const later = cutText(JSON.stringify({ messages: [system, ...messages] }));
    assert.deepEqual(later.parts.slice(0, 4), before.parts);
    assert.equal(later.head, before.head);
    assert.equal(after.parts.length, 7, 'spaces between the parts are no part of them');
  });

  it('is the text again, whatever the text is', () => {
    const json = fc
      .json({ maxDepth: 4 })
      .map((text) => `{"messages":[${text},{"role":"user","content":${JSON.stringify(LONG)}},${text}],"x":${text}}`);
    fc.assert(
      fc.property(fc.oneof(json, fc.string({ unit: 'binary' }), fc.string()), fc.nat(), (text, cutAt) => {
        assert.equal(whole(text), text);
        const torn = text.slice(0, cutAt % (text.length + 1));
        assert.equal(whole(torn), torn);
      }),
    );
  });

  it('survives what is no JSON, or hostile', () => {
    for (const text of [
      '',
      '[',
      '{',
      '{"a"',
      '{"a":',
      '[[[[',
      ']',
      '{"a":"\\',
      `["${LONG}`,
      `[${LONG}]`,
      `{${LONG}:`,
      '[,,,]',
      '{"a"::1}',
      'x'.repeat(1_000),
      `["\u0000",${JSON.stringify(LONG)}]`,
    ])
      assert.equal(whole(text), text, JSON.stringify(text.slice(0, 40)));
  });

  it('is linear: a million brackets, or quotes, take no minute', () => {
    for (const text of [`[${'['.repeat(1e6)}`, `{"a":${'{"a":'.repeat(2e5)}`, `[${'"\\"",'.repeat(2e5)}]`]) assert.equal(whole(text), text);
  });

  it('says what is missing', () => {
    const { frame, parts } = cutText(JSON.stringify([{ content: LONG }, { content: `${LONG}2` }]));
    assert.equal(joinText(frame, [null, parts[1] ?? ''], '"[deleted]"'), `["[deleted]",${parts[1]}]`);
  });
});
