import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cosine } from '../../models/embedder.ts';
import { embedLexically } from '../../models/lexical-embedder.ts';
import { SemanticIndex } from './semantic-index.ts';

const word = fc.constantFrom('reset', 'password', 'order', 'refund', 'card', 'change', 'address', 'email', 'cancel', 'delivery');
const text = fc.array(word, { minLength: 1, maxLength: 8 }).map((words) => words.join(' '));

describe('lexical embedder', () => {
  it('gives vectors of length 1, equal for texts that differ in case and white space', () => {
    fc.assert(
      fc.property(text, (sentence) => {
        const vector = embedLexically(sentence);
        assert.ok(Math.abs(cosine(vector, vector) - 1) < 1e-5);
        assert.deepEqual(embedLexically(`  ${sentence.toUpperCase()}\n`), vector);
      }),
    );
    assert.equal(cosine(embedLexically(''), embedLexically('')), 0);
  });

  it('finds the same words near and other words far', () => {
    const near = cosine(embedLexically('how do i reset my password'), embedLexically('how do i reset my passwords'));
    const far = cosine(embedLexically('how do i reset my password'), embedLexically('where is the parcel from monday'));
    assert.ok(near > 0.85 && far < 0.3, `${near} ${far}`);
  });
});

describe('semantic index', () => {
  it('finds the same neighbour as comparing all of them, and only under equal circumstances', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, fc.constantFrom('a', 'b')), { maxLength: 40 }),
        text,
        fc.double({ min: 0.3, max: 1, noNaN: true }),
        (entries, wanted, threshold) => {
          const index = new SemanticIndex(512, 1000);
          for (const [at, [sentence, circumstances]] of entries.entries()) index.add(circumstances, `${at}`, embedLexically(sentence));
          const vector = embedLexically(wanted);
          const best = Math.max(
            -1,
            ...entries.filter(([, circumstances]) => circumstances === 'a').map(([sentence]) => cosine(vector, embedLexically(sentence))),
          );
          const found = index.find('a', vector, threshold);
          if (Math.abs(best - threshold) < 1e-5) return;
          assert.equal(found === null, best < threshold);
          if (found !== null) assert.ok(Math.abs(found.similarity - best) < 1e-4);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('keeps to its bound: the oldest makes room', () => {
    const index = new SemanticIndex(512, 300);
    for (let place = 0; place < 1000; place++) index.add('a', `${place}`, embedLexically(`question ${place}`));
    assert.equal(index.size, 300);
    assert.equal(index.find('a', embedLexically('question 999'), 0.99)?.key, '999');
    assert.notEqual(index.find('a', embedLexically('question 1'), 0.99)?.key, '1');
    index.add('a', '999', embedLexically('other'));
    assert.equal(index.size, 300, 'a key is kept once');
    index.remove('a', '999');
    assert.equal(index.size, 299);
    assert.equal(index.find('b', embedLexically('question 998'), 0.5), null);
  });
});
