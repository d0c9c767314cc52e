import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from './clock.ts';

describe('FakeClock', () => {
  it('fires timers in order of due time, then of creation, each at its own moment', async () => {
    const clock = new FakeClock(1_000);
    const fired: string[] = [];
    const note = (name: string) => () => fired.push(`${name}@${clock.nowMs()}`);
    clock.setTimer(20, note('late'));
    clock.setTimer(10, note('first'));
    clock.setTimer(10, note('second'));
    const cancelled = clock.setTimer(5, note('never'));
    cancelled.cancel();
    cancelled.cancel();
    await clock.advance(9);
    assert.deepEqual(fired, []);
    await clock.advance(100);
    assert.deepEqual(fired, ['first@1010', 'second@1010', 'late@1020']);
    assert.equal(clock.nowMs(), 1_109);
    assert.equal(clock.monotonicMs(), 109);
  });

  it('runs timers that timers and promises create on the way', async () => {
    const clock = new FakeClock(0);
    const steps: number[] = [];
    const loop = (async () => {
      for (let step = 0; step < 3; step++) {
        await clock.sleep(10);
        steps.push(clock.nowMs());
      }
    })();
    await clock.advance(35);
    await loop;
    assert.deepEqual(steps, [10, 20, 30]);
  });
});
