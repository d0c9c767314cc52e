import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../kernel/errors.ts';
import { parseTextQuery, snippetOf } from './text-query.ts';

const marked = (text: string, q: string): string[] => {
  const snippet = snippetOf(text, parseTextQuery(q));
  return snippet === null ? [] : snippet.marks.map(([from, to]) => snippet.text.slice(from, to));
};

describe('questions to the full-text search', () => {
  it('are words and "phrases"', () => {
    assert.deepEqual(parseTextQuery('parcel, "not arrived" Größe#42 "open'), {
      words: ['parcel', 'Größe', '42'],
      phrases: ['not arrived', 'open'],
    });
  });

  it('without a word, or with too many, are refused', () => {
    for (const q of ['', ' ', '"', '""', '!?', 'a '.repeat(17)])
      assert.throws(
        () => parseTextQuery(q),
        (error) => error instanceof PlimsollError && error.code === 'invalid_argument',
        q,
      );
  });
});

describe('snippets', () => {
  it('mark whole words, without case, and phrases across punctuation', () => {
    assert.deepEqual(marked('Refund? The refunds, a REFUND.', 'refund'), ['Refund', 'REFUND']);
    assert.deepEqual(marked('it has not\narrived yet', '"not arrived"'), ['not arrived']);
    assert.deepEqual(marked('日本語のテキスト検索です', '検索'), ['検索']);
    assert.equal(snippetOf('refunds', parseTextQuery('refund')), null);
  });

  it('show the surroundings of the first match', () => {
    const snippet = snippetOf(`${'before '.repeat(100)}needle ${'after '.repeat(100)}`, parseTextQuery('needle'));
    assert.ok(snippet !== null);
    assert.match(snippet.text, /^…before.*after.*…$/);
    assert.ok(snippet.text.length < 310);
    assert.deepEqual(
      snippet.marks.map(([from, to]) => snippet.text.slice(from, to)),
      ['needle'],
    );
  });

  it('never fail, and their marks lie inside', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ minLength: 1, unit: 'grapheme' }), (text, word) => {
        let query: ReturnType<typeof parseTextQuery>;
        try {
          query = parseTextQuery(word);
        } catch {
          return;
        }
        const snippet = snippetOf(`${text} ${word} ${text}`, query);
        for (const [from, to] of snippet?.marks ?? []) assert.ok(from >= 0 && from < to && to <= (snippet?.text.length ?? 0));
      }),
    );
  });
});
