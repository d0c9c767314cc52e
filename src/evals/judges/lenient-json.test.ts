import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findJson } from './lenient-json.ts';

const values = (text: string): unknown[] => findJson(text).map(({ value }) => value);

describe('findJson', () => {
  it('finds objects in what models write', () => {
    const wanted = { verdict: 'yes', score: 0.5 };
    for (const text of [
      '{"verdict":"yes","score":0.5}',
      '```json\n{"verdict": "yes", "score": 0.5}\n```',
      'Sure! Here it is: {"verdict": "yes", "score": 0.5} Hope that helps.',
      "{'verdict': 'yes', 'score': 0.5,}",
      '{verdict: yes, score: .5}',
      '{"Verdict": Yes, "SCORE": 5e-1}',
      'As [1] says, {"verdict":"yes","score":0.5}',
      '\ufeff{"verdict" : "\\u0079es" , "score" : 0.5 }',
    ])
      assert.deepEqual(values(text).at(-1), wanted, text);
  });

  it('keeps quotes and line breaks that were not escaped', () => {
    assert.deepEqual(values('{"reason": "He said "no" to\nit", "pass": True}'), [{ reason: 'He said "no" to\nit', pass: true }]);
    assert.deepEqual(values("{'reason': 'It doesn't say so', 'pass': False, 'x': None}"), [
      { reason: "It doesn't say so", pass: false, x: null },
    ]);
  });

  it('leaves out what the end of the text cuts off, above all half a number', () => {
    assert.deepEqual(findJson('{"pass": true, "score": 1'), [{ value: { pass: true }, isComplete: false }]);
    assert.deepEqual(findJson('[{"a": 1}, {"a": 2'), [{ value: [{ a: 1 }, {}], isComplete: false }]);
    assert.deepEqual(findJson('{"reason": "because of'), [{ value: {}, isComplete: false }]);
  });

  it('does not choose between two values of one name', () => {
    assert.deepEqual(values('{"pass": false, "pass": true}'), []);
    assert.deepEqual(values('{"pass": true, "Pass": true}'), [{ pass: true }]);
  });

  it('takes __proto__ for a name', () => {
    const [value] = values('{"__proto__": {"pass": true}, "constructor": 1}') as [Record<string, unknown>];
    assert.deepEqual(Object.keys(value), ['__proto__', 'constructor']);
    assert.equal(value.pass, undefined);
    assert.equal(({} as { pass?: unknown }).pass, undefined);
  });

  it('reads all JSON as JSON.parse does', () => {
    const lowerCased = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value), (_, member: unknown) =>
        typeof member === 'object' && member !== null && !Array.isArray(member)
          ? Object.fromEntries(Object.entries(member).map(([name, inner]) => [name.trim().toLowerCase(), inner]))
          : member,
      );
    const names = fc.stringMatching(/^[a-z]{1,5}$/);
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.boolean(),
        fc.constant(null),
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0 || 0),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('tree'), { maxLength: 4 }),
      object: fc.dictionary(names, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    }));
    // A string that holds `",` cannot be told from one that ends there, but for its escape, which stringify writes.
    fc.assert(
      fc.property(fc.dictionary(names, tree, { noNullPrototype: true }), fc.constantFrom(0, 2), (value, space) => {
        assert.deepEqual(findJson(JSON.stringify(value, null, space)), [{ value: lowerCased(value), isComplete: true }]);
      }),
    );
  });

  it('takes any text, in time that grows with its length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300, unit: fc.constantFrom(...'{}[]",:\'\\ \n1a.-eu') }), (text) => void findJson(text)),
      { numRuns: 2000 },
    );
    for (const text of ['{', '[', '{"a":', '"', '{"a" ', "{'", '[1,', '{"a":"\\', '{a:[', '{ "'])
      for (const filler of ['', ' '.repeat(60)]) {
        const startedMs = performance.now();
        findJson((text + filler).repeat(1_000_000 / (text.length + filler.length)));
        assert.ok(performance.now() - startedMs < 5000, text);
      }
  });
});
