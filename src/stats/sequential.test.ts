import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../sim/seeded-random.ts';
import { betAgainst, NOT_BET, sprt, wealth } from './sequential.ts';

describe('sprt', () => {
  /** @returns mean number of pairs, and share of runs that end with `regressed` */
  function play(shareWorse: number, runs: number): { pairs: number; regressed: number } {
    const random = seededRandom('sprt', shareWorse);
    let pairs = 0;
    let regressed = 0;
    for (let run = 0; run < runs; run++) {
      let worse = 0;
      let better = 0;
      let answer = sprt(0, 0);
      while (answer === 'go on') {
        if (random.next() < shareWorse) worse++;
        else better++;
        answer = sprt(worse, better);
      }
      pairs += worse + better;
      if (answer === 'regressed') regressed++;
    }
    return { pairs: pairs / runs, regressed: regressed / runs };
  }

  it('keeps its error rates with half of the 35 pairs that a fixed design takes', () => {
    const unchanged = play(0.5, 10_000);
    const regressed = play(0.75, 10_000);
    assert.ok(unchanged.regressed <= 0.05 && 1 - regressed.regressed <= 0.1, JSON.stringify({ unchanged, regressed }));
    assert.ok(unchanged.pairs < 17 && regressed.pairs < 21, JSON.stringify({ unchanged, regressed }));
  });

  it('refuses designs that are none', () => {
    for (const wrong of [{ regressedShare: 0.5 }, { alpha: 0 }, { alpha: 0.6, beta: 0.5 }])
      assert.throws(() => sprt(0, 0, { regressedShare: 0.75, alpha: 0.05, beta: 0.1, maximum: 60, ...wrong }), {
        code: 'invalid_argument',
      });
  });
});

describe('betAgainst', () => {
  /** @returns whether the wealth ever reached 20, looked at after every observation */
  function everStops(differ: () => number): boolean {
    let state = NOT_BET;
    for (let step = 0; step < 1_500; step++) {
      state = betAgainst(state, differ());
      if (wealth(state) >= 20) return true;
    }
    return false;
  }

  it('stops an unchanged version less often than 5 %, a doubled error rate nearly always', () => {
    const random = seededRandom('bets');
    const stopped = (before: number, after: number): number => {
      let count = 0;
      for (let run = 0; run < 300; run++) if (everStops(() => Number(random.chance(after)) - Number(random.chance(before)))) count++;
      return count / 300;
    };
    assert.ok(stopped(0.03, 0.03) <= 0.05);
    assert.ok(stopped(0.03, 0.1) >= 0.95);
  });

  it('never is below 0, keeps its best, and refuses what would void the guarantee', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true })),
        fc.double({ min: -0.99, max: 0.99, noNaN: true }),
        (values, bound) => {
          let state = NOT_BET;
          for (const value of values) {
            state = betAgainst(state, value, bound);
            assert.ok(wealth(state) >= 0 && Number.isFinite(wealth(state)) && state.best >= wealth(state) && state.best >= 1);
          }
        },
      ),
    );
    assert.throws(() => betAgainst(NOT_BET, 1.1), { code: 'invalid_argument' });
    assert.throws(() => betAgainst(NOT_BET, 0, 1), { code: 'invalid_argument' });
  });
});
