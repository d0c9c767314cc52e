import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { featuresConfig } from './config.ts';
import { approvalsOf, judgeModel, type ModelApprovals } from './model-approval.ts';

const NOW = Date.UTC(2026, 5, 1);

function approvals(changes: Partial<ModelApprovals> = {}): ModelApprovals {
  const entry = (model: string, status: 'approved' | 'trial' | 'deprecated' | 'blocked', expiresAtMs: number | null = null) => ({
    model,
    status,
    approvedBy: null,
    evaluation: null,
    expiresAtMs,
  });
  return {
    entries: [
      entry('good', 'approved', NOW + 1),
      entry('new', 'trial'),
      entry('old', 'deprecated'),
      entry('bad', 'blocked', NOW - 1),
      entry('late', 'approved', NOW),
    ],
    unlisted: 'warn',
    expired: 'warn',
    ...changes,
  };
}

describe('approvals of models', () => {
  const of = (model: string, changes: Partial<ModelApprovals> = {}) => judgeModel(approvals(changes), model, NOW);

  it('allow, warn and refuse', () => {
    assert.deepEqual(of('good'), { refusal: null, warning: null });
    assert.deepEqual(of('new'), { refusal: null, warning: null });
    assert.equal(of('old').warning, 'deprecated for this feature');
    assert.equal(of('bad').refusal, 'blocked', 'also after its expiry');
    assert.equal(of('late').warning, 'approval expired on 2026-06-01');
    assert.equal(of('late', { expired: 'refuse' }).refusal, 'approval expired on 2026-06-01');
    assert.equal(of('other').warning, 'not on the list of approved models');
    assert.equal(of('other', { unlisted: 'refuse' }).refusal, 'not on the list of approved models');
    assert.deepEqual(of('other', { unlisted: 'allow' }), { refusal: null, warning: null });
  });

  it('are read from the configuration, each model once', () => {
    const entry = { model: 'm', status: 'approved', approvedBy: 'board', evaluation: 'eval-7', expires: '2026-06-01' };
    const { f } = featuresConfig.parse({ f: { route: 'r', models: [entry] } });
    assert.ok(f);
    assert.deepEqual(approvalsOf(f.models, f.modelPolicy), {
      unlisted: 'warn',
      expired: 'warn',
      entries: [{ model: 'm', status: 'approved', approvedBy: 'board', evaluation: 'eval-7', expiresAtMs: NOW }],
    });
    for (const models of [[entry, entry], [], [{ ...entry, expires: 'soon' }], [{ ...entry, status: 'fine' }]])
      assert.equal(featuresConfig.safeParse({ f: { route: 'r', models } }).success, false);
    assert.equal(approvalsOf(undefined, f.modelPolicy), null);
  });
});
