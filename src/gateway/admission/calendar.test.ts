import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CALENDAR_PERIODS, isTimeZone, periodAt } from './calendar.ts';

const at = (text: string): number => Temporal.Instant.from(text).epochMilliseconds;

describe('calendar periods', () => {
  it('begin at midnight of the time zone, and days are as long as the clock makes them', () => {
    const summer = periodAt(at('2026-03-29T12:00:00Z'), 'day', 'Europe/Berlin');
    assert.equal(summer.startMs, at('2026-03-28T23:00:00Z'));
    assert.equal(summer.endMs - summer.startMs, 23 * 3_600_000);
    const winter = periodAt(at('2026-10-25T12:00:00Z'), 'day', 'Europe/Berlin');
    assert.equal(winter.endMs - winter.startMs, 25 * 3_600_000);
    assert.deepEqual(periodAt(at('2026-02-14T00:00:00Z'), 'month', 'UTC'), {
      startMs: at('2026-02-01T00:00:00Z'),
      endMs: at('2026-03-01T00:00:00Z'),
    });
    // A Sunday belongs to the week that began on Monday.
    assert.equal(periodAt(at('2026-10-04T23:59:59.999Z'), 'week', 'UTC').startMs, at('2026-09-28T00:00:00Z'));
  });

  it('hold the moment, and the next one begins where one ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: at('2100-01-01T00:00:00Z') }),
        fc.constantFrom(...CALENDAR_PERIODS),
        fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe'),
        (epochMs, period, timeZone) => {
          const { startMs, endMs } = periodAt(epochMs, period, timeZone);
          assert.ok(startMs <= epochMs && epochMs < endMs);
          assert.equal(periodAt(endMs, period, timeZone).startMs, endMs);
          assert.equal(periodAt(startMs, period, timeZone).endMs, endMs);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('knows time zones', () => {
    assert.ok(isTimeZone('Europe/Berlin'));
    assert.ok(isTimeZone('UTC'));
    assert.ok(!isTimeZone('Europe/Atlantis'));
    assert.ok(!isTimeZone(''));
  });
});
