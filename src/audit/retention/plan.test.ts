import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { inDays, type KeptDays, retentionConfig } from './config.ts';
import { deletedAtMs, planRetention } from './plan.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 21, 22, 15);

describe('configuration of retention', () => {
  it('has a default for every class, and refuses what would make numbers untrue', () => {
    const config = retentionConfig.parse(undefined);
    assert.deepEqual(config, { messages: 90, spans: 400, scores: 400, rollups: 2_555, ledger: 2_555, features: {} });
    const messageOf = (input: unknown): string | undefined => retentionConfig.safeParse(input).error?.issues[0]?.message;
    assert.match(messageOf({ messages: 500 }) ?? '', /spans \(400\) must be kept at least as long as messages \(500\)/);
    assert.match(messageOf({ spans: 'never' }) ?? '', /rollups \(2555\) must be kept at least as long as spans \(never\)/);
    assert.match(messageOf({ ledger: 30 }) ?? '', /ledger \(30\)/);
    for (const wrong of [
      { messages: 0 },
      { messages: 1.5 },
      { messages: null },
      { messages: 'forever' },
      { features: { 'No Name': { messages: 1 } } },
      { other: 1 },
    ])
      assert.equal(retentionConfig.safeParse(wrong).success, false, JSON.stringify(wrong));
    assert.ok(retentionConfig.safeParse({ messages: 'never', spans: 'never', rollups: 'never', ledger: 'never' }).success);
  });
});

describe('the plan of a run', () => {
  it('cuts at midnight UTC, and never where nothing is to go', () => {
    const [messages, spans, , , ledger] = planRetention(retentionConfig.parse({ messages: 30, ledger: 'never' }), NOW);
    assert.equal(messages?.rules[0].beforeMs, Date.UTC(2026, 9, 22));
    assert.deepEqual(
      spans?.rules.map(({ by }) => by),
      ['retention.spans'],
    );
    assert.equal(ledger?.rules[0].beforeMs, null);
  });

  it('keeps the spans of a feature whose messages are held, and texts of unknown features by the longest rule', () => {
    const config = retentionConfig.parse({ messages: 30, spans: 60, features: { legal: { messages: 'never' }, chat: { messages: 7 } } });
    const [messages, spans, scores] = planRetention(config, NOW);
    const rulesOf = (plan: typeof messages) => plan?.rules.map(({ feature, days }) => [feature, days]);
    assert.deepEqual(rulesOf(messages), [
      [null, 30],
      ['legal', null],
      ['chat', 7],
      ['', null],
    ]);
    assert.deepEqual(rulesOf(spans), [
      [null, 60],
      ['legal', null],
      ['', null],
    ]);
    assert.deepEqual(rulesOf(scores), [[null, 400]]);
  });

  it('lets nothing go before its days are over, nor later than a day after them, and no class before its own time', () => {
    const kept = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.constant('never' as const));
    const config = fc
      .record({ messages: kept, spans: kept, scores: kept, rollups: kept, ledger: kept, hold: kept })
      .map(({ hold, ...classes }) => retentionConfig.safeParse({ ...classes, features: { held: { messages: hold } } }))
      .filter(({ success }) => success);
    fc.assert(
      fc.property(config, fc.integer({ min: 0, max: 4_102_444_800_000 }), ({ data }, nowMs) => {
        assert.ok(data);
        for (const { dataClass, rules } of planRetention(data, nowMs))
          for (const { feature, days, beforeMs } of rules) {
            const least: KeptDays =
              feature === null ? data[dataClass] : feature === 'held' ? (data.features.held?.messages ?? 'never') : data[dataClass];
            assert.ok(inDays(days ?? 'never') >= inDays(least));
            if (days === null || beforeMs === null) {
              assert.deepEqual([days, beforeMs], [null, null]);
              continue;
            }
            assert.ok(nowMs - beforeMs >= days * DAY && nowMs - beforeMs < (days + 1) * DAY);
            assert.ok((deletedAtMs(beforeMs - 1, days) ?? 0) <= nowMs);
            assert.ok((deletedAtMs(beforeMs, days) ?? 0) > nowMs);
          }
      }),
    );
  });
});
