import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { describeResidency, RegionName, ResidencyConfig, residencyOf, residencyRefusal } from './residency.ts';

describe('residency', () => {
  it('allows a region and what lies in it, and nothing that only begins alike', () => {
    const demand = { regions: ['eu', 'us-east'], selfHosted: false };
    for (const [region, refusal] of [
      ['eu', null],
      ['eu-central-1', null],
      ['us-east-1', null],
      ['us', 'in us'],
      ['us-west-2', 'in us-west-2'],
      ['eurasia', 'in eurasia'],
      ['us-eastern', 'in us-eastern'],
      [null, 'declares no region'],
    ] as const)
      assert.equal(residencyRefusal(demand, { region, isSelfHosted: false }), refusal, String(region));
    assert.equal(describeResidency(demand), 'regions eu, us-east');
  });

  it('demands our own machines, whatever the region', () => {
    const demand = { regions: null, selfHosted: true };
    assert.equal(residencyRefusal(demand, { region: 'eu', isSelfHosted: false }), 'not self-hosted');
    assert.equal(residencyRefusal(demand, { region: null, isSelfHosted: true }), null);
    assert.equal(describeResidency({ regions: ['eu'], selfHosted: true }), 'region eu; self-hosted');
  });

  it('never allows more when it demands more', () => {
    const region = fc.constantFrom('eu', 'eu-central-1', 'eu-west-1', 'us', 'us-east-1', 'ch');
    fc.assert(
      fc.property(
        fc.array(region, { minLength: 1 }),
        region,
        fc.boolean(),
        fc.option(region),
        fc.boolean(),
        (regions, extra, selfHosted, at, own) => {
          const place = { region: at, isSelfHosted: own };
          const wide = residencyRefusal({ regions: [...regions, extra], selfHosted: false }, place);
          const narrow = residencyRefusal({ regions, selfHosted }, place);
          assert.ok(narrow !== null || wide === null);
        },
      ),
    );
  });

  it('is configured strictly', () => {
    assert.deepEqual(residencyOf(ResidencyConfig.parse({ regions: ['eu'] })), { regions: ['eu'], selfHosted: false });
    for (const wrong of [{}, { regions: [] }, { selfHosted: false }, { regions: ['EU'] }, { regions: ['eu-'] }, { region: 'eu' }])
      assert.equal(ResidencyConfig.safeParse(wrong).success, false, JSON.stringify(wrong));
    assert.ok(RegionName.safeParse('europe-west4').success);
  });
});
