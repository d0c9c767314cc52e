import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { diffCases, planMembership } from './membership.ts';
import { type EvalCase, readCase } from './model.ts';

const make = (id: string | null, question: string): EvalCase => readCase({ id, input: { variables: { question } } }, 'drawn');
const drawn = fc
  .uniqueArray(fc.record({ id: fc.option(fc.constantFrom('a', 'b', 'c', 'd')), question: fc.constantFrom('1', '2', '3', '4', '5') }), {
    selector: ({ id, question }) => id ?? `:${question}`,
    maxLength: 6,
  })
  .map((list) => list.map(({ id, question }) => make(id, question)));
const placed = (cases: readonly EvalCase[]) => cases.map((evalCase, index) => ({ position: index + 1, evalCase }));
const hashes = (cases: readonly { evalCase: EvalCase }[]) => cases.map(({ evalCase }) => evalCase.hash);

describe('membership', () => {
  it('replace: what is given is what is there, beside what is sealed; a second time changes nothing', () => {
    fc.assert(
      fc.property(drawn, drawn, fc.nat(3), (before, given, sealedCount) => {
        const current = placed(before);
        const sealed = new Set(before.slice(0, sealedCount).map(({ hash }) => hash));
        const change = planMembership(current, given, 'replace', sealed);
        const result = new Set(hashes(change.result));
        for (const { hash } of given) assert.ok(result.has(hash));
        // A sealed case goes only when one with its id takes its place.
        for (const each of before)
          if (sealed.has(each.hash) && !given.some(({ id }) => id !== null && id === each.id)) assert.ok(result.has(each.hash));
        for (const hash of result) assert.ok(given.some((each) => each.hash === hash) || sealed.has(hash));
        assert.equal(new Set(change.result.map(({ position }) => position)).size, change.result.length, 'no place twice');
        const again = planMembership(change.result, given, 'replace', sealed);
        assert.deepEqual([again.added, again.ended], [[], []]);
      }),
    );
  });

  it('merge: nothing is lost but what was edited, and nothing doubled', () => {
    fc.assert(
      fc.property(drawn, drawn, (before, given) => {
        const change = planMembership(placed(before), given, 'merge', new Set());
        const result = new Set(hashes(change.result));
        for (const { hash } of given) assert.ok(result.has(hash));
        for (const each of before) assert.ok(result.has(each.hash) || given.some(({ id }) => id !== null && id === each.id));
        const ids = change.result.flatMap(({ evalCase }) => evalCase.id ?? []);
        assert.equal(new Set(ids).size, ids.length);
        assert.equal(change.result.length, before.length + change.added.length - change.changed);
      }),
    );
  });

  it('add: what people made of a case since is kept', () => {
    const traced = (more: object): EvalCase =>
      readCase({ input: { variables: { question: 'q' } }, provenance: { kind: 'trace', traceId: 't', spanId: 's' }, ...more }, 'drawn');
    const edited = traced({ expected: { answer: 'by hand', facts: ['f'] }, tags: ['x'], slices: { language: 'en' } });
    const given = traced({ expected: { answer: 'of the feedback' }, tags: ['y'], slices: { tier: 'pro' } });
    const [only, ...others] = planMembership(placed([edited]), [given], 'add', new Set()).result;
    assert.equal(others.length, 0);
    assert.deepEqual([only?.evalCase.tags, only?.evalCase.slices], [['x', 'y'], { language: 'en', tier: 'pro' }]);
    assert.deepEqual([only?.evalCase.expected.answer, only?.evalCase.expected.facts], ['by hand', ['f']]);
    assert.deepEqual(planMembership(only === undefined ? [] : [only], [given], 'add', new Set()).added, []);
  });

  it('an edit keeps its place', () => {
    const change = planMembership(placed([make('a', '1'), make('b', '2'), make('c', '3')]), [make('b', '9')], 'merge', new Set());
    assert.deepEqual(
      change.result.map(({ evalCase }) => [evalCase.id, evalCase.input.variables.question]),
      [
        ['a', '1'],
        ['b', '9'],
        ['c', '3'],
      ],
    );
    assert.equal(change.changed, 1);
  });

  it('a difference leads from one side to the other', () => {
    fc.assert(
      fc.property(drawn, drawn, (before, after) => {
        const { added, removed, changed } = diffCases(before, after);
        const gone = new Set([...removed, ...changed.map((pair) => pair.before)].map(({ hash }) => hash));
        const result = [...before.filter(({ hash }) => !gone.has(hash)), ...added, ...changed.map((pair) => pair.after)].map(
          ({ hash }) => hash,
        );
        assert.deepEqual(result.sort(), after.map(({ hash }) => hash).sort());
      }),
    );
  });
});
