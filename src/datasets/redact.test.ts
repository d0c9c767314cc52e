import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { Redactor, redactCase } from './redact.ts';

const redact = (text: string): string => new Redactor().text(text);

describe('redaction', () => {
  const gone: [string, string][] = [
    ['Write to ann.b+x@mail.example.co.uk, please.', 'Write to [EMAIL_1], please.'],
    ['jörg@müller.de', '[EMAIL_1]'],
    ['Card 4111 1111 1111 1111 exp', 'Card [CARD_1] exp'],
    ['5500-0000-0000-0004', '[CARD_1]'],
    ['378282246310005', '[CARD_1]'],
    ['IBAN DE89 3704 0044 0532 0130 00 AND more', 'IBAN [IBAN_1] AND more'],
    ['GB29NWBK60161331926819', '[IBAN_1]'],
    ['Call +49 30 901820 or +1 (415) 555-2671.', 'Call [PHONE_1] or [PHONE_2].'],
    ['0170 1234567', '[PHONE_1]'],
    ['(415) 555-2671', '[PHONE_1]'],
    ['key sk-ant-api03-abcdefghijklmnop0123456789', 'key [SECRET_1]'],
    ['AKIAIOSFODNN7EXAMPLE', '[SECRET_1]'],
    [`ghp_${'a1B2'.repeat(9)}`, '[SECRET_1]'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P', '[SECRET_1]'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n-----END RSA PRIVATE KEY-----', '[SECRET_1]'],
  ];
  for (const [text, expected] of gone)
    it(`takes out ${text.slice(0, 40).replaceAll('\n', ' ')}`, () => assert.equal(redact(text), expected));

  const stays = [
    'Card 4111 1111 1111 1112',
    'DE89 3704 0044 0532 0130 01',
    'Order 2026-11-21 at 10:30, total 1234567.89 for 3 items',
    'version 1.2.3.4, ISBN 978-3-16',
    'a@b',
    'trace 4bf92f3577b34da6a3ce929d0e0e4736',
    'price: 1 000 000 USD',
    'sk-short',
  ];
  for (const text of stays) it(`leaves ${text}`, () => assert.equal(redact(text), text));

  it('is consistent within a case, and counts values', () => {
    const { draft, redactions } = redactCase({
      id: 'keep@example.com',
      tags: ['x@example.com'],
      input: {
        variables: { mail: 'Ann@Example.com', n: 4111111111111111, deep: [{ to: 'bob@example.com' }] },
        messages: [{ role: 'user', content: 'ann@example.com here' }],
      },
      expected: { answer: 'Mail ann@example.com' },
      recorded: { output: '+49 30 901820 is +49-30-901820' },
      contexts: [{ text: 'bob@example.com' }],
    });
    assert.deepEqual(draft.input?.variables, { mail: '[EMAIL_1]', n: '[CARD_1]', deep: [{ to: '[EMAIL_2]' }] });
    assert.equal(draft.input?.messages?.[0]?.content, '[EMAIL_1] here');
    assert.equal(draft.expected?.answer, 'Mail [EMAIL_1]');
    assert.equal(draft.recorded?.output, '[PHONE_1] is [PHONE_1]');
    assert.equal(draft.contexts?.[0]?.text, '[EMAIL_2]');
    assert.equal(draft.id, 'keep@example.com');
    assert.deepEqual(redactions, [
      { name: 'EMAIL', count: 2 },
      { name: 'CARD', count: 1 },
      { name: 'PHONE', count: 1 },
    ]);
  });

  it('takes other detectors', () => {
    const detector = {
      name: 'TICKET',
      find: (text: string) => [...text.matchAll(/T-\d+/g)].map((match) => [match.index, match.index + match[0].length] as const),
    };
    assert.equal(redactCase({ input: { variables: { a: 'see T-12' } } }, [detector]).draft.input?.variables?.a, 'see [TICKET_1]');
  });

  it('is not slow on hostile text', () => {
    for (const unit of ['a', '1', '1 ', '1-', 'A1', 'a.', '@', 'a@a.', '0', '+1', 'eyJa', '-----BEGIN ', 'DE89 ', '(1']) {
      const started = performance.now();
      redact(unit.repeat(Math.ceil(200_000 / unit.length)));
      const tookMs = performance.now() - started;
      assert.ok(tookMs < 5_000, `${unit}: ${tookMs} ms`);
    }
  });
});
