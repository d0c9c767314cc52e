import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../kernel/errors.ts';
import { writeYaml } from './formats/write-cases.ts';
import { type EvalCase, readCase } from './model.ts';
import { changedMembers, compareCopy, readWorkingCopy, withVersion } from './working-copy.ts';

const make = (question: string): EvalCase => readCase({ input: { variables: { question } } }, 'test');
const [a, b, c] = [make('a'), make('b'), make('c')];

describe('dataset as a file', () => {
  it('knows who changed', () => {
    assert.equal(compareCopy([b, a], [c], [a, b]), 'same', 'whatever the order and the base');
    assert.equal(compareCopy([a, b], [a], [a]), 'ahead');
    assert.equal(compareCopy([a], [a], [a, b]), 'behind');
    assert.equal(compareCopy([a, c], [a], [a, b]), 'diverged');
    assert.equal(compareCopy([a], null, [a, b]), 'diverged', 'what was never pulled overwrites nothing');
  });

  it('changes its version and not one other byte', () => {
    const text = `# Ours.\nname: support # refunds\nversion: 3\n\n${writeYaml([a]).replace('cases:', 'cases: # below')}`;
    assert.equal(withVersion(readWorkingCopy('x.yaml', text), 'support', 4), text.replace('version: 3', 'version: 4'));
    const unversioned = `name: support\n${writeYaml([a])}`;
    assert.match(withVersion(readWorkingCopy('x.yaml', unversioned), 'support', 1), /^name: support\nversion: 1\ncases:/);
    const bare = writeYaml([a]);
    const pushed = readWorkingCopy('x.yaml', withVersion(readWorkingCopy('x.yaml', bare), 'support', 1));
    assert.deepEqual([pushed.name, pushed.version, pushed.cases], ['support', 1, [a]]);
  });

  it('takes other files as cases only', () => {
    const copy = readWorkingCopy('x.csv', 'question\na\n');
    assert.deepEqual([copy.isOwn, copy.name, copy.version, copy.cases], [false, null, 0, [a]]);
    assert.equal(readWorkingCopy('promptfooconfig.yaml', 'tests:\n  - vars: { question: a }\n').isOwn, false);
  });

  it('refuses a head that is not ours', () => {
    const refused = (pattern: RegExp) => (thrown: unknown) => thrown instanceof PlimsollError && pattern.test(thrown.message);
    assert.throws(() => readWorkingCopy('x.yaml', `name: A B\n${writeYaml([a])}`), refused(/x\.yaml: name is "A B"/));
    assert.throws(() => readWorkingCopy('x.yaml', `version: newest\n${writeYaml([a])}`), refused(/version is "newest"/));
  });

  it('names what an edit changed', () => {
    const after = readCase({ input: { variables: { question: 'a' } }, tags: ['x'], expected: { answer: 'y' } }, 'test');
    assert.deepEqual(changedMembers(a, after), ['expected', 'tags']);
  });
});
