import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SlidingWindow, STEPS_PER_WINDOW } from './sliding-window.ts';

const WINDOW_MS = 60_000;
const STEP_MS = WINDOW_MS / STEPS_PER_WINDOW;

interface Counted {
  readonly atMs: number;
  amount: number;
}

/** What really lies in (from, to]. */
function between(log: readonly Counted[], fromMs: number, toMs: number): number {
  return log.reduce((sum, { atMs, amount }) => (atMs > fromMs && atMs <= toMs ? sum + amount : sum), 0);
}

const steps = fc.array(
  fc.record({
    // Idle, bursts, whole windows, and moments that fall on the border of a window.
    waitMs: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 3, noNaN: true }),
      fc.integer({ min: 0, max: 90_000 }),
      fc.constant(WINDOW_MS),
    ),
    amount: fc.integer({ min: 1, max: 12 }),
  }),
  { maxLength: 200 },
);

describe('sliding window', () => {
  it('never lets more than the limit into any window, and refuses only when the trailing one is full', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 40 }), (moves, capacity) => {
        const window = new SlidingWindow(WINDOW_MS);
        const log: Counted[] = [];
        let nowMs = 1_000.25;
        for (const { waitMs, amount } of moves) {
          nowMs += waitMs;
          if (window.sum(nowMs) + amount <= capacity) {
            window.add(nowMs, amount);
            log.push({ atMs: nowMs, amount });
            assert.ok(between(log, nowMs - WINDOW_MS, nowMs) <= capacity, `more than ${capacity} at ${nowMs}`);
          } else {
            // Refused: full up to the resolution that is stated.
            assert.ok(between(log, nowMs - WINDOW_MS - STEP_MS, nowMs) + amount > capacity, `refused with room at ${nowMs}`);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('lets in exactly the limit when more is asked for all the time', () => {
    const window = new SlidingWindow(WINDOW_MS);
    const admitted: number[] = [];
    for (let nowMs = 0; nowMs < 5 * WINDOW_MS; nowMs += 7) {
      if (window.sum(nowMs) >= 100) continue;
      window.add(nowMs, 1);
      admitted.push(nowMs);
    }
    for (const start of admitted) assert.ok(admitted.filter((atMs) => atMs >= start && atMs < start + WINDOW_MS).length <= 100);
    // Five windows: each is full again one step (and one ask) after the one before has emptied.
    assert.equal(admitted.length, 500);
  });

  it('gives back what was not used, at the time at which it was taken', () => {
    const taken = fc.record({
      waitMs: fc.integer({ min: 0, max: 30_000 }),
      amount: fc.integer({ min: 1, max: 50 }),
      used: fc.integer({ min: 0, max: 80 }),
      settleAfterMs: fc.integer({ min: 0, max: 100_000 }),
    });
    fc.assert(
      fc.property(fc.array(taken, { maxLength: 60 }), (calls) => {
        const window = new SlidingWindow(WINDOW_MS);
        const log: Counted[] = [];
        const open: { entry: Counted; used: number; dueMs: number }[] = [];
        let nowMs = 0;
        const settleDue = (): void => {
          for (const call of open.splice(0)) {
            if (call.dueMs > nowMs) open.push(call);
            else {
              window.sum(nowMs);
              window.correct(call.entry.atMs, call.used - call.entry.amount);
              call.entry.amount = call.used;
            }
          }
        };
        for (const { waitMs, amount, used, settleAfterMs } of calls) {
          nowMs += waitMs;
          const entry = { atMs: nowMs, amount };
          window.add(nowMs, amount);
          log.push(entry);
          open.push({ entry, used, dueMs: nowMs + settleAfterMs });
          settleDue();
          const sum = window.sum(nowMs);
          assert.ok(sum >= between(log, nowMs - WINDOW_MS, nowMs), 'less than there is');
          assert.ok(sum <= between(log, nowMs - WINDOW_MS - STEP_MS, nowMs), 'more than there is');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('says how long to wait: then it fits, and a moment before it does not', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 12 }), (moves, amount) => {
        const window = new SlidingWindow(WINDOW_MS);
        let nowMs = 0;
        for (const move of moves) {
          nowMs += move.waitMs;
          window.add(nowMs, move.amount);
        }
        const waitMs = window.waitMs(nowMs, amount, 15) ?? assert.fail('12 always fit under 15 one day');
        if (waitMs > 0) assert.ok(window.sum(nowMs + waitMs - STEP_MS / 2) + amount > 15);
        assert.ok(window.sum(nowMs + waitMs + 0.001) + amount <= 15);
        assert.equal(window.waitMs(nowMs, 16, 15), null);
      }),
      { numRuns: 300 },
    );
  });

  it('takes an earlier time for the newest one, and holds many entries', () => {
    const window = new SlidingWindow(WINDOW_MS);
    window.add(50_000, 1);
    window.add(10_000, 1);
    assert.equal(window.sum(WINDOW_MS + 20_000), 2);
    for (let index = 0; index < 5_000; index++) window.add(60_000 + index * 10, 1);
    assert.equal(window.sum(109_990), 5_002);
    assert.equal(window.emptyInMs(109_990) > WINDOW_MS - 1, true);
    assert.equal(window.sum(109_990 + WINDOW_MS + STEP_MS), 0);
  });

  it('is continued from its entries by a window that never holds less', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 70_000 }), (moves, maxEntries, laterMs) => {
        const before = new SlidingWindow(WINDOW_MS);
        let nowMs = 0;
        for (const { waitMs, amount } of moves) {
          nowMs += waitMs;
          before.add(nowMs, amount);
        }
        const entries = before.entries(nowMs, maxEntries);
        assert.ok(entries.length <= maxEntries);
        const after = new SlidingWindow(WINDOW_MS);
        const startMs = 5_000_000;
        for (const [ageMs, amount] of entries) after.add(startMs - ageMs, amount);
        assert.equal(after.sum(startMs), before.sum(nowMs));
        assert.ok(after.sum(startMs + laterMs) >= before.sum(nowMs + laterMs + 2 * STEP_MS));
      }),
      { numRuns: 300 },
    );
  });
});
