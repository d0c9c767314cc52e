import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../kernel/errors.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import { canonicalJson, type JsonValue } from './json-value.ts';
import { caseIdentity, compactCase, questionOf, readCase } from './model.ts';

const refused = (pattern: RegExp) => (thrown: unknown) =>
  thrown instanceof PlimsollError && thrown.code === 'invalid_argument' && pattern.test(thrown.message);
const minimal = { input: { variables: { question: 'Why?' } } };

describe('case', () => {
  it('has the hash of its content: defaults, order of members and of tags do not matter', () => {
    const one = readCase({ ...minimal, tags: ['b', 'a', 'b'], slices: { language: 'de', tier: 'pro' } }, 'a');
    const other = readCase(
      { slices: { tier: 'pro', language: 'de' }, tags: ['a', 'b'], weight: 1, cluster: null, expected: { facts: [] }, ...minimal },
      'b',
    );
    assert.equal(one.hash, other.hash);
    assert.notEqual(one.hash, readCase({ ...minimal, tags: ['a'] }, 'c').hash);
    // Pinned: a change of the hash would orphan every stored version.
    assert.equal(readCase(minimal, 'd').hash, '6234fe8e1bc954e84a29abf31a3adc76f4e69a6bb63986197f0ba1c39f81acc5');
  });

  it('survives its compact form', () => {
    const value = fc.jsonValue({ maxDepth: 3 }).filter((json) => !JSON.stringify(json).includes('__proto__'));
    fc.assert(
      fc.property(
        fc.record(
          {
            input: fc.record({ variables: fc.dictionary(fc.stringMatching(/^[a-zA-Z]{1,8}$/), value, { minKeys: 1, maxKeys: 4 }) }),
            expected: fc.record({ answer: fc.option(fc.string()), facts: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }) }),
            contexts: fc.option(fc.array(fc.record({ text: fc.string() }), { maxLength: 3 })),
            tags: fc.array(fc.stringMatching(/^[a-z]{1,5}$/), { maxLength: 4 }),
            weight: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
            at: fc.option(fc.integer()),
          },
          { requiredKeys: ['input'] },
        ),
        (draft) => {
          const once = readCase(draft, 'once');
          const again = readCase(parseJsonText(JSON.stringify(compactCase(once))), 'again');
          assert.equal(again.hash, once.hash);
          assert.equal(canonicalJson(compactCase(again)), canonicalJson(compactCase(once)));
        },
      ),
    );
  });

  it('says where and what is wrong', () => {
    assert.throws(
      () => readCase({ ...minimal, expectd: {} }, 'x.yaml, line 3'),
      refused(/x\.yaml, line 3: has no member "expectd"; did you mean "expected"/),
    );
    assert.throws(() => readCase({}, 'row 2'), refused(/row 2: the case has no input/));
    assert.throws(() => readCase({ ...minimal, weight: -1 }, 'row 2'), refused(/row 2, weight/));
    assert.throws(() => readCase({ input: { variables: { a: Number.NaN } } }, 'row 1'), refused(/input\.variables\.a: NaN/));
    assert.throws(() => readCase({ input: { variables: { a: new Date(0) } } }, 'row 1'), refused(/Date is no JSON value/));
    assert.throws(() => readCase({ input: { variables: { a: 'x'.repeat(1_100_000) } } }, 'row 1'), refused(/bytes, at most/));
    assert.equal(readCase({ input: { variables: { toString: 'x', constructor: 'y' } } }, 'a').input.variables.toString, 'x');
    assert.throws(() => readCase(parseJsonText('{"input":{"variables":{"__proto__":1}}}'), 'row 1'), refused(/__proto__/));
    let deep: JsonValue = 1;
    for (let level = 0; level < 50_000; level++) deep = [deep];
    assert.throws(() => readCase({ input: { variables: { deep } } }, 'row 1'), refused(/deeper than 32/));
  });

  it('knows itself after an edit', () => {
    const before = readCase({ ...minimal, id: 'refund' }, 'a');
    const after = readCase({ ...minimal, id: 'refund', expected: { answer: 'Yes' } }, 'b');
    assert.equal(caseIdentity(before), caseIdentity(after));
    assert.notEqual(before.hash, after.hash);
    const traced = { ...minimal, provenance: { kind: 'trace', traceId: 't', spanId: 's' } };
    assert.equal(caseIdentity(readCase(traced, 'a')), caseIdentity(readCase({ ...traced, tags: ['x'] }, 'a')));
    assert.notEqual(caseIdentity(readCase(minimal, 'a')), caseIdentity(readCase({ ...minimal, tags: ['x'] }, 'a')));
  });

  it('has a question', () => {
    assert.equal(questionOf(readCase(minimal, 'a')), 'Why?');
    const messages = [
      { role: 'user', content: [{ type: 'text', text: 'How?' }] },
      { role: 'assistant', content: 'So.' },
    ];
    assert.equal(questionOf(readCase({ input: { messages } }, 'a')), 'How?');
  });
});
