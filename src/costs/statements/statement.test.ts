import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ShowbackRow } from '../cost-queries.ts';
import { parseCsv } from '../invoices/parse-csv.ts';
import { allocate } from '../shared/allocate.ts';
import { sharedCostsConfig, sharedRules } from '../shared/config.ts';
import { correctionsOf, issueStatement, periodOfMonth, Statement, saysTheSame, teamsOf } from './statement.ts';
import { statementCsv } from './statement-csv.ts';

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
        const one = issueStatement('2026-10', first, null, issue, null);
        const two = issueStatement('2026-10', second, one, issue, null);
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
        assert.ok(saysTheSame(one, issueStatement('2026-10', first, one, issue, null)));
      }),
    );
  });

  it('shows what changed in the ledger since as lines of its own', () => {
    fc.assert(
      fc.property(rows, rows, (first, now) => {
        const one = issueStatement('2026-10', first, null, issue, null);
        const { lines, differencePicoUsd } = correctionsOf(one, now);
        const next = issueStatement('2026-10', now, one, issue, null);
        assert.deepEqual(lines, next.changes, 'what a new version would say');
        assert.equal(differencePicoUsd, next.differencePicoUsd);
        assert.deepEqual(correctionsOf(next, now).lines, []);
      }),
    );
  });

  it('says what each team bears, own and shared apart; its CSV adds up the same, and holds no formula', () => {
    const rules = sharedRules(sharedCostsConfig.parse([{ name: 'commitment', monthlyUsd: 100, split: 'spend' }]));
    const period = periodOfMonth('2026-10');
    fc.assert(
      fc.property(rows, fc.boolean(), (drawn, hasRules) => {
        const evil = drawn.map((each) => ({ ...each, customer: each.customer === null ? null : '=HYPERLINK("http://evil","x")' }));
        const uses = evil.map(({ team, calls, unpricedCalls, costPicoUsd }) => ({ team, calls, unpricedCalls, costPicoUsd, rule: null }));
        const allocation = hasRules ? allocate(rules, uses, period) : null;
        const statement = issueStatement('2026-10', evil, null, issue, allocation);
        const teams = teamsOf(statement);
        const total = BigInt(statement.totalPicoUsd) + (hasRules ? 100n * 10n ** 12n : 0n);
        assert.equal(
          teams.reduce((sum, { totalPicoUsd }) => sum + BigInt(totalPicoUsd), 0n),
          total,
        );
        const [head = [], ...cells] = parseCsv(statementCsv(statement));
        const read = cells.map((row) => Object.fromEntries(head.map((name, place) => [name, row[place] ?? ''])));
        const pico = (usd: string): bigint => {
          const [whole = '0', fraction = ''] = usd.split('.');
          return BigInt(whole) * 10n ** 12n + BigInt(fraction.padEnd(12, '0'));
        };
        const sum = (...sections: string[]) =>
          read.filter(({ Section = '' }) => sections.includes(Section)).reduce((all, { CostUsd = '' }) => all + pico(CostUsd), 0n);
        assert.equal(sum('line'), BigInt(statement.totalPicoUsd));
        assert.equal(sum('team own', 'team shared'), total);
        assert.ok(read.every(({ Customer = '' }) => !Customer.startsWith('=')));
      }),
    );
  });

  it('covers a calendar month, UTC', () => {
    assert.deepEqual(periodOfMonth('2026-12'), { from: Date.UTC(2026, 11, 1), to: Date.UTC(2027, 0, 1) });
    assert.deepEqual(periodOfMonth('2028-02'), { from: Date.UTC(2028, 1, 1), to: Date.UTC(2028, 2, 1) });
  });
});
