import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readCase } from './model.ts';
import { jaccard, leaksOf, nearDuplicates, normalisedText, shinglesOf } from './near-duplicates.ts';

const ask = (question: string) => readCase({ input: { variables: { question } } }, question);

describe('near-duplicates', () => {
  it('finds what is asked twice in other dress', () => {
    const cases = [
      'How do I return a damaged lamp that I bought last week?',
      'how do I return a damaged LAMP, that I bought last week',
      'Where is my parcel?',
    ].map(ask);
    const [pair, ...others] = nearDuplicates(cases);
    assert.deepEqual([pair?.left, pair?.right, pair?.similarity, others.length], [cases[0]?.hash, cases[1]?.hash, 1, 0]);
    const [near] = nearDuplicates([
      ask('How do I return a damaged lamp that I bought last week?'),
      ask('How do I return a damaged lamp that I bought last month?'),
    ]);
    assert.ok(near !== undefined && near.similarity > 0.8 && near.similarity < 1);
  });

  it('is not led astray by a system prompt that all share', () => {
    const system = {
      role: 'system',
      content: 'You are the patient helper of a shop for lamps and parcels. Answer in one sentence, and be kind. '.repeat(10),
    };
    const cases = ['Where is my parcel?', 'Can I return a lamp?'].map((content) =>
      readCase({ input: { messages: [system, { role: 'user', content }] } }, 'a'),
    );
    assert.deepEqual(nearDuplicates(cases), []);
  });

  it('finds the same pairs as comparing all with all', () => {
    const words = ['refund', 'parcel', 'lamp', 'order', 'late', 'broken', 'please', 'help', 'when', 'where', 'invoice', 'address'];
    const text = fc.array(fc.constantFrom(...words), { minLength: 8, maxLength: 20 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(fc.uniqueArray(text, { minLength: 2, maxLength: 12 }), fc.constantFrom(...words), (texts, extra) => {
        const cases = [...texts, `${texts[0]} ${extra}`].map(ask);
        const unique = [...new Map(cases.map((each) => [each.hash, each])).values()];
        const found = new Set(nearDuplicates(unique).map(({ left, right }) => `${left} ${right}`));
        for (const [index, left] of unique.entries())
          for (const right of unique.slice(index + 1)) {
            const of = (each: typeof left) => shinglesOf(normalisedText(String(each.input.variables.question)));
            const similarity = jaccard(of(left), of(right));
            // Below 0.9 a band may miss a pair, with a probability that a run of this length could meet.
            const told = [...found].filter((pair) => pair.endsWith(right.hash)).length;
            if (similarity >= 0.9) assert.ok(found.has(`${left.hash} ${right.hash}`) || told === 8);
            if (similarity < 0.8) assert.ok(!found.has(`${left.hash} ${right.hash}`));
          }
      }),
      { numRuns: 100 },
    );
  });

  it('costs no square: ten thousand of one template', () => {
    const cases = Array.from({ length: 10_000 }, (_, index) => ask(`Where is my order number ${index}?`));
    assert.ok(nearDuplicates(cases).length <= 10_000 * 8);
  });

  it('tells pairs on two sides of a split', () => {
    const pairs = [
      { left: 'a', right: 'b', similarity: 1 },
      { left: 'a', right: 'c', similarity: 0.9 },
      { left: 'a', right: 'd', similarity: 0.9 },
    ];
    const parts = new Map([
      ['a', 'train'],
      ['b', 'train'],
      ['c', 'holdout'],
      ['d', 'excluded'],
    ] as const);
    assert.deepEqual(leaksOf(pairs, parts), [pairs[1]]);
  });
});
