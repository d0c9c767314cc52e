import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wilsonInterval } from '../../stats/intervals.ts';
import { checkPairs, LEXICAL } from './check-pairs.ts';
import type { CachePair } from './model.ts';

const THINGS = ['password', 'address', 'invoice', 'parcel', 'refund', 'card', 'account', 'order', 'coupon', 'plan'];

/** Pairs that share an answer: a few idle words, a plural. */
function samePairs(): CachePair[] {
  return THINGS.map((thing) => ({
    a: `How do I change my ${thing} on the website?`,
    b: `How can I change my ${thing} on website`,
    same: true,
  }));
}

/** Pairs that look almost alike and do not. */
function differentPairs(count: number): CachePair[] {
  return Array.from({ length: count }, (_, place) => {
    const thing = THINGS[place % THINGS.length] ?? '';
    const variants: [string, string][] = [
      [
        `Can I return the ${thing} within ${place + 1} days of the delivery to my address`,
        `Can I return the ${thing} within ${place + 2} days of the delivery to my address`,
      ],
      [`Which ${thing} may be shared with the whole family`, `Which ${thing} may not be shared with the whole family`],
      [`Send the ${thing} of the last month to Ann from accounting`, `Send the ${thing} of the last month to Bob from accounting`],
    ];
    const [a, b] = variants[place % 3] ?? ['', ''];
    return { a, b, same: false };
  });
}

describe('checking labelled pairs', () => {
  it('finds a safe threshold, and shows what similarity alone would have done', () => {
    const report = checkPairs([...samePairs(), ...differentPairs(200)], LEXICAL, 0.02);
    assert.equal(report.verdict, 'safe');
    assert.deepEqual([report.same, report.different], [10, 200]);
    const at = (threshold: number) => report.rows.find((row) => row.threshold === threshold);
    const row = at(report.recommendedThreshold ?? 0);
    assert.equal(row?.withGuards.falseHits, 0);
    assert.deepEqual(row?.withGuards.differentServedInterval, wilsonInterval(0, 200));
    assert.ok((row?.withGuards.served ?? 0) > 0);
    const alone = at(0.9)?.alone;
    assert.ok((alone?.falseHits ?? 0) > 50, 'numbers, negations and names look alike');
    assert.deepEqual(alone?.falseHitInterval, wilsonInterval(alone?.falseHits ?? 0, alone?.served ?? 0));
    for (const { threshold } of report.rows) assert.ok((at(threshold)?.withGuards.served ?? 0) <= (at(threshold)?.alone.served ?? 0));
  });

  it('asks for more pairs rather than guess, and says how many', () => {
    const report = checkPairs([...samePairs(), ...differentPairs(20)], LEXICAL, 0.02);
    assert.equal(report.verdict, 'too few pairs');
    assert.match(report.reason, /at least 189/);
    assert.equal(report.recommendedThreshold, null);
  });

  it('refuses when pairs labelled different would share an answer', () => {
    const wrong = samePairs().map((pair) => ({ ...pair, b: pair.a, same: false }));
    const report = checkPairs([...samePairs(), ...differentPairs(200), ...wrong], LEXICAL, 0.02);
    assert.equal(report.verdict, 'unsafe');
    const [last] = report.rows.slice(-1);
    assert.equal(last?.withGuards.falseHits, 10);
    assert.deepEqual(last?.withGuards.differentServedInterval, wilsonInterval(10, 210));
  });

  it('says when it is good for nothing', () => {
    const far = THINGS.map((thing) => ({
      a: `Where is my ${thing}`,
      b: `I have been waiting for ages, what happened to ${thing}`,
      same: true,
    }));
    assert.equal(checkPairs([...far, ...differentPairs(200)], LEXICAL, 0.02).verdict, 'useless');
  });
});
