import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SenderMeta } from '../otlp/batch-record.ts';
import { advanceRuns, FRAME_QUIET_MS, type OpenRun, type RunChanges, type RunEvent, UNFINISHED_AFTER_MS } from './open-runs.ts';
import type { RunPart } from './run-part.ts';

const NOW = Date.UTC(2026, 2, 15);
const sender: SenderMeta = {
  organisationId: 'o',
  environment: 'e',
  keyId: 'k',
  team: null,
  feature: 'helper',
  features: { helper: 'full' },
  maxPayloadBytes: 1_000,
};
const ns = (ms: number): string => `${ms}000000`;
const run = (over: Partial<RunPart> = {}): RunPart => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  scope: 's',
  attributes: {},
  ...over,
});
const begin = (over: Partial<RunPart> = {}): RunPart => run({ name: 'chat', startedAtNs: ns(NOW), attributes: { input: 'q' }, ...over });
const end = (over: Partial<RunPart> = {}): RunPart => run({ endedAtNs: ns(NOW + 5), attributes: { output: 'a' }, ...over });
const told = (part: RunPart, receivedAtMs = NOW): RunEvent => ({ kind: 'part', part, sender, receivedAtMs });
const due = (atMs: number): RunEvent => ({ kind: 'due', atMs });

/** What the store does with the changes. */
function apply(known: readonly OpenRun[], { put, forget }: RunChanges): OpenRun[] {
  const runs = new Map(known.map((each) => [each.key, each]));
  for (const each of put) runs.set(each.key, each);
  for (const key of forget) runs.delete(key);
  return [...runs.values()];
}

/** The events in batches, as the ingest reads them, with the changes of each kept before the next. */
function play(batches: readonly (readonly RunEvent[])[]) {
  let known: OpenRun[] = [];
  const finished = [];
  let repeated = 0;
  for (const events of batches) {
    const step = advanceRuns(known, events);
    known = apply(known, step.changes);
    finished.push(...step.finished);
    repeated += step.repeated;
  }
  return { known, finished, repeated };
}

describe('advanceRuns', () => {
  const whole = { name: 'chat', startedAtNs: ns(NOW), endedAtNs: ns(NOW + 5), attributes: { input: 'q', output: 'a' } };

  it('joins two halves, in either order, in one batch or in two, also when they are told again', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          [begin(), end()],
          [end(), begin()],
          [begin(), begin(), end()],
          [begin({ endedAtNs: ns(NOW + 5), attributes: { input: 'q', output: 'a' } })],
        ),
        fc.array(fc.constantFrom(begin(), end()), { maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 8, maxLength: 8 }),
        (halves, again, sizes) => {
          const events = [...halves, ...again].map((part) => told(part));
          const batches: RunEvent[][] = [];
          for (let at = 0, index = 0; at < events.length; at += sizes[index++] ?? 1)
            batches.push(events.slice(at, at + (sizes[index] ?? 1)));
          const { finished, known, repeated } = play(batches);
          assert.equal(finished.length, 1);
          assert.deepEqual({ ...finished[0]?.part }, { ...run(), ...whole });
          assert.equal(finished[0]?.isUnfinished, false);
          assert.equal(repeated, again.length);
          assert.deepEqual(
            known.map(({ state, held }) => [state, held]),
            [['done', null]],
          );
        },
      ),
    );
  });

  it('a batch that is read again before its changes were kept gives the same', () => {
    const first = advanceRuns([], [told(begin())]);
    const known = apply([], first.changes);
    const events = [told(end()), due(NOW + UNFINISHED_AFTER_MS)];
    assert.deepEqual(advanceRuns(known, events), advanceRuns(known, events));
  });

  it('shows a run without an end after its time, once, and its end in place of it when that comes after all', () => {
    const { finished, known } = play([
      [told(begin())],
      [due(NOW + UNFINISHED_AFTER_MS - 1)],
      [due(NOW + UNFINISHED_AFTER_MS)],
      [due(NOW + UNFINISHED_AFTER_MS + 1)],
      [told(end(), NOW + UNFINISHED_AFTER_MS + 2)],
      [told(end(), NOW + UNFINISHED_AFTER_MS + 3)],
    ]);
    assert.deepEqual(
      finished.map(({ isUnfinished, part }) => [isUnfinished, part.endedAtNs]),
      [
        [true, undefined],
        [false, ns(NOW + 5)],
      ],
    );
    assert.deepEqual(finished[1]?.part.attributes, whole.attributes);
    assert.equal(known[0]?.state, 'done');
  });

  it('pieces that come later do not put off the moment at which a run is shown', () => {
    const { finished } = play([
      [told(begin())],
      [told(begin({ attributes: { more: 1 } }), NOW + UNFINISHED_AFTER_MS - 1)],
      [due(NOW + UNFINISHED_AFTER_MS)],
    ]);
    assert.equal(finished.length, 1);
  });

  it('a generation that was told of after the fact lacks its time of end alone: it is no unfinished one', () => {
    const part = begin({ attributes: { 'langfuse.observation.output': 'a' } });
    assert.equal(play([[told(part)], [due(NOW + UNFINISHED_AFTER_MS)]]).finished[0]?.isUnfinished, false);
  });

  it('a frame is done when nothing more is told of it; what comes later makes it anew', () => {
    const frame = (ms: number) => run({ isFrame: true, startedAtNs: ns(ms), endedAtNs: ns(ms) });
    const { finished } = play([
      [told(frame(NOW + 10), NOW), told(frame(NOW), NOW + 1_000)],
      [due(NOW + FRAME_QUIET_MS)],
      [due(NOW + 1_000 + FRAME_QUIET_MS)],
      [told(frame(NOW + 60_000), NOW + 60_000)],
      [due(NOW + 60_000 + FRAME_QUIET_MS)],
    ]);
    assert.deepEqual(
      finished.map(({ part, isUnfinished }) => [part.startedAtNs, part.endedAtNs, isUnfinished]),
      [
        [ns(NOW), ns(NOW + 10), false],
        [ns(NOW), ns(NOW + 60_000), false],
      ],
    );
  });

  it('forgets what is done, so that the memory of runs does not grow', () => {
    const { known } = play([[told(begin()), told(end())], [due(NOW + 25 * 3_600_000)]]);
    assert.deepEqual(known, []);
  });
});
