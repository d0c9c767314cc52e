import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRORS } from '../../../src/kernel/errors.ts';
import { errorFix } from './error-fix.ts';
import { ERROR_FIXES } from './error-fixes.gen.ts';

describe('fixes of errors', () => {
  it('are those of the server (else run `npm run gen`)', () => {
    assert.deepEqual(ERROR_FIXES, Object.fromEntries(Object.entries(ERRORS).map(([code, { fix }]) => [code, fix])));
  });

  it('are null for what is no code', () => {
    for (const code of [null, 'nonsense', 'constructor']) assert.equal(errorFix(code), null);
  });
});
