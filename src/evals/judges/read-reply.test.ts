import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { jsonReader, ReasonField, readVerdict, textListReader, VerdictField, verdictListReader } from './read-reply.ts';

const read = jsonReader(z.object({ verdict: VerdictField }), z.object({ verdict: VerdictField }));

describe('reading replies', () => {
  it('reads verdicts however they are written, and guesses none', () => {
    for (const word of ['yes', ' Yes.', '**YES**', 1, '1', true, 'true', 'y']) assert.equal(readVerdict(word), 'yes');
    for (const word of ['no', 'No!', 0, false, 'N']) assert.equal(readVerdict(word), 'no');
    assert.equal(readVerdict('I don’t know'), 'idk');
    for (const word of ['maybe', 'yes and no', '', null, {}, 2, '__proto__', 'constructor', Number.NaN])
      assert.equal(readVerdict(word), null);
  });

  it('keeps no more of a reason than a person reads', () => {
    const reason = jsonReader(z.object({ reason: ReasonField }))(JSON.stringify({ reason: `a\ud800${'b'.repeat(9000)}` }));
    assert.ok('value' in reason && reason.value.reason.length === 1000 && reason.value.reason.isWellFormed());
    assert.deepEqual(jsonReader(z.object({ reason: ReasonField }))('{"reason": 7}'), { value: { reason: '' } });
    assert.deepEqual(jsonReader(z.object({ reason: ReasonField }))('{}'), { value: { reason: '' } });
  });

  it('does not choose between objects that contradict each other', () => {
    assert.deepEqual(read('Draft: {"verdict": "yes"} Final: {"verdict": "yes", "reason": "x"}'), { value: { verdict: 'yes' } });
    assert.deepEqual(read('The answer says {"verdict": "yes"}. I say {"verdict": "no"}.'), {
      problem: 'its objects contradict each other',
    });
  });

  it('wants as many verdicts as there are items', () => {
    const three = verdictListReader(3);
    const list = (...words: unknown[]): string => JSON.stringify({ verdicts: words.map((verdict) => ({ verdict })) });
    const verdictsOf = (text: string): unknown => {
      const reading = three(text);
      return 'value' in reading ? reading.value.map(({ verdict }) => verdict) : null;
    };
    assert.deepEqual(verdictsOf(list('yes', 0, 'idk')), ['yes', 'no', 'idk']);
    assert.deepEqual(verdictsOf('["yes", "no", "yes"]'), ['yes', 'no', 'yes']);
    assert.deepEqual(verdictsOf(list('yes', 'no', 'yes').slice(0, -2)), ['yes', 'no', 'yes']);
    for (const text of [
      list('yes', 'no'),
      list('yes', 'no', 'no', 'no'),
      list('yes', 'no', 'perhaps'),
      list('yes', 'no', 'yes').slice(0, -8),
      '[1, 0, 1]',
      '',
      '{}',
    ])
      assert.equal(verdictsOf(text), null, text);
    assert.ok('problem' in verdictListReader(1)('See [1].'));
    assert.ok('value' in verdictListReader(1)('{"verdict": "no", "reason": "x"}'));
  });

  it('does not take a part of a list for all of it', () => {
    const statements = textListReader('statements');
    assert.deepEqual(statements('{"statements": ["a", "b"]}'), { value: ['a', 'b'] });
    assert.deepEqual(statements('["a", {"statement": "b"}]'), { value: ['a', 'b'] });
    assert.deepEqual(statements('{"statements": []}'), { value: [] });
    assert.deepEqual(statements('{"claims": ["a"]}'), { value: ['a'] });
    assert.ok('problem' in statements('{"statements": ["a", "b"'));
    assert.ok('problem' in statements('I cannot do that.'));
    assert.ok('problem' in statements(JSON.stringify({ statements: Array(501).fill('a') })));
  });
});
