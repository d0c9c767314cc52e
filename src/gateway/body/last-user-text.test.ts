import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { scanChatBody } from './chat-body.ts';
import { JsonScanner } from './json-scanner.ts';
import { lastUserText } from './last-user-text.ts';

const scanner = new JsonScanner(64);

function read(text: string, maxCharacters = 200): string {
  const bytes = Buffer.from(text);
  return lastUserText(scanChatBody(bytes, scanner), scanner, maxCharacters);
}

describe('text of the last user message', () => {
  it('is the beginning of what JSON.parse would give', () => {
    const message = fc.record({
      role: fc.constantFrom('user', 'assistant', 'system', 'usér'),
      content: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.string({ unit: 'binary', maxLength: 60 }), fc.constant(null)),
      name: fc.string({ maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.integer({ min: 1, max: 220 }), (messages, maxCharacters) => {
        const last = messages.findLast(({ role }) => role === 'user')?.content ?? '';
        const found = read(JSON.stringify({ model: 'm', messages }), maxCharacters);
        assert.ok(found.length >= Math.min(maxCharacters, last.length));
        assert.ok(found.length <= maxCharacters + 1);
        assert.equal(found, Buffer.from(JSON.stringify(last)).toString() === '""' ? '' : last.slice(0, found.length));
      }),
      { numRuns: 200 },
    );
  });

  it('reads escaped names and roles, text parts, and the last of two equal names', () => {
    assert.equal(read('{"model":"m","messages":[{"r\\u006fle":"\\u0075ser","content":"a\\u0062c"}]}'), 'abc');
    assert.equal(
      read('{"model":"m","messages":[{"content":[{"type":"text","text":"one"},{"type":"image_url"},{"text":"two"}],"role":"user"}]}'),
      'one\ntwo',
    );
    assert.equal(read('{"model":"m","messages":[{"role":"system","role":"user","content":"x","content":"y"}]}'), 'y');
    assert.equal(read('{"model":"m","messages":[3,{},{"role":"user"}]}'), '');
    assert.equal(read('{"model":"m","messages":[]}'), '');
  });

  it('reads other dialects: a text for a conversation, parts without a role', () => {
    assert.equal(read('{"model":"m","messages":"text"}'), 'text');
    assert.equal(
      read('{"model":"m","messages":[{"parts":[{"text":"one"},{"inlineData":{}}]},{"role":"model","parts":[{"text":"x"}]}]}'),
      'one',
    );
    assert.equal(read('{"model":"m","messages":[{"type":"function_call_output","output":"x","content":"y"}]}'), '');
  });
});
