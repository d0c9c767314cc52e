import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_SCOPE } from '../kernel/scope.ts';
import { featuresConfig } from './config.ts';
import type { CataloguedFeature } from './model.ts';
import { createFeatureService } from './service.ts';
import { featureWarnings } from './warnings.ts';

const SOUND: CataloguedFeature = {
  name: 'support',
  owner: 'team',
  costOwner: 'finance@example.com',
  description: null,
  route: 'default',
  targets: ['a', 'b'],
  payloads: 'full',
  unpricedTargets: [],
  refusedTargets: [],
  modelNotices: [],
  kpi: null,
};

describe('features', () => {
  it('warn of what is missing, each by its own sentence', () => {
    assert.deepEqual(featureWarnings(SOUND), []);
    const warnings = featureWarnings({ ...SOUND, owner: null, costOwner: null, targets: ['a'], unpricedTargets: ['a'] });
    assert.equal(warnings.length, 4);
    for (const [index, pattern] of [/No owner/, /No cost owner/, /one target: when a fails/, /No price is known for a/].entries())
      assert.match(warnings[index] ?? '', pattern);
    assert.deepEqual(featureWarnings({ ...SOUND, refusedTargets: [{ model: 'b', rule: 'in us' }] }), [
      'Of route "default" it may not use b (in us): no call falls back to them.',
      'Route "default" has one target: when a fails, so do its calls. Add a fallback.',
    ]);
  });

  it('are listed by name with their keys', async () => {
    const service = createFeatureService(
      { list: () => [SOUND, { ...SOUND, name: 'billing' }] },
      { countByFeature: async () => new Map([['support', 3]]) },
      { inForce: async () => new Map() },
    );
    const features = await service.list(DEFAULT_SCOPE);
    assert.deepEqual(
      features.map(({ name, keyCount }) => [name, keyCount]),
      [
        ['billing', 0],
        ['support', 3],
      ],
    );
    assert.ok(!('unpricedTargets' in (features[0] ?? {})));
  });

  it('are configured strictly, and keep payloads unless told otherwise', () => {
    assert.deepEqual(featuresConfig.parse({ support: { route: 'default' } }), { support: { route: 'default', payloads: 'full' } });
    for (const wrong of [
      { Support: { route: 'x' } },
      { support: {} },
      { support: { route: 'x', costOwner: 'nobody' } },
      { support: { route: 'x', ownr: 'y' } },
      { __proto__x: { route: '' } },
    ]) {
      assert.equal(featuresConfig.safeParse(wrong).success, false, JSON.stringify(wrong));
    }
  });
});
