import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDatasetSearch } from './datasets-search.ts';

describe("search of a dataset's page", () => {
  it('keeps what makes sense', () => {
    const search = {
      tab: 'versions',
      version: 3,
      q: ' lamp ',
      tag: 'refund',
      slice: 'language=de',
      part: 'dev',
      provenance: 'trace',
      from: 0,
      to: 2,
    };
    assert.deepEqual(parseDatasetSearch(search), { ...search, q: 'lamp' });
    assert.deepEqual(parseDatasetSearch({ ...parseDatasetSearch(search) }), parseDatasetSearch(search));
  });
  it('drops what does not', () => {
    const search = { tab: 'cases', version: 0, q: ' ', slice: 'language', part: 'holdout', provenance: 'x', from: -1, to: '1.5', other: 1 };
    assert.deepEqual(parseDatasetSearch(search), {});
  });
});
