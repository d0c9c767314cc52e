import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RatioBudget } from './ratio-budget.ts';

describe('a budget of extra work', () => {
  it('never gives more than its start and its share of the calls, and never a burst above the reserve', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(1_000), fc.array(fc.boolean(), { maxLength: 600 }), (reserve, thousandths, steps) => {
        const budget = new RatioBudget(reserve, reserve);
        const ratio = thousandths / 1000;
        let calls = 0;
        let burst = 0;
        for (const isCall of steps) {
          if (isCall) {
            budget.deposit(ratio);
            calls++;
            burst = 0;
          } else if (budget.tryTake()) burst++;
          assert.ok(budget.taken <= reserve + ratio * calls + 1e-9);
          assert.ok(burst <= reserve);
        }
      }),
    );
  });

  it('starts empty where it should', () => {
    const budget = new RatioBudget(10, 0);
    assert.equal(budget.tryTake(), false);
    for (let call = 0; call < 20; call++) budget.deposit(0.05);
    assert.equal(budget.tryTake(), true);
    assert.equal(budget.tryTake(), false);
  });
});
