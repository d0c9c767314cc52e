import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { completion, type ScriptedUpstream, sendJson, startGateway, startUpstream, type TestGateway } from '../testing.ts';
import { nearForm, normaliseText } from './question-text.ts';
import { asker, cachingSnapshot, question } from './testing.ts';

const EQUAL: [string, string][] = [
  ['How do I reset my password?', 'how do I  reset my password'],
  ['Where is my order', 'Where is my order?!'],
  ['What’s the plan?', "what's the plan"],
  ['Ｗhere is it', 'Where is it'],
  ['Return an item (unused)', 'return an item unused.'],
  ['line one\nline two', 'Line one line two'],
  ['Is it safe? Yes or no.', 'is it safe? yes or no'],
  ['I want two bananas', 'i want two bananas'],
];

const DIFFERENT: [string, string, string][] = [
  ['numbers', 'What is 12 plus 3', 'What is 12 plus 4'],
  ['a sign', 'Set it to -5', 'Set it to 5'],
  ['a separator', 'Pay 1.000', 'Pay 1,000'],
  ['a currency', 'Pay $5', 'Pay €5'],
  ['a percent sign', 'Add 5 %', 'Add 5'],
  ['an exponent', 'What is x²', 'What is x2'],
  ['negation', 'Can I refund it', 'Can I not refund it'],
  ['a short negation', 'I can do it', "I can't do it"],
  ['a name in capitals', 'Ship it to Turkey', 'Ship it to turkey'],
  ['an acronym', 'Call IT now', 'Call it now'],
  ['an acronym at the beginning', 'US or Germany?', 'Us or Germany?'],
  ['names swapped', 'Send it from Ann to Bob', 'Send it from Bob to Ann'],
  ['names in place of each other', 'Who is Ann', 'Who is Bob'],
  ['quotes', 'Translate "Not now"', 'Translate "not now"'],
  ['code', 'What does `a.B()` do', 'What does `a.b()` do'],
  ['a code block', 'Fix ```\nif a:\n  b```', 'Fix ```\nif a:\nb```'],
  ['indentation', 'fix\nif a:\n  b', 'fix\nif a:\nb'],
  ['an identifier', 'What is userId', 'What is userid'],
  ['a path', 'open src/Main', 'open src/main'],
  ['symbols of languages', 'Learn C++', 'Learn C'],
  ['sharp', 'Learn C#', 'Learn C'],
  ['words', 'How do I reset my password', 'How do I change my password'],
  ['a time', 'Open at 12:30', 'Open at 1:230'],
];

describe('near-duplicate texts', () => {
  for (const [left, right] of EQUAL) it(`are the same: ${JSON.stringify(left)}`, () => assert.equal(nearForm(left), nearForm(right)));
  for (const [what, left, right] of DIFFERENT) it(`are not the same: ${what}`, () => assert.notEqual(nearForm(left), nearForm(right)));

  it('never hold more than the text that they were made from', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        assert.equal(nearForm(text), nearForm(text));
        assert.equal(normaliseText(normaliseText(text)), normaliseText(text));
      }),
    );
  });

  it('differ whenever a number, a negation or a name differs', () => {
    const slot = fc.constantFrom('12', '13', 'not', 'never', 'Ann', 'Bob', '"x"', '`y`', '5 %');
    const words = fc.array(fc.constantFrom('please', 'send', 'the', 'order', 'again'), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(words, words, slot, slot, (before, behind, left, right) => {
        fc.pre(left !== right);
        const make = (word: string): string => [...before, word, ...behind].join(' ');
        assert.notEqual(nearForm(make(left)), nearForm(make(right)));
      }),
    );
  });
});

describe('near-duplicate cache', () => {
  let upstream: ScriptedUpstream;
  let running: TestGateway;
  const ask = asker(() => running.baseUrl);
  before(async () => {
    upstream = await startUpstream((_request, response) => sendJson(response, completion('Hello')));
    running = await startGateway(cachingSnapshot(upstream.baseUrl, { mode: 'near' }));
  });
  after(async () => {
    await running.close();
    await upstream.close();
  });
  const outcome = async (body: Record<string, unknown>) => (await ask(body)).headers.get('x-plimsoll-cache');

  it('is a step of its own with its own count, and needs everything else to be equal', async () => {
    assert.equal(await outcome(question('How do I reset my password?')), 'miss');
    assert.equal(await outcome(question('how do I reset my  password')), 'near-hit');
    assert.equal(await outcome(question('How do I reset my password?')), 'hit');
    assert.equal(await outcome(question('how do I reset my password', { seed: 1 })), 'miss');
    assert.equal(
      await outcome({
        model: 'main',
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content: 'how do I reset my password' },
        ],
      }),
      'miss',
    );
    assert.equal(await outcome(question('how do I reset my password', { model: 'large' })), 'miss');
    assert.match(running.gateway.metrics(), /plimsoll_cache_requests_total\{feature="support",outcome="near-hit"\} 1/);
    const settled = running.journal.settled[1];
    assert.equal(settled?.costStatus, 'cached_zero');
    assert.equal(settled?.cache?.savedPicoUsd, '36000000');
    running.snapshot = cachingSnapshot(upstream.baseUrl, { mode: 'exact' });
    assert.equal(await outcome(question('HOW do I reset my password')), 'miss');
  });
});
