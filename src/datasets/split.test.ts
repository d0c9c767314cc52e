import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SplitPlan, splitCases } from './split.ts';

const drawn = fc.uniqueArray(
  fc.record({
    hash: fc.uuid(),
    cluster: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e')),
    at: fc.option(fc.integer({ min: 0, max: 100 })),
  }),
  { selector: ({ hash }) => hash, maxLength: 40 },
);
const plan = fc.oneof(
  fc.record({
    by: fc.constant('cluster' as const),
    seed: fc.string({ minLength: 1, maxLength: 5 }),
    devRatio: fc.constantFrom(0, 0.3),
    holdoutRatio: fc.constantFrom(0, 0.2, 0.5),
  }),
  fc.record({
    by: fc.constant('time' as const),
    seed: fc.constant('1'),
    devRatio: fc.constantFrom(0, 0.3),
    holdoutFrom: fc.integer({ min: 0, max: 100 }),
  }),
);

describe('split', () => {
  it('never has a cluster in two parts', () => {
    fc.assert(
      fc.property(drawn, plan, (cases, how) => {
        const parts = splitCases(cases, how);
        assert.equal(parts.size, cases.length);
        for (const cluster of ['a', 'b', 'c', 'd', 'e']) {
          const found = new Set(cases.filter((each) => each.cluster === cluster).map(({ hash }) => parts.get(hash)));
          found.delete('excluded');
          assert.ok(found.size <= 1, `${cluster}: ${[...found].join()}`);
        }
      }),
    );
  });

  it('by cluster: what is added moves nothing', () => {
    fc.assert(
      fc.property(drawn, drawn, plan, (cases, more, how) => {
        if (how.by === 'time') return;
        const before = splitCases(cases, how);
        const after = splitCases([...more, ...cases], how);
        for (const [hash, part] of before) assert.equal(after.get(hash), part);
      }),
    );
  });

  it('by time: nothing that is open happened after the boundary, nothing sealed before it', () => {
    fc.assert(
      fc.property(drawn, plan, (cases, how) => {
        if (how.by === 'cluster') return;
        const parts = splitCases(cases, how);
        for (const { hash, at } of cases) {
          const part = parts.get(hash);
          if (at === null) assert.equal(part, 'excluded');
          else if (part === 'holdout') assert.ok(at >= how.holdoutFrom);
          else if (part !== 'excluded') assert.ok(at < how.holdoutFrom);
        }
      }),
    );
  });

  it('has the shares that were asked for, and other ones with another seed', () => {
    const cases = Array.from({ length: 20_000 }, (_, index) => ({ hash: `${index}`, cluster: null, at: null }));
    const parts = splitCases(cases, { by: 'cluster', seed: 'x', devRatio: 0.1, holdoutRatio: 0.2 });
    const share = (part: string) => [...parts.values()].filter((each) => each === part).length / cases.length;
    // Five standard errors.
    assert.ok(Math.abs(share('holdout') - 0.2) < 5 * Math.sqrt(0.16 / 20_000), `${share('holdout')}`);
    assert.ok(Math.abs(share('dev') - 0.1) < 5 * Math.sqrt(0.09 / 20_000), `${share('dev')}`);
    const other = splitCases(cases, { by: 'cluster', seed: 'y', devRatio: 0.1, holdoutRatio: 0.2 });
    assert.ok(cases.some(({ hash }) => parts.get(hash) !== other.get(hash)));
  });

  it('refuses a plan that leaves nothing to train', () => {
    assert.equal(SplitPlan.safeParse({ by: 'cluster', devRatio: 0.5, holdoutRatio: 0.5 }).success, false);
  });
});
