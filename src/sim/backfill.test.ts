import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { PlimsollError } from '../kernel/errors.ts';
import { DEFAULT_SCOPE } from '../kernel/scope.ts';
import { inputTokens, type Usage } from '../models/usage.ts';
import { type BackfillOptions, backfillRecords } from './backfill.ts';
import type { BackfillModel, BackfillRecord, PriceUsage } from './backfill-call.ts';
import { anomalyWindow, expectedTotal, incidentWindow, isWithin, sliceLengthMs, WEEKEND_RATIO } from './backfill-shape.ts';
import { BUILT_IN_PROFILES } from './config.ts';
import { CORPUS_FEATURES } from './corpus/features.ts';

const DAY_MS = 86_400_000;
/** A Wednesday, 15:20 UTC; the incident of nine days ago falls on a Monday, the anomaly of three days ago on a Sunday. */
const END_MS = Date.UTC(2026, 2, 11, 15, 20);

function model(name: string, provider: string): BackfillModel {
  const profile = BUILT_IN_PROFILES[name];
  return { name, provider, providerKind: 'sim', upstreamModel: name, ...(profile === undefined ? {} : { profile }) };
}

/** Different prices by class and model, so that a wrong class shows. */
const priceUsage: PriceUsage = (usage: Usage, { name }) =>
  name === 'unpriced'
    ? { costPicoUsd: null, costStatus: 'unpriced', priceId: null }
    : {
        costPicoUsd:
          BigInt(usage.inputUncachedTokens) * 2_500_000n +
          BigInt(usage.cacheReadTokens) * 1_250_000n +
          BigInt(usage.outputTextTokens + usage.reasoningTokens) * 10_000_001n,
        costStatus: 'priced',
        priceId: `price-${name}`,
      };

const OPTIONS: BackfillOptions = {
  days: 28,
  endMs: END_MS,
  seed: 5,
  callsPerDay: 500,
  scope: DEFAULT_SCOPE,
  features: CORPUS_FEATURES.map(({ name, team }, position) => ({
    name,
    team,
    route: position === 0 ? 'default' : null,
    models: ['sim-large', 'sim-claude'],
    payloads: position === 3 ? 'preview' : 'full',
  })),
  models: [model('sim-large', 'sim-a'), model('sim-claude', 'sim-b')],
  priceUsage,
};

async function collect(options: BackfillOptions): Promise<BackfillRecord[]> {
  const records: BackfillRecord[] = [];
  for await (const record of backfillRecords(options)) records.push(record);
  return records;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('backfill', () => {
  let records: BackfillRecord[];
  before(async () => {
    records = await collect(OPTIONS);
  });
  const calls = (): BackfillRecord['settled'][] => records.map((record) => record.settled);

  it('makes about the asked number of calls, in order, inside the window, marked simulated', () => {
    // 500 a day at the end, less before: 1.012 per day.
    assert.ok(records.length > 9_500 && records.length < 14_000, `${records.length}`);
    let previousMs = 0;
    for (const call of calls()) {
      assert.ok(call.startedAtMs >= previousMs && call.startedAtMs < END_MS && call.startedAtMs >= END_MS - 28 * DAY_MS);
      previousMs = call.startedAtMs;
      assert.equal(call.isSimulated, true);
      assert.equal(Number.parseInt(call.callId.replaceAll('-', '').slice(0, 12), 16), call.startedAtMs);
      assert.match(call.callId, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.match(call.traceId, /^[0-9a-f]{32}$/);
    }
    assert.equal(new Set(calls().map((call) => call.callId)).size, records.length);
    assert.equal(new Set(calls().map((call) => call.traceId)).size, records.length);
  });

  it('has the shape of office days in Berlin', () => {
    const byDay = new Map<string, number>();
    let [peak, night] = [0, 0];
    for (const call of calls()) {
      const local = Temporal.Instant.fromEpochMilliseconds(call.startedAtMs).toZonedDateTimeISO('Europe/Berlin');
      byDay.set(local.toPlainDate().toString(), (byDay.get(local.toPlainDate().toString()) ?? 0) + 1);
      if (local.hour >= 10 && local.hour < 16) peak++;
      if (local.hour < 6) night++;
    }
    // Whole weeks only: the first and last days are cut.
    const days = [...byDay].slice(1, -1).map(([day, count]) => ({ weekday: Temporal.PlainDate.from(day).dayOfWeek, count }));
    const ratio =
      mean(days.filter((day) => day.weekday >= 6).map((day) => day.count)) /
      mean(days.filter((day) => day.weekday < 6).map((day) => day.count));
    assert.ok(Math.abs(ratio - WEEKEND_RATIO) < 0.06, `${ratio}`);
    assert.ok(peak / records.length > 0.42, `${peak / records.length}`);
    assert.ok(night / records.length < 0.05);
    const half = END_MS - 14 * DAY_MS;
    const later = calls().filter((call) => call.startedAtMs >= half).length;
    assert.ok(later > (records.length - later) * 1.08, 'the traffic grows');
  });

  it('is the same for the same seed, grows with a later end on the same day, differs for another seed', async () => {
    assert.deepEqual(
      await collect({ ...OPTIONS, days: 3 }),
      records.filter((record) => record.settled.startedAtMs >= END_MS - 3 * DAY_MS),
    );
    const later = new Map(
      (await collect({ ...OPTIONS, days: 2, endMs: END_MS + 3_600_000 })).map((record) => [record.settled.callId, record]),
    );
    const shared = records.filter((record) => record.settled.startedAtMs >= END_MS + 3_600_000 - 2 * DAY_MS);
    assert.ok(shared.length > 100 && later.size > shared.length);
    for (const record of shared) assert.deepEqual(later.get(record.settled.callId), record);
    const other = await collect({ ...OPTIONS, days: 2, seed: 6 });
    assert.ok(other.every((record) => !later.has(record.settled.callId)));
  });

  it('costs exactly what the price function says, summed over the attempts', async () => {
    const models = new Map(OPTIONS.models.map((entry) => [entry.name, entry]));
    let priced = 0;
    for (const call of calls()) {
      let sum = 0n;
      for (const attempt of call.attempts) {
        const entry = models.get(attempt.model);
        assert.ok(entry);
        if (attempt.usage !== null) assert.equal(attempt.costPicoUsd, priceUsage(attempt.usage, entry).costPicoUsd?.toString());
        sum += BigInt(attempt.costPicoUsd ?? '0');
      }
      if (call.costPicoUsd === null) assert.ok(call.attempts.every((attempt) => attempt.costPicoUsd === null));
      else {
        assert.equal(call.costPicoUsd, sum.toString());
        priced++;
      }
    }
    assert.ok(priced / records.length > 0.99);
    const unpriced = await collect({
      ...OPTIONS,
      days: 1,
      features: [{ name: 'x', team: null, route: null, models: ['unpriced'], payloads: 'none' }],
      models: [model('unpriced', 'p')],
    });
    assert.ok(unpriced.length > 50);
    for (const { settled, payload } of unpriced) {
      assert.equal(payload, null);
      if (settled.attempts.some((attempt) => attempt.usage !== null))
        assert.deepEqual([settled.costPicoUsd, settled.costStatus], [null, 'unpriced']);
    }
  });

  it('plants an outage with fallbacks nine days ago, and otherwise few errors', () => {
    const incident = incidentWindow(Math.floor(END_MS / DAY_MS) * DAY_MS);
    assert.equal(incident.toMs - incident.fromMs, 40 * 60_000);
    const inside = calls().filter((call) => isWithin(incident, call.startedAtMs));
    const outside = calls().filter((call) => !isWithin(incident, call.startedAtMs));
    assert.ok(inside.length >= 15, `${inside.length}`);
    const withFallback = (list: typeof inside): number => list.filter((call) => call.attempts.length > 1).length / list.length;
    assert.ok(withFallback(inside) > 0.8);
    assert.ok(withFallback(outside) < 0.02);
    assert.ok(
      inside.filter((call) => call.attempts.length > 1 && call.status === 'ok').every((call) => call.attempts.at(-1)?.provider === 'sim-b'),
    );
    const durations = (list: typeof inside): number => mean(list.map((call) => call.durationMs));
    assert.ok(durations(inside) > 1.5 * durations(outside));
    const share = (status: string): number => outside.filter((call) => call.status === status).length / outside.length;
    assert.ok(share('error') > 0 && share('error') < 0.01);
    assert.ok(share('aborted') > 0.002 && share('aborted') < 0.015);
  });

  it('plants long prompts of one feature three days ago', () => {
    const anomaly = anomalyWindow(Math.floor(END_MS / DAY_MS) * DAY_MS);
    const tokens = (isInside: boolean, feature: string): number =>
      mean(
        calls().flatMap((call) =>
          call.feature === feature && isWithin(anomaly, call.startedAtMs) === isInside
            ? call.attempts.flatMap((attempt) => (attempt.usage === null ? [] : [inputTokens(attempt.usage)]))
            : [],
        ),
      );
    assert.ok(tokens(true, 'contract-summary') > 3 * tokens(false, 'contract-summary'));
    assert.ok(tokens(true, 'customer-support') < 1.5 * tokens(false, 'customer-support'));
  });

  it('has texts that fit the numbers and times that fit each other', () => {
    for (const { settled, payload } of records) {
      assert.ok(payload);
      assert.equal(payload.callId, settled.callId);
      if (payload.policy === 'full') {
        assert.ok(Array.isArray(JSON.parse(payload.input).messages));
        if (payload.output !== null) assert.equal(JSON.parse(payload.output)[0].role, 'assistant');
      } else assert.ok(payload.input.length <= 200);
      const last = settled.attempts.at(-1);
      assert.ok(last && last.startOffsetMs + last.durationMs <= settled.durationMs + 1);
      if (settled.ttftMs !== null) assert.ok(settled.ttftMs <= settled.durationMs && settled.isStream);
      assert.deepEqual(
        settled.stages.map((stage) => stage.name),
        ['authenticate', 'admit', 'route', 'infer', 'settle'],
      );
      if (settled.status === 'ok') assert.equal(settled.errorType, null);
    }
  });

  it('takes down only the primary model when everything runs at one provider, and refuses unknown models', async () => {
    const single = await collect({ ...OPTIONS, days: 10, models: [model('sim-large', 'sim'), model('sim-claude', 'sim')] });
    const incident = incidentWindow(Math.floor(END_MS / DAY_MS) * DAY_MS);
    const recovered = single.filter(
      ({ settled }) => isWithin(incident, settled.startedAtMs) && settled.attempts.length > 1 && settled.status === 'ok',
    );
    assert.ok(recovered.length >= 10);
    assert.ok(recovered.every(({ settled }) => settled.attempts.at(-1)?.model === 'sim-claude'));
    await assert.rejects(
      collect({ ...OPTIONS, models: [] }),
      (thrown) => thrown instanceof PlimsollError && thrown.code === 'invalid_argument',
    );
  });

  it('makes much traffic in short slices, as many calls as were announced', async () => {
    assert.deepEqual(
      [500, 50_000, 50_001, 400_000, 1_000_000].map((calls) => sliceLengthMs(calls) / 60_000),
      [60, 60, 30, 6, 3],
    );
    const endMs = Date.UTC(2026, 2, 11, 9, 0);
    const options = { ...OPTIONS, endMs, days: 1, callsPerDay: 400_000 };
    const startedMs = endMs - DAY_MS;
    let count = 0;
    let previousMs = 0;
    // The night is enough to see it; the whole day would be half a million.
    for await (const { settled } of backfillRecords({ ...options, users: 100_000 })) {
      assert.ok(settled.startedAtMs >= previousMs && settled.startedAtMs >= startedMs);
      previousMs = settled.startedAtMs;
      if (++count === 20_000) break;
    }
    assert.equal(count, 20_000);
    const { length } = await collect({ ...OPTIONS, days: 7, callsPerDay: 300 });
    const announced = expectedTotal(OPTIONS.endMs, 7, 300);
    assert.ok(Math.abs(length / announced - 1) < 0.12, `${length} of ${announced}`);
  });
});
