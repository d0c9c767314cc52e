import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ShowbackRow } from '../cost-queries.ts';
import { issueStatement, periodOfMonth, Statement, saysTheSame } from './statement.ts';

const row = fc.record({
  team: fc.constantFrom(null, 'a', 'b'),
  feature: fc.constantFrom('x', 'y'),
  customer: fc.constantFrom(null, 'c'),
  calls: fc.nat(1_000),
  unpricedCalls: fc.nat(5),
  costPicoUsd: fc.bigInt(0n, 10n ** 30n),
});
const rows = fc.uniqueArray(row, { selector: ({ team, feature, customer }) => `${team} ${feature} ${customer}` });
const issue = { atMs: 1, by: 'Ada', reason: 'a price was wrong' };

describe('showback statement', () => {
  it('adds up exactly, and so do the changes of a new version', () => {
    fc.assert(
      fc.property(rows, rows, (first, second) => {
        const one = issueStatement('2026-10', first, null, issue);
        const two = issueStatement('2026-10', second, one, issue);
        const sum = (of: readonly ShowbackRow[]) => of.reduce((total, { costPicoUsd }) => total + costPicoUsd, 0n);
        assert.deepEqual([one.version, two.version, one.differencePicoUsd, one.reason], [1, 2, null, null]);
        assert.equal(BigInt(two.totalPicoUsd), sum(second));
        assert.equal(BigInt(two.differencePicoUsd ?? 0), sum(second) - sum(first));
        assert.equal(
          two.changes.reduce((total, { differencePicoUsd }) => total + BigInt(differencePicoUsd), 0n),
          sum(second) - sum(first),
        );
        assert.equal(BigInt(two.unallocatedPicoUsd), sum(second.filter(({ team }) => team === null)));
        assert.deepEqual(Statement.parse(JSON.parse(JSON.stringify(two))), two, 'what is stored is what was issued');
        assert.ok(saysTheSame(one, issueStatement('2026-10', first, one, issue)));
      }),
    );
  });

  it('covers a calendar month, UTC', () => {
    assert.deepEqual(periodOfMonth('2026-12'), { from: Date.UTC(2026, 11, 1), to: Date.UTC(2027, 0, 1) });
    assert.deepEqual(periodOfMonth('2028-02'), { from: Date.UTC(2028, 1, 1), to: Date.UTC(2028, 2, 1) });
  });
});
