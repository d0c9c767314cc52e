import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { savedText, slicesOf, tagsOf } from './dataset-text.ts';

const saved = {
  name: 'support',
  version: 3,
  isNewVersion: true,
  added: 2,
  changed: 0,
  removed: 1,
  unchanged: 5,
  sealed: 0,
  caseCount: 7,
  repeated: [],
  warnings: [],
};

describe('words of datasets', () => {
  it('says what a save did', () => {
    assert.equal(savedText(saved), 'support, version 3: 2 added, 1 removed.');
    assert.equal(savedText({ ...saved, sealed: 1 }), 'support, version 3: 2 added, 1 removed. 1 case went to the sealed holdout.');
    assert.equal(savedText({ ...saved, isNewVersion: false }), 'support holds all of it already: still version 3.');
  });
  it('reads tags and slices', () => {
    assert.deepEqual(tagsOf(' a, b,,a '), ['a', 'b']);
    assert.deepEqual(slicesOf('language=de, tier = pro'), { language: 'de', tier: 'pro' });
    assert.deepEqual([slicesOf(''), slicesOf('language'), slicesOf('=x'), slicesOf('x=')], [{}, null, null, null]);
  });
});
