import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TargetReport } from '../api/schema.ts';
import { corroboration, ejectionText, healthWord, summaryWord } from './health-text.ts';

function target(changes: Partial<TargetReport> = {}): TargetReport {
  return {
    model: 'small',
    provider: 'p',
    state: 'healthy',
    blockedForMs: 0,
    since: null,
    ejectionReason: null,
    calls: 4,
    failures: 0,
    ejections: 0,
    consecutiveFailures: 0,
    inFlight: 0,
    windowOk: 4,
    windowFailed: 0,
    ttftMs: null,
    answerMs: null,
    lastError: null,
    ...changes,
  };
}
const out = target({ state: 'ejected', ejectionReason: 'consecutive_failures', consecutiveFailures: 5, ejections: 1 });

describe('health in words', () => {
  it('calls nothing healthy that was never called or never reported', () => {
    assert.equal(healthWord(undefined).word, 'unmeasured');
    assert.equal(healthWord(target({ calls: 0 })).state, 'unmeasured');
    assert.equal(healthWord(target()).word, 'healthy');
    assert.equal(summaryWord([], 2).state, 'unmeasured');
    assert.equal(summaryWord([target({ calls: 0 })], 1).word, 'not called yet');
  });

  it('puts the worst of several targets in front', () => {
    assert.deepEqual(summaryWord([target(), out, target({ state: 'cooling' })], 3), { state: 'critical', word: '1 of 3 ejected' });
    assert.equal(summaryWord([target({ state: 'half_open' })], 1).word, 'probing');
  });

  it('says why a target is out', () => {
    assert.equal(ejectionText(out), '5 failures in a row');
    assert.equal(ejectionText(target()), null);
    // A worker of the version before does not say.
    assert.equal(ejectionText(target({ ejections: 2 })), 'the reason was not recorded');
  });

  it('holds the status page against what gateways see', () => {
    assert.match(corroboration({ state: 'operational' }, [out]) ?? '', /may be ours/);
    assert.match(corroboration({ state: 'major_outage' }, [out]) ?? '', /confirms/);
    assert.match(corroboration({ state: 'degraded' }, [target()]) ?? '', /no target out/);
    assert.equal(corroboration({ state: 'operational' }, [target()]), null);
    assert.equal(corroboration({ state: 'unmeasured' }, [out]), null);
  });
});
