import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RouteConfig, routeModels, routePolicy, targetNames } from './route-config.ts';

function problemsOf(route: unknown): string[] {
  const parsed = RouteConfig.safeParse(route);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('routes of plimsoll.yaml', () => {
  it('a list of names is a priority route, as it ever was', () => {
    const route = RouteConfig.parse({ targets: ['a', 'b'] });
    assert.deepEqual(targetNames(route), ['a', 'b']);
    const policy = routePolicy(route);
    assert.equal(policy.strategy, 'priority');
    assert.deepEqual(policy.targets[1], { weight: 1, tier: null, when: null });
    assert.equal(policy.hedge, null);
    assert.equal(policy.retries.maxAttempts, 2);
  });

  it('names every model that it can call', () => {
    const route = RouteConfig.parse({
      strategy: 'complexity',
      targets: [
        { model: 'small', tier: 'simple' },
        { model: 'large', tier: 'complex' },
      ],
      classifier: { model: 'judge' },
      shadow: { model: 'candidate', maxUsdPerDay: 1 },
    });
    assert.deepEqual(
      routeModels(route).map(({ model, path }) => `${path.join('.')}=${model}`),
      ['targets.0.model=small', 'targets.1.model=large', 'shadow.model=candidate', 'classifier.model=judge'],
    );
  });

  it('refuses what could not work, and says why', () => {
    const refused: [route: unknown, why: RegExp][] = [
      [{ targets: [] }, /targets/],
      [{ targets: ['a'], strategy: 'fastest' }, /strategy/],
      [{ targets: ['a'], stratgy: 'cost' }, /stratgy/],
      [{ targets: [{ model: 'a', when: { features: ['x'] } }] }, /every target has a "when"/],
      [{ targets: [{ model: 'a', when: {} }, 'b'] }, /empty condition/],
      [{ targets: ['a', 'b'], strategy: 'condition' }, /needs a target with "when"/],
      [{ targets: ['a', { model: 'b', tier: 'simple' }], strategy: 'complexity' }, /targets\.0.*needs a tier/],
      [{ targets: [{ model: 'a', weight: 0 }], strategy: 'weight' }, /every weight is 0/],
      [{ targets: ['a'], classifier: { model: 'j' } }, /only for strategy complexity/],
      [{ targets: ['a'], hedge: {} }, /second target/],
      [{ targets: ['a', { model: 'b', when: { time: { zone: 'Mars/Olympus' } } }] }, /IANA/],
      [{ targets: ['a', { model: 'b', when: { time: { from: '25:00' } } }] }, /HH:MM/],
      [{ targets: ['a', { model: 'b', when: { inputTokens: { min: 5, max: 1 } } }] }, /min is above max/],
      [{ targets: ['a', { model: 'b', when: { parameters: { colour: { min: 1 } } } }] }, /parameters/],
      [{ targets: ['a'], shadow: { model: 'b' } }, /maxUsdPerDay/],
      [{ targets: ['a'], retries: { maxAttempts: 0 } }, /maxAttempts/],
    ];
    for (const [route, why] of refused) assert.match(problemsOf(route).join('\n'), why, JSON.stringify(route));
  });
});
