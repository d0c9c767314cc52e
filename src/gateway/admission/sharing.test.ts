import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Refusal } from './refusal.ts';
import { attemptWith, mustReserve } from './testing.ts';
import { Cluster, type ClusterGateway } from './testing-cluster.ts';

const gatewayOf = (made: Cluster, index: number): ClusterGateway => made.gateways[index] ?? assert.fail(`no gateway ${index}`);

describe('limits that several gateways keep together', () => {
  it('a rate is reached exactly, wherever the calls come, and never passed in any window', async () => {
    const made = new Cluster({ size: 3, limits: [{ scope: 'global', requestsPerMinute: 200 }] });
    const admittedAtMs: number[] = [];
    for (let turn = 0; turn < 900; turn++) {
      const outcome = await made.enter(turn % 7 === 0 ? 0 : turn % 3);
      if (!(outcome instanceof Refusal)) {
        admittedAtMs.push(made.clock.monotonicMs());
        outcome.settle([attemptWith(1, 0n)]);
      }
      await made.clock.advance(150);
    }
    const firstMs = admittedAtMs[0] ?? 0;
    assert.equal(admittedAtMs.filter((atMs) => atMs < firstMs + 60_000).length, 200, 'the first window is used up');
    for (const startMs of admittedAtMs) {
      const inWindow = admittedAtMs.filter((atMs) => atMs >= startMs && atMs < startMs + 60_000).length;
      assert.ok(inWindow <= 200, `${inWindow} from ${startMs}`);
    }
    assert.ok(admittedAtMs.length > 400, 'and again in the next ones');
    assert.ok(made.exchanges < 2_000, `${made.exchanges} exchanges`);
    await made.close();
  });

  it('calls of a busy gateway need hardly an exchange; one that has gone quiet keeps nothing', async () => {
    const made = new Cluster({ size: 2, limits: [{ scope: 'global', requestsPerMinute: 100_000, concurrency: 1_000, budgetUsd: 100 }] });
    const { admission, request } = gatewayOf(made, 0);
    mustReserve(await made.enter(0)).release();
    const first = made.exchanges;
    let waited = 0;
    for (let call = 0; call < 4_000; call++) {
      let outcome = admission.reserve(request({ nanoUsd: 1_000 }));
      if (outcome instanceof Refusal) {
        waited++;
        outcome = await made.enter(0, { nanoUsd: 1_000 });
      }
      mustReserve(outcome).settle([attemptWith(1, 1_000_000n)]);
      if (call % 4 === 0) await made.clock.advance(1);
    }
    assert.ok(waited < 25, `${waited} of 4000 calls had to ask`);
    assert.ok(made.exchanges - first < 60, `${made.exchanges - first} exchanges`);
    await made.clock.advance(2_000);
    for (const { lease } of admission.counters()) assert.equal(lease?.spare, 0);
    assert.equal(admission.activeCounters.size, 0);
    const before = made.exchanges;
    await made.clock.advance(10_000);
    assert.ok(made.exchanges - before <= 2 * 11, 'a word a second to find out whether the source is still the same');
    await made.close();
  });

  it('what one gateway holds spare goes to the one that needs it; budgets are used up to the last nano-dollar', async () => {
    const made = new Cluster({ size: 3, limits: [{ scope: 'team', budgetUsd: 0.001, per: 'day' }] });
    let spent = 0;
    const order = [0, 1, 2, 1, 0, 2, 2, 1];
    for (let turn = 0; turn < 400; turn++) {
      const nanoUsd = 5_000 + (turn % 3) * 1_000;
      const outcome = await made.enter(order[turn % order.length] ?? 0, { nanoUsd });
      if (outcome instanceof Refusal) continue;
      outcome.settle([attemptWith(1, BigInt(nanoUsd) * 1000n)]);
      spent += nanoUsd;
    }
    assert.ok(spent <= 1_000_000 && spent > 1_000_000 - 5_000, `${spent} of 1000000`);
    const last = await made.enter(0, { nanoUsd: 1_000_000 - spent });
    assert.ok(!(last instanceof Refusal), 'the last of it, wherever it was held');
    const over = await made.enter(1, { nanoUsd: 1 });
    assert.ok(over instanceof Refusal && !over.isShort);
    assert.equal(over.error().code, 'budget_exceeded');
    await made.close();
  });

  it('a place that a call of another gateway has left is had at once, before anybody was told of it', async () => {
    const made = new Cluster({ size: 2, limits: [{ scope: 'global', concurrency: 4 }] });
    const held = [];
    for (let call = 0; call < 4; call++) held.push(mustReserve(await made.enter(0)));
    await made.clock.advance(150);
    const refused = await made.enter(1);
    assert.ok(refused instanceof Refusal);
    assert.match(refused.error().message, /already has 4 calls in flight; its limit is 4/);
    await made.clock.advance(20);
    held.pop()?.release();
    const startMs = made.clock.monotonicMs();
    assert.ok(!((await made.enter(1)) instanceof Refusal));
    assert.ok(made.clock.monotonicMs() - startMs < 15, 'some exchanges, no beat');
    await made.close();
  });

  it('a counter whose calls wait for a loan is not forgotten: a second one would tell the source that nothing is held', async () => {
    const made = new Cluster({ size: 2, limits: [{ scope: 'user', budgetUsd: 0.0001, per: 'month' }] });
    const { admission, request } = gatewayOf(made, 0);
    // The source only listens at first, so that the call waits.
    const waiting = made.enter(0, { user: 'ada', nanoUsd: 60_000 });
    const before = [...admission.counters()].find(({ member }) => member === 'ada');
    for (let user = 0; user < 50; user++) {
      await made.clock.advance(7);
      admission.reserve(request({ user: `user-${user}`, nanoUsd: 0 }));
    }
    const held = mustReserve(await waiting);
    assert.equal(
      [...admission.counters()].find(({ member }) => member === 'ada'),
      before,
    );
    await made.clock.advance(2_000);
    assert.ok((await made.enter(1, { user: 'ada', nanoUsd: 60_000 })) instanceof Refusal);
    held.release();
    await made.clock.advance(3_000);
    assert.equal(admission.activeCounters.size, 0);
    await made.close();
  });

  it('shares of a budget are reported by what all have spent', async () => {
    const made = new Cluster({ size: 2, limits: [{ scope: 'team', budgetUsd: 0.0001, per: 'day', alertAtPercent: [50, 100] }] });
    for (const index of [0, 1, 0, 1]) mustReserve(await made.enter(index, { nanoUsd: 25_000 })).settle([attemptWith(1, 25_000_000n)]);
    await made.clock.advance(300);
    const place = 'team:*/budget-per-day support';
    // Whoever hears of it first reports it; the same report twice is one event.
    const reached = new Set(made.gateways.flatMap((gateway) => gateway.reached));
    assert.deepEqual([...reached].sort(), [`${place} 100`, `${place} 50`]);
    await made.close();
  });

  it('a source that is away stops what it cannot vouch for', async () => {
    const made = new Cluster({ size: 2, limits: [{ scope: 'global', budgetUsd: 0.0001, per: 'month' }] });
    const { admission, request, states } = gatewayOf(made, 0);
    mustReserve(await made.enter(0, { nanoUsd: 5_000 })).settle([attemptWith(1, 5_000_000n)]);
    made.isAway = true;
    mustReserve(admission.reserve(request({ nanoUsd: 1_000 }))).settle([attemptWith(1, 1_000_000n)]);
    await made.clock.advance(4_000);
    assert.deepEqual(states, [false]);
    await assert.rejects(made.enter(0, { nanoUsd: 1_000 }), /what this gateway shares its limits with does not answer/);
    await assert.rejects(made.enter(1, { nanoUsd: 1_000 }), { code: 'not_ready' });
    assert.ok(!((await made.enter(0, { nanoUsd: 0 })) instanceof Refusal), 'what costs nothing');
    made.isAway = false;
    await made.clock.advance(300);
    assert.deepEqual(states, [false, true]);
    assert.ok(!((await made.enter(1, { nanoUsd: 1_000 })) instanceof Refusal));
    await made.close();
  });

  it('a source that is away leaves each gateway its share, and none of what others are known to have spent', async () => {
    const made = new Cluster({ size: 2, limits: [{ scope: 'global', budgetUsd: 0.0001, per: 'month', concurrency: 6 }], replicas: 2 });
    const spend = async (index: number, most: number): Promise<number> => {
      let spent = 0;
      for (; spent < most; spent += 1_000) {
        const outcome = await made.enter(index, { nanoUsd: 1_000 });
        if (outcome instanceof Refusal) break;
        outcome.settle([attemptWith(1, 1_000_000n)]);
      }
      return spent;
    };
    await spend(0, 60_000);
    await made.clock.advance(150);
    await spend(1, 10_000);
    await made.clock.advance(150);
    made.isAway = true;
    await made.clock.advance(4_000);
    assert.equal(await spend(0, 100_000), 0, 'it has had more than half');
    // Half is its share; the other has spent more than half, as far as is known here.
    assert.equal(await spend(1, 100_000), 30_000);
    const held = [];
    for (;;) {
      const outcome = await made.enter(0);
      if (outcome instanceof Refusal) break;
      held.push(outcome);
    }
    assert.equal(held.length, 3);
    for (const reservation of held) reservation.release();
    made.isAway = false;
    await made.clock.advance(300);
    assert.equal(await spend(0, 100_000), 0, 'all is spent');
    await made.close();
  });
});
