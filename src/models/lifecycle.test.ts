import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dayText, parseDay } from '../kernel/config/day.ts';
import { daysUntil, dueThreshold, isPinnedVersion, lifecycleHeaders, lifecycleWarning, RETIREMENT_DAYS } from './lifecycle.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const DAY_MS = 86_400_000;
const NONE = { isDeprecated: false, deprecatedAtMs: null, retiresAtMs: null, successor: null };

describe('model lifecycle', () => {
  it('tells a version from a name that the provider may move', () => {
    for (const pinned of [
      'gpt-4o-2024-08-06',
      'gpt-4-0613',
      'claude-3-5-sonnet-20241022',
      'claude-3-5-sonnet@20240620',
      'anthropic.claude-3-5-sonnet-20241022-v2:0',
      'gemini-1.5-pro-002',
      'mistral-large-2411',
      'amazon.nova-pro-v1:0',
    ])
      assert.equal(isPinnedVersion(pinned), true, pinned);
    for (const floating of ['gpt-4o', 'gpt-5', 'claude-sonnet-4-0', 'mistral-large-latest', 'gemini-2.5-pro', 'sim-large', 'llama-3.1-8b'])
      assert.equal(isPinnedVersion(floating), false, floating);
  });

  it('warns of an end that is near or past, with the day and the successor', () => {
    const at = (days: number) => ({ ...NONE, retiresAtMs: NOW + days * DAY_MS, successor: 'next' });
    assert.equal(lifecycleWarning(NONE, NOW), null);
    assert.equal(lifecycleWarning(at(91), NOW), null);
    assert.equal(lifecycleWarning(at(12), NOW), 'retires on 2026-06-13, in 12 days; use next');
    assert.equal(lifecycleWarning(at(0.5), NOW), 'retires on 2026-06-02, in 1 day; use next');
    assert.equal(lifecycleWarning(at(-3), NOW), 'retired on 2026-05-29; use next');
    assert.equal(lifecycleWarning({ ...NONE, isDeprecated: true }, NOW), 'deprecated by its provider');
    assert.equal(lifecycleWarning({ ...at(300), isDeprecated: true }, NOW), 'retires on 2027-03-28, in 300 days; use next');
  });

  it('speaks the two headers of the RFCs, and none of what is not known', () => {
    assert.deepEqual(lifecycleHeaders({ ...NONE, isDeprecated: true }), []);
    assert.deepEqual(lifecycleHeaders({ ...NONE, deprecatedAtMs: 1_688_169_599_000, retiresAtMs: Date.UTC(2018, 11, 31, 23, 59, 59) }), [
      'deprecation',
      '@1688169599',
      'sunset',
      'Mon, 31 Dec 2018 23:59:59 GMT',
    ]);
  });

  it('falls due at 30, 14, 7 and 1 days and at the end, each at the tightest', () => {
    for (const [days, due] of [
      [31, null],
      [30, 30],
      [14.01, 30],
      [14, 14],
      [7, 7],
      [1.5, 7],
      [1, 1],
      [0.01, 1],
      [0, 0],
      [-9, 0],
    ] as const)
      assert.equal(dueThreshold(NOW + days * DAY_MS, NOW), due, String(days));
    fc.assert(
      fc.property(fc.integer({ min: -50 * DAY_MS, max: 50 * DAY_MS }), (offsetMs) => {
        const due = dueThreshold(NOW + offsetMs, NOW);
        const days = offsetMs / DAY_MS;
        const expected = days <= 0 ? 0 : (RETIREMENT_DAYS.filter((threshold) => days <= threshold).at(-1) ?? null);
        assert.equal(due, expected);
        assert.ok(daysUntil(NOW + offsetMs, NOW) >= days);
      }),
    );
  });

  it('reads days and moments, and refuses what is neither', () => {
    assert.equal(parseDay('2026-06-01'), Date.UTC(2026, 5, 1));
    assert.equal(parseDay('2026-06-01T10:00:00+02:00'), Date.UTC(2026, 5, 1, 8));
    for (const wrong of ['2026-02-30', '2026-13-01', 'tomorrow', '2026', '06/01/2026', '2026-06-01T10:00:00', ''])
      assert.equal(dayText('').safeParse(wrong).success, false, wrong);
  });
});
