import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { CallSettled } from '../../traces/call-record.ts';
import { type AdmissionHistory, checkpointEntry, readCheckpoint, type SettledUse, useOf } from './history.ts';
import { limitStates } from './limit-state.ts';
import { Refusal } from './refusal.ts';
import { attemptWith, rules, TEST_START_MS, testAdmission } from './testing.ts';

const LIMITS = [
  { scope: 'global', requestsPerMinute: 1_000, tokensPerDay: 100_000, concurrency: 500, budgetUsd: 9, per: 'month' },
  { scope: 'user', requestsPerHour: 1_000, budgetUsd: 5, per: 'day', timeZone: 'Asia/Kathmandu' },
  { scope: 'session', budgetUsd: 3, maxSteps: 1_000 },
  { scope: 'model', name: 'small', tokensPerMinute: 1_000_000, budgetUsd: 9, per: 'week' },
  { scope: 'key', name: 'web', budgetUsd: 9, per: 'month' },
  { scope: 'team', feature: 'other', requestsPerDay: 5 },
];
const KEY_NAMES = new Map([['key-1', 'web']]);

const moves = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.nat(5_000), fc.nat(4_000_000)),
    user: fc.constantFrom('ada', 'bob', null),
    session: fc.constantFrom('run-1', 'run-2', null),
    tokens: fc.nat(500),
    picoUsd: fc.nat(900_000_000),
    isSent: fc.boolean(),
    checkpoint: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
);

/** Through the journal and back. */
function stored(history: AdmissionHistory): AdmissionHistory {
  const entry = checkpointEntry(history);
  return readCheckpoint({ ...entry, payload: Buffer.from(entry.payload as string) });
}

/** Used amounts of every limit and member; windows by themselves, since those may only be larger. */
function usedOf(admission: ReturnType<typeof testAdmission>['admission']): { totals: Map<string, string>; windows: Map<string, number> } {
  const totals = new Map<string, string>();
  const windows = new Map<string, number>();
  for (const { id, unit, period, top } of limitStates(admission, 1_000)) {
    for (const { member, used } of top) {
      if (unit === 'nano_usd' || unit === 'steps') totals.set(`${id} ${member}`, used);
      else if (period !== null) windows.set(`${id} ${member}`, Number(used));
    }
  }
  return { totals, windows };
}

describe('limits of a process that continues another', () => {
  it('have counted the same, wherever the checkpoint was made and the process died', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (list) => {
        const before = testAdmission(LIMITS);
        let checkpoint = stored(before.admission.history());
        let uses: SettledUse[] = [];
        for (const { waitMs, user, session, tokens, picoUsd, isSent, checkpoint: isMade } of list) {
          await before.clock.advance(waitMs);
          const outcome = before.admission.reserve(before.request({ user, session, tokens: tokens + 5, nanoUsd: 1_000_000 }));
          if (outcome instanceof Refusal) throw outcome.error();
          const startedAtMs = before.clock.nowMs();
          const attempt = {
            ...attemptWith(tokens, BigInt(picoUsd)),
            ...(isSent ? {} : { usage: null, httpStatus: null, costPicoUsd: '0' }),
          };
          const hold = before.admission.addTarget(
            outcome,
            before.request().limits,
            { model: 'small', provider: 'p', tokens: tokens + 5, nanoUsd: 1_000_000 },
            [],
          );
          if (hold instanceof Refusal) throw hold.error();
          hold.settle(attempt);
          outcome.settle([attempt]);
          const call = {
            organisationId: 'default',
            feature: 'chat',
            team: 'support',
            user,
            session,
            customer: null,
            keyId: 'key-1',
            startedAtMs,
          };
          uses.push(useOf({ ...call, attempts: [attempt] } as unknown as CallSettled));
          if (!isMade) continue;
          checkpoint = stored(before.admission.history());
          uses = [];
        }
        const after = testAdmission([], before.clock.nowMs());
        after.admission.continue(stored({ counters: checkpoint.counters, uses: [...checkpoint.uses, ...uses] }));
        after.admission.adopt(rules(LIMITS), () => KEY_NAMES);
        const was = usedOf(before.admission);
        const is = usedOf(after.admission);
        assert.deepEqual([...is.totals].sort(), [...was.totals].sort());
        // A window is continued with a little more age than it has, never with less.
        for (const [name, used] of was.windows)
          assert.ok((is.windows.get(name) ?? 0) >= used, `${name}: ${is.windows.get(name)} of ${used}`);
        assert.deepEqual(after.reached, [], 'what was reported is not reported again');
      }),
      { numRuns: 200 },
    );
  });

  it('forget windows and periods that are over, and begin empty where the limit is new', async () => {
    const before = testAdmission(LIMITS);
    const outcome = before.admission.reserve(before.request({ user: 'ada', tokens: 10, nanoUsd: 1_000 }));
    if (outcome instanceof Refusal) throw outcome.error();
    outcome.settle([attemptWith(10, 5_000n)]);
    const history = stored(before.admission.history());
    const later = testAdmission([], TEST_START_MS + 40 * 86_400_000);
    later.admission.continue(history);
    later.admission.adopt(rules([...LIMITS, { scope: 'feature', budgetUsd: 1 }]), () => KEY_NAMES);
    const { totals, windows } = usedOf(later.admission);
    assert.deepEqual([...windows], []);
    assert.deepEqual([...totals], []);
    assert.ok(!(later.admission.reserve(later.request({ user: 'ada', nanoUsd: 1 })) instanceof Refusal));
  });

  it('is handed on unread while there is no configuration', () => {
    const { admission } = testAdmission([]);
    const history: AdmissionHistory = {
      counters: { 'global/steps': [['', { kind: 'total', accounts: [[null, '3']], lastUsedAtMs: 1 }]] },
      uses: [],
    };
    admission.continue(history);
    assert.equal(admission.history(), history);
  });
});
