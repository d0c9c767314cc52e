import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCostsSearch } from './costs-search.ts';
import { type Line, waterfallOf } from './waterfall.ts';

const NONE = { volume: '0', answerCache: '0', mix: '0', retries: '0', tokensPerCall: '0', promptCache: '0', price: '0' };

function line(before: bigint, effects: Partial<Line['effects']>): Line {
  const all = { ...NONE, ...effects };
  const difference = Object.values(all).reduce((sum, pico) => sum + BigInt(pico), 0n);
  return { beforePicoUsd: `${before}`, afterPicoUsd: `${before + difference}`, differencePicoUsd: `${difference}`, effects: all };
}

describe('waterfall', () => {
  it('leads from before to after, each step where the one before ended', () => {
    const { steps, cutAt } = waterfallOf(line(10n ** 12n, { volume: `${10n ** 12n}`, price: `${-3n * 10n ** 11n}` }));
    assert.equal(cutAt, null);
    assert.deepEqual([steps[0]?.name, steps.at(-1)?.name], ['Before', 'After']);
    for (let i = 1; i < steps.length - 1; i++) assert.equal(steps[i]?.from, steps[i - 1]?.to);
    assert.equal(steps.at(-2)?.to, steps.at(-1)?.to);
    assert.deepEqual([steps[1]?.from, steps[1]?.to], [0.5, 1]);
  });

  it('cuts the axis for a change that could not be seen from $0, and says where', () => {
    const { steps, cutAt } = waterfallOf(line(1000n * 10n ** 12n, { mix: `${10n ** 12n}` }));
    assert.ok(cutAt !== null && BigInt(cutAt) < 1000n * 10n ** 12n);
    const mix = steps.find(({ name }) => name === 'Mix');
    assert.ok(mix && mix.to - mix.from > 0.5);
  });

  it('stands when nothing was spent, before, after or ever', () => {
    for (const each of [line(0n, {}), line(0n, { volume: '5' }), line(7n, { volume: '-7' })])
      for (const { from, to } of waterfallOf(each).steps) assert.ok(from >= 0 && from <= 1 && to >= 0 && to <= 1);
  });
});

describe('search of the Costs page', () => {
  it('keeps what makes sense and drops the rest', () => {
    assert.deepEqual(parseCostsSearch({}), {});
    assert.deepEqual(parseCostsSearch({ tab: 'changes', by: 'feature', against: 'week' }), {}, 'defaults are not in the address');
    assert.deepEqual(parseCostsSearch({ tab: 'budgets', by: 'team', range: '7d' }), { tab: 'budgets', by: 'team', range: '7d' });
    assert.deepEqual(parseCostsSearch({ by: 'tag' }), {}, 'a tag needs its name');
    assert.deepEqual(parseCostsSearch({ by: 'tag', tag: 'plan' }), { by: 'tag', tag: 'plan' });
    assert.deepEqual(parseCostsSearch({ against: 'custom', beforeFrom: 9, beforeTo: 3 }), {});
    assert.deepEqual(parseCostsSearch({ against: 'custom', beforeFrom: '3', beforeTo: 9 }), {
      against: 'custom',
      beforeFrom: 3,
      beforeTo: 9,
    });
    assert.deepEqual(parseCostsSearch({ tab: '__proto__', state: 'x' }), {});
  });
});
