import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conditionText } from './condition-text.ts';
import { RouteConfig, routePolicy, targetNames } from './route-config.ts';
import { RouteView, routeViews } from './route-view.ts';

function viewOf(config: unknown) {
  const route = RouteConfig.parse(config);
  const models = ['small', 'large'].map((name) => ({ name, provider: `p-${name}` }));
  const features = [
    { name: 'chat', route: 'main' },
    { name: 'other', route: 'side' },
  ];
  // Only what is read of a snapshot.
  const snapshot = { routes: [{ name: 'main', targets: targetNames(route), policy: routePolicy(route) }], models, features };
  const [view] = routeViews(snapshot as unknown as Parameters<typeof routeViews>[0]);
  return RouteView.parse(view);
}

describe('routes as people read them', () => {
  it('show the policy in force, and no policy that is not there', () => {
    const view = viewOf({
      strategy: 'complexity',
      targets: [
        { model: 'small', tier: 'simple' },
        { model: 'large', tier: 'complex', when: { hasTools: true } },
        { model: 'large', tier: 'complex' },
      ],
      classifier: { model: 'small' },
      shadow: { model: 'large', maxUsdPerDay: 2 },
    });
    assert.deepEqual(
      view.targets.map(({ model, provider, tier, when }) => [model, provider, tier, when]),
      [
        ['small', 'p-small', 'simple', null],
        ['large', 'p-large', 'complex', 'with tools'],
        ['large', 'p-large', 'complex', null],
      ],
    );
    assert.deepEqual(
      [view.classifierModel, view.shadow, view.hedge, view.stickyBy],
      ['small', { model: 'large', ratio: 0.01, maxUsdPerDay: 2 }, null, null],
    );
    assert.deepEqual(view.features, ['chat']);
    assert.equal(view.retries?.maxAttempts, 2);
    assert.equal(viewOf({ strategy: 'sticky', targets: ['small'], stickyBy: 'user' }).stickyBy, 'user');
  });

  it('say every part of a condition', () => {
    assert.equal(
      conditionText({
        tags: { plan: ['gold', 'silver'] },
        features: ['a'],
        teams: ['t'],
        inputTokens: { min: 10 },
        languages: ['de'],
        time: { zone: 'Europe/Berlin', from: '08:00', days: ['mon', 'tue'] },
        parameters: { temperature: { min: 0, max: 1 }, n: { max: 2 } },
        isStream: false,
        hasTools: false,
      }),
      'tag plan = gold or silver, feature a, team t, input ≥ 10 tokens, language de, 08:00–24:00 mon tue Europe/Berlin, temperature 0 to 1, n ≤ 2, no streams, without tools',
    );
  });
});
