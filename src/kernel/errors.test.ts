import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ERRORS, isErrorCode, openAiErrorBody, PlimsollError, problemBody, toPlimsollError } from './errors.ts';

describe('errors', () => {
  it('the reference page has every code and no other, with the status of the table', () => {
    const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| <a id="(\w+)"><\/a>`(\w+)` \| (\d+) \| (yes|no) \| (\w+) \| (.+) \|$/gm)];
    assert.deepEqual(
      rows.map((row) => row[2]),
      Object.keys(ERRORS),
    );
    for (const [, anchor, code, status, retryable, owner, fix] of rows) {
      assert.ok(isErrorCode(code));
      const row = ERRORS[code];
      assert.deepEqual([anchor, Number(status), retryable === 'yes', owner, fix], [code, row.status, row.retryable, row.owner, row.fix]);
    }
  });

  it('every row has a status, and a fix that is a sentence', () => {
    for (const [code, row] of Object.entries(ERRORS)) {
      assert.ok(row.status >= 400 && row.status < 600, code);
      assert.match(row.fix, /^\S.*[.]$/, code);
    }
    assert.equal(isErrorCode('constructor'), false);
    assert.equal(isErrorCode('__proto__'), false);
  });

  it('is OpenAI-shaped on /v1 and problem+json on the API', () => {
    const error = new PlimsollError('budget_exceeded', 'The budget of team x is spent', { details: { param: 'model' } });
    assert.deepEqual(openAiErrorBody(error).error, {
      message: 'The budget of team x is spent',
      type: 'insufficient_quota',
      param: 'model',
      code: 'budget_exceeded',
      fix: ERRORS.budget_exceeded.fix,
      owner: 'caller',
    });
    assert.equal(openAiErrorBody(new PlimsollError('unauthenticated', 'x')).error.type, 'authentication_error');
    assert.equal(openAiErrorBody(new PlimsollError('provider_timeout', 'x')).error.type, 'server_error');
    const problem = problemBody(error);
    assert.equal(problem.status, 429);
    assert.equal(problem.detail, 'The budget of team x is spent');
  });

  it('wraps what was thrown and keeps the cause', () => {
    const cause = new TypeError('inner');
    const wrapped = toPlimsollError(cause);
    assert.equal(wrapped.code, 'internal');
    assert.equal(wrapped.cause, cause);
    assert.doesNotMatch(wrapped.message, /inner/);
    assert.equal(toPlimsollError(wrapped), wrapped);
  });
});
