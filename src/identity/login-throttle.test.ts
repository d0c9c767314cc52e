import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import type { PlimsollError } from '../kernel/errors.ts';
import { LoginThrottle } from './login-throttle.ts';

describe('LoginThrottle', () => {
  it('stops an address after ten failures until the window ends, and nobody else', async () => {
    const clock = new FakeClock(0);
    const throttle = new LoginThrottle(clock);
    for (let i = 0; i < 10; i++) {
      throttle.check('a');
      throttle.fail('a');
    }
    await clock.advance(15_500);
    assert.throws(
      () => throttle.check('a'),
      (thrown: PlimsollError) => thrown.code === 'rate_limited' && thrown.details.retryAfterSeconds === 45,
    );
    throttle.check('b');
    await clock.advance(44_500);
    throttle.check('a');
  });

  it('holds a bounded number of addresses: beyond it, new ones wait', () => {
    const throttle = new LoginThrottle(new FakeClock(0));
    for (let i = 0; i < 10_000; i++) throttle.fail(`address ${i}`);
    throttle.check('address 5');
    assert.throws(() => throttle.check('a new one'), /logins failed/);
  });
});
