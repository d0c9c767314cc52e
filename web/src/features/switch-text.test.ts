import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FeatureSwitch } from '../api/schema.ts';
import { draftOf, remainingText, restoreDraftOf, switchWord } from './switch-text.ts';

const PAUSE: FeatureSwitch = {
  id: '1',
  feature: 'support',
  kind: 'pause',
  requestsPerSecond: null,
  shareRatio: null,
  reason: 'INC-1',
  setBy: 'Ada',
  setAt: 0,
  expiresAt: 60_000,
  isInForce: true,
  endedAt: null,
  endedBy: null,
  endReason: null,
};

describe('switches in words', () => {
  it('say what they do and until when', () => {
    assert.equal(switchWord(PAUSE), 'paused');
    assert.equal(switchWord({ kind: 'throttle', requestsPerSecond: 1, shareRatio: null }), '1 call/s');
    assert.equal(switchWord({ kind: 'throttle', requestsPerSecond: 0.5, shareRatio: null }), '0.5 calls/s');
    assert.equal(switchWord({ kind: 'throttle', requestsPerSecond: null, shareRatio: 0.2 }), '20 % of calls');
    assert.equal(remainingText(null, 5), 'until somebody resumes it');
    assert.match(remainingText(60_000, 0), /^for another /);
  });

  it('become orders from a form, and back from an earlier switch', () => {
    const form = { kind: 'throttle', reason: ' quota ', forMinutes: '30', unit: 'share', amount: '20' } as const;
    assert.deepEqual(draftOf(form), { kind: 'throttle', reason: 'quota', forMs: 1_800_000, shareRatio: 0.2 });
    assert.deepEqual(draftOf({ ...form, unit: 'rps', amount: '5', forMinutes: '' }), {
      kind: 'throttle',
      reason: 'quota',
      requestsPerSecond: 5,
    });
    assert.deepEqual(draftOf({ ...form, kind: 'pause' }), { kind: 'pause', reason: 'quota', forMs: 1_800_000 });
    assert.deepEqual(restoreDraftOf(PAUSE, 59_999), { kind: 'pause', reason: 'INC-1', expiresAt: 60_000 });
    assert.equal(restoreDraftOf(PAUSE, 60_000), null);
  });
});
