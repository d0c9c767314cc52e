import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../kernel/errors.ts';
import { parseCaseReference } from './source.ts';

describe('reference to cases', () => {
  it('tells datasets from files', () => {
    assert.deepEqual(parseCaseReference('support'), { kind: 'dataset', name: 'support', version: null });
    assert.deepEqual(parseCaseReference('support.v2@12'), { kind: 'dataset', name: 'support.v2', version: 12 });
    for (const path of ['datasets/support.yaml', 'cases.CSV', './x', 'a.jsonl', 'b.yml'])
      assert.deepEqual(parseCaseReference(path), { kind: 'file', path });
  });
  it('refuses what is neither', () => {
    for (const bad of ['', 'Support', 'support@0', 'support@x', '@1', 'a@1@2', 'a b', `a${'b'.repeat(80)}`])
      assert.throws(
        () => parseCaseReference(bad),
        (thrown) => thrown instanceof PlimsollError && thrown.code === 'invalid_argument',
        bad,
      );
  });
});
