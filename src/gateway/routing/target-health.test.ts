import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../kernel/errors.ts';
import { HealthRegistry } from './health-registry.ts';
import type { HealthPolicy } from './policy.ts';
import { TargetHealth, type Verdict, verdictOf } from './target-health.ts';

const POLICY: HealthPolicy = {
  consecutiveFailures: 3,
  intervalMs: 10_000,
  failureRatio: 0.5,
  minimumCalls: 20,
  successRateStdevFactor: 1.9,
  minimumTargets: 5,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionRatio: 0.5,
  probes: null,
};

function attempt(health: TargetHealth, verdict: Verdict, nowMs: number, coolDownMs: number | null = null): void {
  const isTrial = health.begin(nowMs);
  health.end(verdict, isTrial, nowMs, coolDownMs, POLICY);
}

describe('a target', () => {
  it('is ejected after failures in a row, and comes back when the call that tries it succeeds', () => {
    const health = new TargetHealth('m', 'p');
    attempt(health, 'failed', 0);
    attempt(health, 'failed', 1);
    attempt(health, 'ok', 2);
    attempt(health, 'failed', 3);
    attempt(health, 'failed', 4);
    assert.equal(health.blockedSinceMs(5), null, 'a success in between starts the count anew');
    attempt(health, 'failed', 5);
    assert.equal(health.state(5), 'ejected');
    assert.equal(health.blockedSinceMs(30_004), 5);
    assert.equal(health.blockedForMs(1_005), 29_000);

    assert.equal(health.state(30_005), 'half_open');
    assert.equal(health.blockedSinceMs(30_005), null, 'one call may try it');
    const isTrial = health.begin(30_006);
    assert.equal(isTrial, true);
    assert.equal(health.blockedSinceMs(30_006), 5, 'and no second one meanwhile');
    health.end('ok', isTrial, 30_100, null, POLICY);
    assert.equal(health.state(30_100), 'healthy');
    assert.equal(health.blockedSinceMs(30_100), null);
    assert.equal(health.ejections, 1);
  });

  it('stays out for longer when the call that tries it fails', () => {
    const health = new TargetHealth('m', 'p');
    for (let call = 0; call < 3; call++) attempt(health, 'failed', 0);
    attempt(health, 'failed', 30_000);
    assert.equal(health.blockedForMs(30_000), 60_000);
    attempt(health, 'failed', 90_000);
    assert.equal(health.blockedForMs(90_000), 90_000);
    assert.equal(health.ejections, 3);
    // A success, then windows without trouble: the next ejection is a short one again.
    attempt(health, 'ok', 180_000);
    for (let call = 0; call < 3; call++) attempt(health, 'failed', 260_000);
    assert.equal(health.blockedForMs(260_000), 30_000);
  });

  it('is not kept out longer by calls that were on their way when it was ejected, nor freed by one that was cut off', () => {
    const health = new TargetHealth('m', 'p');
    const late = health.begin(0);
    for (let call = 0; call < 3; call++) attempt(health, 'failed', 0);
    health.end('failed', late, 20_000, null, POLICY);
    assert.equal(health.blockedForMs(20_000), 10_000);
    const trial = health.begin(30_000);
    health.end('neutral', trial, 30_010, null, POLICY);
    assert.equal(health.state(30_010), 'half_open');
    assert.equal(health.blockedSinceMs(30_010), null, 'the next call may try it');
  });

  it('is ejected by its share of failures without three in a row', () => {
    const health = new TargetHealth('m', 'p');
    for (let call = 0; call < 20; call++) attempt(health, call % 2 === 0 ? 'ok' : 'failed', 100 + call);
    assert.equal(health.state(200), 'ejected');
  });

  it('cools down after a rate limit, for as long as it asked within bounds', () => {
    const health = new TargetHealth('m', 'p');
    attempt(health, 'rate_limited', 0, 7_000);
    assert.equal(health.state(6_999), 'cooling');
    assert.equal(health.blockedSinceMs(6_999), 0);
    assert.equal(health.blockedSinceMs(7_000), null);
    attempt(health, 'rate_limited', 10_000);
    assert.equal(health.blockedForMs(10_000), 1_000);
    attempt(health, 'rate_limited', 20_000, 86_400_000);
    assert.equal(health.blockedForMs(20_000), 60_000);
    assert.equal(health.ejections, 0);
  });

  it('counts what is in flight exactly, whatever happens', () => {
    const verdict = fc.constantFrom<Verdict>('ok', 'failed', 'rate_limited', 'neutral');
    fc.assert(
      fc.property(fc.array(fc.tuple(verdict, fc.nat(20_000)), { maxLength: 200 }), (steps) => {
        const health = new TargetHealth('m', 'p');
        let nowMs = 0;
        const open: boolean[] = [];
        for (const [verdictOfStep, waitMs] of steps) {
          nowMs += waitMs;
          if (waitMs % 3 === 0) open.push(health.begin(nowMs));
          else if (open.length > 0) health.end(verdictOfStep, open.pop() === true, nowMs, null, POLICY);
          assert.equal(health.inFlight, open.length);
          assert.ok(open.filter(Boolean).length <= 1, 'one trial at a time');
        }
      }),
    );
  });
});

describe('verdicts', () => {
  it('what the request is to blame for is no failure of the target; what the client does says nothing', () => {
    const of = (code: PlimsollError['code']): Verdict => verdictOf(new PlimsollError(code, 'x'));
    assert.equal(verdictOf(null), 'ok');
    assert.equal(of('provider_rejected'), 'ok');
    assert.equal(of('context_length_exceeded'), 'ok');
    assert.equal(of('provider_timeout'), 'failed');
    assert.equal(of('provider_auth_failed'), 'failed');
    assert.equal(of('provider_rate_limited'), 'rate_limited');
    assert.equal(of('client_closed'), 'neutral');
    assert.equal(of('superseded'), 'neutral');
    assert.equal(of('not_ready'), 'neutral');
  });
});

describe('the registry', () => {
  it('compares success rates once per window and ejects the outlier', () => {
    const registry = new HealthRegistry();
    registry.setPolicy({ ...POLICY, consecutiveFailures: 1_000, failureRatio: 1 });
    const targets = Array.from({ length: 8 }, (_, index) => registry.get(`m${index}`, 'p', 'x'));
    const observe = (health: TargetHealth, isOk: boolean, monotonicMs: number): void =>
      registry.observe(health, {
        error: isOk ? null : new PlimsollError('provider_unavailable', 'x'),
        isTrial: health.begin(monotonicMs),
        isStream: false,
        latencyMs: null,
        nowMs: monotonicMs,
        monotonicMs,
        retryAfterMs: null,
      });
    for (const [index, health] of targets.entries())
      for (let call = 0; call < 40; call++) observe(health, index !== 3 || call % 2 === 0, 500 + call);
    observe(targets[0] as TargetHealth, true, 10_001);
    assert.deepEqual(
      targets.map((health) => health.state(10_001)),
      targets.map((_, index) => (index === 3 ? 'ejected' : 'healthy')),
    );
  });

  it('keeps a record across snapshots and forgets targets that are gone', () => {
    const registry = new HealthRegistry();
    const kept = registry.get('a', 'p', 'x');
    registry.get('b', 'p', 'x');
    registry.retain(new Set([kept]));
    assert.deepEqual(registry.all(), [kept]);
    assert.equal(registry.get('a', 'p', 'x'), kept);
    assert.notEqual(registry.get('a', 'p', 'another model behind the same alias'), kept);
  });
});
