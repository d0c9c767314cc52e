import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ErrorCode } from '../../kernel/errors.ts';
import { type FailureFacts, hasLargerWindow, retryDelayMs, stepAfter } from './after-failure.ts';
import type { RoutePolicy } from './policy.ts';

const RETRIES = { maxAttempts: 3, baseDelayMs: 100, maxDelayMs: 2_000, budgetRatio: 0.2, deadlineMs: 30_000 };
const POLICY = { onContentFilter: 'fail' } as RoutePolicy; // the only member that is read

function failure(code: ErrorCode, overrides: Partial<FailureFacts> = {}): FailureFacts {
  return { code, mayHaveRun: false, retryAfterMs: null, ...overrides };
}
const none = (): boolean => false;
const some = (): boolean => true;

describe('the next target', () => {
  it('is asked after what may pass elsewhere', () => {
    for (const code of [
      'provider_rate_limited',
      'provider_unavailable',
      'provider_timeout',
      'provider_bad_response',
      'provider_auth_failed',
      'budget_exceeded',
      'rate_limited',
      'invalid_argument',
    ] as const)
      assert.equal(stepAfter(failure(code), POLICY, none), 'next', code);
  });

  it('is not asked after a refusal for good, nor by a request that must not be repeated', () => {
    for (const code of ['provider_rejected', 'internal', 'client_closed', 'content_filtered'] as const)
      assert.equal(stepAfter(failure(code), POLICY, none), 'stop', code);
    assert.equal(stepAfter(failure('provider_timeout', { mayHaveRun: true }), POLICY, some), 'stop');
    assert.equal(stepAfter(failure('provider_rate_limited'), POLICY, some), 'next', 'a refusal did nothing');
  });

  it('after a content filter only where the route says so; after a long context only a larger one', () => {
    assert.equal(stepAfter(failure('content_filtered'), { ...POLICY, onContentFilter: 'next' }, none), 'next');
    assert.equal(stepAfter(failure('context_length_exceeded'), POLICY, none), 'larger_window');
    assert.equal(hasLargerWindow(200_000, 128_000, 0), true);
    assert.equal(hasLargerWindow(128_000, 128_000, 0), false);
    assert.equal(hasLargerWindow(null, 128_000, 0), false);
    assert.equal(hasLargerWindow(200_000, null, 150_000), true);
    assert.equal(hasLargerWindow(100_000, null, 150_000), false);
  });
});

describe('a retry at the same target', () => {
  const inputs = { policy: RETRIES, tries: 1, hasNext: false, elapsedMs: 0, jitterMs: 50 };

  it('waits for jitter, or for as long as it was told', () => {
    assert.equal(retryDelayMs({ ...inputs, failure: failure('provider_unavailable') }), 50);
    assert.equal(retryDelayMs({ ...inputs, failure: failure('provider_rate_limited', { retryAfterMs: 1_500 }) }), 1_500);
  });

  it('waits long only where no other target is left, and never beyond the deadline', () => {
    const limited = failure('provider_rate_limited', { retryAfterMs: 7_000 });
    assert.equal(retryDelayMs({ ...inputs, failure: limited }), 7_000);
    assert.equal(retryDelayMs({ ...inputs, hasNext: true, failure: limited }), null);
    assert.equal(retryDelayMs({ ...inputs, elapsedMs: 23_001, failure: limited }), null);
  });

  it('does not repeat a timeout of a request that was sent, nor what was refused', () => {
    assert.equal(retryDelayMs({ ...inputs, failure: failure('provider_timeout', { mayHaveRun: true }) }), null);
    assert.equal(retryDelayMs({ ...inputs, failure: failure('provider_timeout') }), 50, 'no connection was made');
    assert.equal(retryDelayMs({ ...inputs, failure: failure('provider_auth_failed') }), null);
    assert.equal(retryDelayMs({ ...inputs, failure: failure('context_length_exceeded') }), null);
  });

  it('is bounded in number and in time, whatever fails', () => {
    const code = fc.constantFrom<ErrorCode>('provider_rate_limited', 'provider_unavailable', 'provider_bad_response');
    fc.assert(
      fc.property(code, fc.option(fc.nat(100_000), { nil: null }), fc.nat(2_000), fc.boolean(), (error, retryAfter, jitterMs, hasNext) => {
        let elapsedMs = 0;
        let tries = 1;
        for (;;) {
          const facts = failure(error, { retryAfterMs: retryAfter });
          const delayMs = retryDelayMs({ failure: facts, policy: RETRIES, tries, hasNext, elapsedMs, jitterMs });
          if (delayMs === null) break;
          if (retryAfter !== null) assert.ok(delayMs >= retryAfter);
          elapsedMs += delayMs;
          tries++;
        }
        assert.ok(tries <= RETRIES.maxAttempts);
        assert.ok(elapsedMs <= RETRIES.deadlineMs);
      }),
    );
  });
});
