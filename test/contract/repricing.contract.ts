import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PriceAttempt } from '../../src/costs/repricing/reprice-call.ts';
import { newRun, type RepricingPorts, type RepricingProgress, runRepricing } from '../../src/costs/repricing/run.ts';
import { compilePrice } from '../../src/models/price-usage.ts';
import { NO_USAGE } from '../../src/models/usage.ts';
import type { ClickHouseStores } from '../../src/stores/clickhouse/open.ts';
import type { CallSettled } from '../../src/traces/call-record.ts';
import { batchOf, sampleAttempt, sampleCall } from './ledger-sample-calls.ts';
import type { TraceStoreFixture } from './trace-store.contract.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 3, 2, 10, 30);
const price = (input: string, output: string) =>
  compilePrice({
    priceId: `right:${input}`,
    perToken: { inputUncachedTokens: input, outputTextTokens: output },
    perRequest: null,
    tiers: [],
  });

/** The truth: `mini` was priced ten times too high, `lost` is not configured any more, `free` is not priced, everything else was right. */
const priceAttempt: PriceAttempt = (attempt) => {
  if (attempt.model === 'lost') return { kind: 'unknown' };
  if (attempt.model === 'reported') return { kind: 'reported', costPicoUsd: 77n };
  if (attempt.model === 'gone') return { kind: 'price', price: null };
  return { kind: 'price', price: attempt.model === 'mini' ? price('100', '200') : price('1000', '2000') };
};

const usage = { ...NO_USAGE, inputUncachedTokens: 100, outputTextTokens: 50 };

function attempt(seed: string, model: string, costPicoUsd: string | null, changes: Parameters<typeof sampleAttempt>[1] = {}) {
  return sampleAttempt(seed, { model, requestModel: model, responseModel: model, usage, costPicoUsd, priceId: 'wrong', ...changes });
}

function calls(scope: { organisationId: string; environment: string }): CallSettled[] {
  return Array.from({ length: 60 }, (_, place): CallSettled => {
    const at = NOW + place * 17 * 60_000;
    const seed = `reprice-${scope.organisationId}-${place}`;
    const base = { ...scope, feature: place % 2 === 0 ? 'support' : 'search' };
    switch (place % 6) {
      case 0: // too dear: 200 000 instead of 20 000
        return sampleCall(seed, at, { ...base, attempts: [attempt(seed, 'mini', '200000')], costPicoUsd: '200000' });
      case 1: // right: 200 000
        return sampleCall(seed, at, { ...base, attempts: [attempt(seed, 'big', '200000')], costPicoUsd: '200000' });
      case 2: // was unpriced
        return sampleCall(seed, at, {
          ...base,
          attempts: [attempt(seed, 'mini', null, { costStatus: 'unpriced', priceId: null })],
          costPicoUsd: null,
          costStatus: 'unpriced',
        });
      case 3: // fallback: the failed attempt and the other model are right, estimated tokens of the first were too dear
        return sampleCall(seed, at, {
          ...base,
          attempts: [
            attempt(`${seed}-a`, 'mini', '200000', { costStatus: 'estimated_tokens', usageSource: 'estimated', status: 'aborted' }),
            attempt(`${seed}-b`, 'big', '200000'),
          ],
          costPicoUsd: '400000',
          costStatus: 'estimated_tokens',
        });
      case 4:
        return sampleCall(seed, at, { ...base, attempts: [attempt(seed, 'lost', '5')], costPicoUsd: '5' });
      default:
        return sampleCall(seed, at, { ...base, attempts: [attempt(seed, 'gone', '9')], costPicoUsd: '9' });
    }
  });
}

export function repricingContract(driver: string, open: () => Promise<TraceStoreFixture>): void {
  describe(`LedgerCorrections contract: ${driver}`, () => {
    let fixture: TraceStoreFixture;
    let stores: ClickHouseStores;
    before(async () => {
      fixture = await open();
      stores = fixture.stores;
    });
    after(() => fixture?.close());

    const scopeOf = (name: string) => ({ organisationId: `org-reprice-${name}`, environment: 'production' });
    const end = NOW + 60 * 17 * 60_000;

    async function filled(name: string) {
      const scope = scopeOf(name);
      const made = calls(scope);
      await stores.insertBatch(
        batchOf(
          `reprice-${name}`,
          made.map((call) => ({ call })),
        ),
      );
      return { scope, made };
    }

    const all = async (scope: ReturnType<typeof scopeOf>) =>
      stores.corrections.page(scope, { from: 0, to: Number.MAX_SAFE_INTEGER, feature: null, after: '', upTo: null, limit: 1_000 });

    function ports(changes: Partial<RepricingPorts> = {}): RepricingPorts {
      return {
        ledger: stores.corrections,
        priceAttempt,
        save: async () => {},
        signal: new AbortController().signal,
        pageRows: 7,
        batchCalls: 10,
        ...changes,
      };
    }

    const run = (name: string, changes: Partial<RepricingProgress> = {}) =>
      newRun({
        id: `run-${name}`,
        from: 0,
        to: end,
        feature: null,
        isDryRun: false,
        requestedBy: 'test',
        requestedAtMs: NOW,
        ...changes,
      });

    /** What ledger, spans and rollups say of the money, which must be the same thing. */
    async function money(scope: ReturnType<typeof scopeOf>) {
      const ledger = await stores.ledger.ledgerCounts(scope, 0, Number.MAX_SAFE_INTEGER);
      // Whole hours come from the rollups, odd minutes from the minute rollups, the rest from spans.
      const summary = async (from: number, to: number) => (await stores.traces.summary(scope, from, to, 'feature')).total;
      const start = Math.floor(NOW / HOUR) * HOUR;
      const byHour = await summary(start, start + 48 * HOUR);
      const byMinute = await stores.traces.series(scope, { from: start, to: start + 20 * HOUR, stepMs: 60_000 });
      const bySpan = await stores.traces.summary(scope, start, start + 48 * HOUR, 'user');
      return {
        ledger: [ledger.costPicoUsd.toString(), ledger.unpricedRows],
        hours: [byHour.costPicoUsd, byHour.unpricedRequests, byHour.estimatedCostRequests],
        minutes: [
          byMinute.points.reduce((sum, point) => sum + BigInt(point.costPicoUsd), 0n).toString(),
          byMinute.points.reduce((sum, point) => sum + point.unpricedRequests, 0),
          byMinute.points.reduce((sum, point) => sum + point.estimatedCostRequests, 0),
        ],
        sessions: (
          await stores.sessions.sessions(scope, { from: start, to: start + 48 * HOUR, sort: 'recent', limit: 200, offset: 0 })
        ).sessions
          .reduce((sum, each) => sum + BigInt(each.costPicoUsd), 0n)
          .toString(),
        spans: [bySpan.total.costPicoUsd, bySpan.total.unpricedRequests, bySpan.total.estimatedCostRequests],
        others: [byHour.requests, byHour.inputTokens, byHour.outputTokens, byHour.durationMs],
      };
    }

    function assertOneStory(story: Awaited<ReturnType<typeof money>>): void {
      assert.deepEqual(story.hours, story.spans);
      assert.deepEqual(story.minutes, story.spans);
      assert.equal(story.sessions, story.spans[0]);
      assert.deepEqual(story.ledger, story.spans.slice(0, 2));
    }

    it('corrects ledger, spans and rollups to the last digit; nothing else moves, and the report adds up', async () => {
      const { scope } = await filled('whole');
      const beforeRows = await all(scope);
      const before = await money(scope);
      assertOneStory(before);
      const { report } = await runRepricing(scope, run('whole'), ports());
      const after = await money(scope);
      assertOneStory(after);
      assert.deepEqual(after.others, before.others);
      const whole = { from: 0, to: Number.MAX_SAFE_INTEGER };
      const used = await stores.costs.usedAtPrices(scope, whole, []);
      assert.equal(
        used.reduce((sum, { costPicoUsd }) => sum + costPicoUsd, 0n),
        (await stores.costs.totals(scope, whole)).costPicoUsd,
        'the facts of attempts follow their correction',
      );
      assert.ok(used.some(({ priceId }) => priceId === 'right:100'));
      assert.equal(BigInt(report.total.differencePicoUsd), BigInt(after.spans[0] as string) - BigInt(before.spans[0] as string));
      assert.deepEqual(
        [report.total.beforePicoUsd, report.total.afterPicoUsd, report.total.unpricedBefore, report.total.unpricedAfter],
        [before.spans[0], after.spans[0], before.spans[1], after.spans[1]],
      );
      for (const name of ['beforePicoUsd', 'afterPicoUsd', 'differencePicoUsd'] as const)
        assert.equal(report.models.reduce((sum, line) => sum + BigInt(line[name]), 0n).toString(), report.total[name]);
      assert.deepEqual(
        report.models.map(({ model, calls, changedCalls, differencePicoUsd }) => [model, calls, changedCalls, differencePicoUsd]),
        [
          ['big', 20, 10, '-1800000'],
          ['mini', 20, 20, '-1600000'],
          ['gone', 10, 0, '0'],
          ['lost', 10, 0, '0'],
        ],
      );
      assert.deepEqual(report.kept, { notConfigured: 10, wouldLosePrice: 10 });
      const afterRows = await all(scope);
      for (const [place, row] of afterRows.entries()) {
        const was = beforeRows[place];
        assert.ok(was);
        const kind = row.attempts.map(({ model }) => model).join();
        if (!kind.includes('mini')) assert.deepEqual(row, was);
        else
          assert.deepEqual(
            { ...row, attempts: row.attempts.length, costPicoUsd: 0n, costStatus: '' },
            { ...was, attempts: was.attempts.length, costPicoUsd: 0n, costStatus: '' },
          );
        if (kind === 'mini')
          assert.deepEqual([row.costPicoUsd, row.costStatus, row.attempts[0]?.priceId], [20_000n, 'priced', 'right:100']);
        if (kind === 'mini,big')
          assert.deepEqual(
            [
              row.costPicoUsd,
              row.costStatus,
              row.attempts.map(({ costPicoUsd, costStatus, priceId }) => [costPicoUsd, costStatus, priceId]),
            ],
            [
              220_000n,
              'estimated_tokens',
              [
                [20_000n, 'estimated_tokens', 'right:100'],
                [200_000n, 'priced', 'wrong'],
              ],
            ],
          );
      }
      const detail = await stores.traces.getTrace(scope, afterRows.find(({ attempts }) => attempts.length === 2)?.traceId ?? '');
      assert.deepEqual(
        detail?.spans
          .filter(({ costPicoUsd }) => costPicoUsd !== null)
          .map(({ kind, costPicoUsd, priceId }) => `${kind} ${costPicoUsd} ${priceId}`)
          .sort(),
        ['gateway 220000 wrong', 'llm 20000 right:100', 'llm 200000 wrong'],
      );

      const again = await runRepricing(scope, run('whole-again'), ports());
      assert.equal(again.report.total.changedCalls, 0);
      assert.deepEqual(await money(scope), after);
      assert.deepEqual(await all(scope), afterRows);
    });

    it('tells in a dry run what it would do, and does nothing', async () => {
      const { scope } = await filled('dry');
      const rows = await all(scope);
      const { report } = await runRepricing(scope, run('dry', { isDryRun: true }), ports());
      assert.equal(report.total.changedCalls, 30);
      assert.deepEqual(await all(scope), rows);
      assert.deepEqual((await runRepricing(scope, run('dry-real'), ports())).report, report);
    });

    it('keeps to its range and feature, and to its tenant', async () => {
      const { scope } = await filled('part');
      const other = await filled('part-neighbour');
      const neighbours = await all(other.scope);
      const rows = await all(scope);
      const to = NOW + 30 * 17 * 60_000;
      const { report } = await runRepricing(scope, run('part', { to, feature: 'support' }), ports());
      assert.equal(report.total.calls, 15);
      for (const [place, row] of (await all(scope)).entries())
        if (row.feature !== 'support' || row.startedAtMs >= to) assert.deepEqual(row, rows[place]);
      assert.deepEqual(await all(other.scope), neighbours);
      assertOneStory(await money(scope));
    });

    it('comes to the same when it is cut off anywhere and goes on', async () => {
      const reference = await filled('cut-none');
      const expected = await runRepricing(reference.scope, run('cut-none'), ports());
      const story = await money(reference.scope);
      const STEPS = ['stage', 'correctRollups', 'correctRows'] as const;
      for (const step of STEPS)
        for (const isAfter of [false, true]) {
          const name = `cut-${step}-${isAfter}`;
          const { scope } = await filled(name);
          let saved = run(name);
          let remaining = 2;
          const cut: typeof stores.corrections = {
            ...stores.corrections,
            [step]: async (...given: Parameters<(typeof stores.corrections)[typeof step]>) => {
              remaining--;
              if (remaining === 0 && !isAfter) throw new Error('killed');
              // The union of three functions takes no union of arguments; each gets its own.
              await (stores.corrections[step] as (...values: typeof given) => Promise<void>)(...given);
              if (remaining === 0) throw new Error('killed');
            },
          };
          const keep = {
            save: async (progress: RepricingProgress) => {
              saved = JSON.parse(JSON.stringify(progress));
            },
          };
          await assert.rejects(runRepricing(scope, saved, ports({ ...keep, ledger: cut })), /killed/);
          const { report } = await runRepricing(scope, saved, ports(keep));
          assert.deepEqual(report, expected.report, name);
          assert.deepEqual(await money(scope), story, name);
        }
    });
  });
}
