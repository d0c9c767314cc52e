import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextOption } from './combobox-keys.ts';

describe('options of a combobox', () => {
  it('are gone through in a ring, from either end', () => {
    assert.deepEqual(
      [-1, 0, 1, 2].map((active) => nextOption(active, 3, 'ArrowDown')),
      [0, 1, 2, 0],
    );
    assert.deepEqual(
      [-1, 0, 1, 2].map((active) => nextOption(active, 3, 'ArrowUp')),
      [2, 2, 0, 1],
    );
  });

  it('are none in an empty list, and for other keys', () => {
    assert.equal(nextOption(-1, 0, 'ArrowDown'), -1);
    assert.equal(nextOption(1, 3, 'a'), -1);
  });
});
