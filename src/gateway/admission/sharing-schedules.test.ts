import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Refusal } from './refusal.ts';
import type { Reservation } from './reservation.ts';
import { attemptWith, mustReserve } from './testing.ts';
import { Cluster } from './testing-cluster.ts';

const GATEWAYS = 3;
const CONCURRENCY = 6;
const BUDGET_NANO = 1_000;
const PER_MINUTE = 25;
const STEPS = 8;
const LIMITS = [
  { scope: 'global', concurrency: CONCURRENCY, requestsPerMinute: PER_MINUTE, budgetUsd: BUDGET_NANO / 1e9, per: 'month' },
  { scope: 'user', budgetUsd: BUDGET_NANO / 1e9, per: 'month', concurrency: 4 },
  { scope: 'session', maxSteps: STEPS },
];

const step = fc.record({
  gateway: fc.nat(GATEWAYS - 1),
  kind: fc.constantFrom('call', 'call', 'call', 'call', 'settle', 'settle', 'release', 'wait', 'crash', 'away', 'amnesia'),
  user: fc.constantFrom('ada', 'bob'),
  session: fc.constantFrom('one', 'two'),
  nanoUsd: fc.integer({ min: 1, max: 40 }),
  share: fc.integer({ min: 0, max: 100 }),
  waitMs: fc.oneof(fc.nat(50), fc.nat(2_000), fc.nat(20_000)),
});

/** A call in flight. */
interface Open {
  readonly gateway: number;
  readonly reservation: Reservation;
  readonly nanoUsd: number;
  readonly user: string;
  readonly session: string;
}

/** What is true, whoever counts it. */
class Truth {
  readonly open: Open[] = [];
  readonly #spent: { readonly user: string; readonly session: string; readonly nanoUsd: number }[] = [];
  readonly #admittedAtMs = new Set<{ readonly atMs: number }>();
  readonly #windowOf = new Map<Open, { readonly atMs: number }>();

  admit(call: Open, atMs: number): void {
    this.open.push(call);
    const entry = { atMs };
    this.#admittedAtMs.add(entry);
    this.#windowOf.set(call, entry);
  }

  book({ user, session }: Open, nanoUsd: number): void {
    this.#spent.push({ user, session, nanoUsd });
  }

  release(call: Open): void {
    const entry = this.#windowOf.get(call);
    if (entry !== undefined) this.#admittedAtMs.delete(entry);
  }

  money(user?: string): number {
    const of = (entries: readonly { readonly user: string; readonly nanoUsd: number }[]): number =>
      entries.filter((entry) => user === undefined || entry.user === user).reduce((sum, { nanoUsd }) => sum + nanoUsd, 0);
    return of(this.#spent) + of(this.open);
  }

  check(nowMs: number): void {
    assert.ok(this.money() <= BUDGET_NANO, `${this.money()} of ${BUDGET_NANO}`);
    for (const user of ['ada', 'bob']) assert.ok(this.open.filter((call) => call.user === user).length <= 4);
    assert.ok(this.open.length <= CONCURRENCY, `${this.open.length} in flight`);
    for (const session of ['one', 'two']) {
      const steps = [...this.#spent, ...this.open].filter((entry) => entry.session === session).length;
      assert.ok(steps <= STEPS, `${steps} steps`);
    }
    const inWindow = [...this.#admittedAtMs].filter(({ atMs }) => atMs > nowMs - 60_000).length;
    assert.ok(inWindow <= PER_MINUTE, `${inWindow} in a minute`);
  }
}

describe('shared limits under any schedule', () => {
  for (const seesEnds of [true, false]) {
    const source = seesEnds ? 'a source that sees processes end' : 'a source that finds out by silence';
    it(`${source}: calls, crashes, losses of contact and of memory pass no limit, and all comes back`, { timeout: 300_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 70 }), async (steps) => {
          const made = new Cluster({ size: GATEWAYS, limits: LIMITS, seesEnds });
          const truth = new Truth();
          for (const { gateway, kind, user, session, nanoUsd, share, waitMs } of steps) {
            switch (kind) {
              case 'call': {
                const outcome = await made.enter(gateway, { user, session, nanoUsd }).catch(() => null);
                if (outcome !== null && !(outcome instanceof Refusal))
                  truth.admit({ gateway, reservation: outcome, nanoUsd, user, session }, made.clock.monotonicMs());
                break;
              }
              case 'settle': {
                const call = truth.open.shift();
                if (call === undefined) break;
                const used = Math.floor((call.nanoUsd * share) / 100);
                call.reservation.settle([attemptWith(1, BigInt(used) * 1000n)]);
                truth.book(call, used);
                break;
              }
              case 'release': {
                const call = truth.open.pop();
                if (call === undefined) break;
                call.reservation.release();
                truth.release(call);
                break;
              }
              case 'wait':
                await made.clock.advance(waitMs);
                break;
              case 'crash': {
                const lost = truth.open.filter((call) => call.gateway === gateway);
                truth.open.splice(0, truth.open.length, ...truth.open.filter((call) => call.gateway !== gateway));
                // The journal counts them by their estimates.
                for (const call of lost) {
                  truth.book(call, call.nanoUsd);
                  call.reservation.settle([attemptWith(1, BigInt(call.nanoUsd) * 1000n)]);
                }
                made.crash(gateway);
                break;
              }
              case 'away':
                made.isAway = true;
                await made.clock.advance(waitMs);
                made.isAway = false;
                break;
              case 'amnesia':
                // Gateways of one machine end with their source.
                if (!seesEnds) made.loseMemory();
                break;
              default:
                kind satisfies never;
            }
            truth.check(made.clock.monotonicMs());
          }
          for (const { reservation } of truth.open.splice(0)) reservation.release();
          await made.clock.advance(65_000);
          for (const { admission } of made.gateways) {
            assert.equal(admission.stats.outstanding, 0);
            for (const counter of admission.counters()) assert.equal(counter.reserved, 0);
          }
          // Each limit in one place, whoever has held it.
          const rest = mustReserve(await made.enter(0, { nanoUsd: BUDGET_NANO - truth.money() }));
          const held = [];
          for (let call = 1; call < CONCURRENCY; call++) held.push(mustReserve(await made.enter(1)));
          assert.ok((await made.enter(2)) instanceof Refusal);
          // The word that there is nothing is taken for a moment.
          await made.clock.advance(20);
          for (const reservation of [rest, ...held]) reservation.settle([attemptWith(1, 0n)]);
          for (let call = CONCURRENCY; call < PER_MINUTE; call++) mustReserve(await made.enter(2)).settle([attemptWith(1, 0n)]);
          assert.ok((await made.enter(0)) instanceof Refusal);
          await made.close();
        }),
        { numRuns: 40 },
      );
    });
  }
});
