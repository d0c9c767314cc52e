import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toApiError, unreachable } from '../api/problem.ts';
import type { Status } from '../api/schema.ts';
import { noticesOf } from './notices.ts';

const FINE: Status = {
  version: '0.1.0',
  environment: 'default',
  isSimulatedOnly: true,
  gateway: { ready: true, reasons: [], workers: 1 },
  engine: { ready: true, message: 'ready' },
  ingest: { lagMs: null, pendingBytes: 0, quarantined: 0, lastError: null },
  journal: { shedPayloads: 0, isDegraded: false },
  config: { epoch: 1, loadedAt: 0, error: null },
};

describe('status notices', () => {
  it('are silent when all is well', () => {
    assert.deepEqual(noticesOf(FINE, null), []);
    assert.deepEqual(noticesOf(undefined, null), []);
  });

  it('name each thing that is wrong, the worst first, with an action', () => {
    const notices = noticesOf(
      {
        ...FINE,
        config: { epoch: 4, loadedAt: 0, error: 'line 7: unknown key "rotues"' },
        engine: { ready: false, message: 'restarting' },
        journal: { shedPayloads: 3, isDegraded: true },
      },
      null,
    );
    assert.deepEqual(
      notices.map((notice) => notice.state),
      ['critical', 'critical', 'warning'],
    );
    assert.match(notices[2]?.detail ?? '', /rotues/);
    for (const notice of notices) assert.ok(notice.action.length > 10);
  });

  it('say that /v1 goes on when control is away, and nothing when only the session is over', () => {
    assert.match(noticesOf(FINE, unreachable(0))[0]?.detail ?? '', /\/v1 keeps serving/);
    assert.deepEqual(noticesOf(undefined, toApiError(401, { code: 'unauthenticated', detail: '' })), []);
  });

  it('call a slow ingest slow', () => {
    assert.equal(noticesOf({ ...FINE, ingest: { ...FINE.ingest, lagMs: 400 } }, null).length, 0);
    assert.match(noticesOf({ ...FINE, ingest: { ...FINE.ingest, lagMs: 42_000 } }, null)[0]?.title ?? '', /42\.0 s late/);
    assert.match(noticesOf({ ...FINE, ingest: { ...FINE.ingest, quarantined: 2 } }, null)[0]?.title ?? '', /2 journal records/);
  });
});
