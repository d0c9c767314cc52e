import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fullJitterMs, retryAfterMs } from './backoff.ts';

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');

describe('full jitter', () => {
  it('lies between 0 and the exponential bound, and reaches both', () => {
    const policy = { baseDelayMs: 100, maxDelayMs: 1_000 };
    assert.equal(fullJitterMs(1, policy, 0), 0);
    assert.equal(fullJitterMs(1, policy, 0.999_999), 100);
    assert.equal(fullJitterMs(3, policy, 0.999_999), 400);
    assert.equal(fullJitterMs(9, policy, 0.999_999), 1_000);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 60_000 }),
        fc.integer({ min: 1, max: 60_000 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (retry, baseDelayMs, maxDelayMs, random) => {
          const delay = fullJitterMs(retry, { baseDelayMs, maxDelayMs }, random);
          assert.ok(Number.isInteger(delay) && delay >= 0 && delay <= maxDelayMs);
        },
      ),
    );
  });
});

describe('retry-after', () => {
  const cases: [headers: Record<string, string>, expected: number | null][] = [
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '0.25' }, 250],
    [{ 'retry-after': ' 3 ' }, 3_000],
    [{ 'retry-after': 'Sun, 01 Mar 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after-ms': '120', 'retry-after': '9' }, 120],
    [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9_000],
    [{ 'retry-after': '-1' }, null],
    [{ 'retry-after': '2026' }, 2_026_000],
    [{ 'retry-after': '1e9' }, null],
    [{ 'retry-after': 'tomorrow' }, null],
    [{ 'retry-after': '' }, null],
    [{}, null],
  ];
  for (const [headers, expected] of cases)
    it(`${JSON.stringify(headers)} is ${expected} ms`, () => assert.equal(retryAfterMs(headers, NOW_MS), expected));

  it('is never negative or not a number, whatever stands there', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (seconds, ms) => {
        const value = retryAfterMs({ 'retry-after': seconds, 'retry-after-ms': ms }, NOW_MS);
        assert.ok(value === null || (Number.isFinite(value) && value >= 0));
      }),
    );
  });
});
