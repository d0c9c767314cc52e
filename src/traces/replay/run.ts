import type { Clock } from '../../kernel/clock.ts';
import { toPlimsollError } from '../../kernel/errors.ts';
import { newSpanId, newTraceId } from '../../kernel/ids.ts';
import { formatUsd, picoUsdFromDecimal } from '../../kernel/money.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { Usage } from '../../models/usage.ts';
import type { Span, TraceDetail, TraceQuery } from '../model.ts';
import type { TraceStore } from '../store.ts';
import { Ceiling } from './ceiling.ts';
import { compareAnswers } from './compare.ts';
import type { ReplayItem, ReplayRun } from './model.ts';
import { type RecordedCall, readRecordedCall, requestOf, toReplayedCall } from './recorded-call.ts';
import type { ReplayStore } from './store.ts';
import { spentOn } from './summary.ts';

/** A record is in the store a second or two after its call. */
const RECORD_WITHIN_MS = 60_000;
/** After a crash the gateway says soon how a call that was cut off ended. */
const LOST_WITHIN_MS = 15_000;
/** A refusal of which no record was kept is believed sooner. */
const REFUSAL_WITHIN_MS = 3_000;
const POLL_MS = 150;
const PAGE = 100;

/** One call as it is sent to a gateway. */
export interface ReplaySend {
  readonly path: string;
  readonly body: string;
  readonly feature: string;
  /** `traceparent` of the call, by which its record is found. */
  readonly traceId: string;
  readonly spanId: string;
  readonly replayId: string;
  readonly recordedTraceId: string;
}

export interface ReplayPorts {
  readonly store: ReplayStore;
  readonly traces: Pick<TraceStore, 'listTraces' | 'getTrace'>;
  /** Resolves when the answer was read to its end or broke off. @throws PlimsollError when no gateway can be reached */
  readonly send: (call: ReplaySend, signal: AbortSignal) => Promise<{ readonly status: number; readonly message: string | null }>;
  /** Cost of tokens at a route or alias, pico-dollars, the dearest target's; null = some target has no price. */
  readonly priceAt: (model: string, usage: Usage) => bigint | null;
  readonly replaceModel: (body: string, model: string) => string;
  readonly clock: Clock;
}

function isRecorded(found: RecordedCall | { readonly reason: string }): found is RecordedCall {
  return 'call' in found;
}

/** Entry spans of clients' calls. */
function callsOf(detail: TraceDetail): Span[] {
  return detail.spans.filter(({ isEntry, kind }) => isEntry && kind === 'gateway');
}

/** Trace ids that the source names, newest first, one at a time: a filter may match many more than are wanted. */
async function* traceIdsOf(scope: Scope, { request: { source } }: ReplayRun, { traces, clock }: ReplayPorts): AsyncGenerator<string> {
  if ('traceId' in source) {
    yield source.traceId;
    return;
  }
  let cursor: string | null = null;
  do {
    const query: TraceQuery = { ...source.filter, limit: PAGE, ...(cursor === null ? {} : { cursor }) };
    const page = await traces.listTraces(scope, query, clock.nowMs());
    for (const { traceId } of page.traces) yield traceId;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

/** Chooses the calls and estimates what they may cost. Done again from the start when it was cut off. */
async function select(scope: Scope, run: ReplayRun, ports: ReplayPorts, signal: AbortSignal): Promise<ReplayRun> {
  const { source, model, maxCostUsd } = run.request;
  const limit = 'traceId' in source ? PAGE : source.limit;
  const skipped = new Map<string, number>();
  const items: ReplayItem[] = [];
  let upper = 0n;
  let expected: bigint | null = 0n;
  let unpriced: string | null = null;
  for await (const traceId of traceIdsOf(scope, run, ports)) {
    signal.throwIfAborted();
    if (items.length >= limit) break;
    const detail = await ports.traces.getTrace(scope, traceId);
    for (const span of detail === null ? [] : callsOf(detail)) {
      if (items.length >= limit) break;
      const found = readRecordedCall(span, detail as TraceDetail); // it has this span
      if (!isRecorded(found)) {
        skipped.set(found.reason, (skipped.get(found.reason) ?? 0) + 1);
        continue;
      }
      const asked = model ?? found.requestedModel;
      const estimate = ports.priceAt(asked, found.upperUsage);
      if (estimate === null) unpriced ??= asked;
      const likely = found.usage === null ? null : ports.priceAt(asked, found.usage);
      upper += estimate ?? 0n;
      expected = expected === null || likely === null ? null : expected + likely;
      items.push({
        number: items.length + 1,
        feature: found.feature,
        endpoint: found.endpoint,
        recorded: found.call,
        estimatePicoUsd: (estimate ?? 0n).toString(),
        state: 'waiting',
        replayTraceId: null,
        replayed: null,
        comparison: null,
        lostPicoUsd: '0',
        message: null,
      });
    }
  }
  await ports.store.putItems(scope, run.id, items);
  const chosen: ReplayRun = {
    ...run,
    selected: items.length,
    skipped: Object.fromEntries(skipped),
    estimatePicoUsd: unpriced === null ? upper.toString() : null,
    expectedPicoUsd: unpriced === null ? (expected?.toString() ?? null) : null,
  };
  const end = (reason: string): ReplayRun => ({ ...chosen, state: 'failed', reason, endedAtMs: ports.clock.nowMs() });
  if (items.length === 0) return end(skipped.size === 0 ? 'No recorded call matches.' : 'None of the matching calls can be made again.');
  if (unpriced !== null)
    return end(`"${unpriced}" has no price, so that no ceiling of $${maxCostUsd} could hold: set one in plimsoll.yaml.`);
  return run.request.starts === 'at-once'
    ? { ...chosen, state: 'running', startedAtMs: ports.clock.nowMs() }
    : { ...chosen, state: 'ready' };
}

/** A replay is no entry: nobody looks for it in the list of calls. */
async function replayedSpan(scope: Scope, traceId: string, { traces }: ReplayPorts): Promise<Span | null> {
  const detail = await traces.getTrace(scope, traceId);
  return detail?.spans.find(({ kind, attributes }) => kind === 'gateway' && attributes['plimsoll.purpose'] === 'replay') ?? null;
}

async function awaitRecord(scope: Scope, traceId: string, withinMs: number, ports: ReplayPorts, signal: AbortSignal): Promise<Span | null> {
  const endMs = ports.clock.monotonicMs() + withinMs;
  for (;;) {
    signal.throwIfAborted();
    const span = await replayedSpan(scope, traceId, ports);
    if (span !== null || ports.clock.monotonicMs() >= endMs) return span;
    await ports.clock.sleep(POLL_MS);
  }
}

/** The recorded call as it is in the store now: its texts are not copied. Null when they are gone. */
async function recordedCall(scope: Scope, item: ReplayItem, { traces }: ReplayPorts): Promise<RecordedCall | null> {
  const detail = await traces.getTrace(scope, item.recorded.traceId);
  const span = detail?.spans.find(({ spanId }) => spanId === item.recorded.spanId);
  if (detail === null || span === undefined) return null;
  const found = readRecordedCall(span, detail);
  return isRecorded(found) ? found : null;
}

/** Makes one call again, and keeps what came of it. Never rejects but for the end of the job. */
async function replayOne(scope: Scope, run: ReplayRun, item: ReplayItem, ports: ReplayPorts, signal: AbortSignal): Promise<ReplayItem> {
  const { store } = ports;
  const recorded = await recordedCall(scope, item, ports);
  const keep = async (next: ReplayItem): Promise<ReplayItem> => {
    await store.putItems(scope, run.id, [next]);
    return next;
  };
  if (recorded === null) return keep({ ...item, state: 'failed', message: 'The recorded call is no longer in the store.' });
  const finish = (span: Span, traceId: string, from: ReplayItem): Promise<ReplayItem> =>
    keep({
      ...from,
      state: 'done',
      replayTraceId: traceId,
      replayed: toReplayedCall(span, traceId),
      comparison: span.status === 'ok' && recorded.call.status === 'ok' ? compareAnswers(recorded.output, span.output) : null,
      message: null,
    });

  let current = item;
  if (item.state === 'sent' && item.replayTraceId !== null) {
    // Sent by a control that ended: what came of it counts, and is not paid for twice.
    const span = await awaitRecord(scope, item.replayTraceId, LOST_WITHIN_MS, ports, signal);
    if (span !== null && span.status !== 'aborted') return finish(span, item.replayTraceId, item);
    current = { ...item, lostPicoUsd: (BigInt(item.lostPicoUsd) + BigInt(span?.costPicoUsd ?? 0)).toString() };
  }
  const traceId = newTraceId();
  current = await keep({ ...current, state: 'sent', replayTraceId: traceId });
  const request = requestOf(recorded, run.request.model, ports.replaceModel);
  const answer = await ports.send(
    { ...request, feature: recorded.feature, traceId, spanId: newSpanId(), replayId: run.id, recordedTraceId: item.recorded.traceId },
    signal,
  );
  const span = await awaitRecord(scope, traceId, answer.status >= 400 ? REFUSAL_WITHIN_MS : RECORD_WITHIN_MS, ports, signal);
  if (span !== null) return finish(span, traceId, current);
  const message =
    answer.status >= 400 ? `HTTP ${answer.status}: ${answer.message ?? 'no reason given'}` : 'No record of the call was found.';
  return keep({ ...current, state: 'failed', message });
}

function usd(pico: bigint): string {
  return `$${formatUsd(pico)}`;
}

/** Makes the calls that are left, some at a time, as long as the ceiling allows and nobody cancels. */
async function replayAll(scope: Scope, run: ReplayRun, ports: ReplayPorts, signal: AbortSignal): Promise<void> {
  const { store, clock } = ports;
  const items = await store.items(scope, run.id, { afterNumber: 0, limit: run.selected });
  const limit = picoUsdFromDecimal(`${run.request.maxCostUsd}`);
  const ceiling = new Ceiling(
    limit,
    items.reduce((sum, item) => sum + spentOn(item), 0n),
  );
  const running = new Set<Promise<void>>();
  let failure: unknown = null;
  const begin = (item: ReplayItem): void => {
    const estimate = BigInt(item.estimatePicoUsd);
    const before = spentOn(item);
    ceiling.hold(estimate);
    const promise = replayOne(scope, run, item, ports, signal)
      .then(
        (done) => ceiling.settle(estimate, spentOn(done) - before),
        (thrown: unknown) => {
          failure ??= thrown;
          ceiling.settle(estimate, 0n);
        },
      )
      .finally(() => running.delete(promise));
    running.add(promise);
  };
  for (const item of items) {
    if (item.state === 'done' || item.state === 'failed') continue;
    const estimate = BigInt(item.estimatePicoUsd);
    while (running.size >= run.request.concurrency || (running.size > 0 && !ceiling.fits(estimate))) await Promise.race(running);
    const state = (await store.get(scope, run.id))?.state;
    if (failure !== null || state !== 'running') break;
    if (!ceiling.fits(estimate)) {
      const reason = `The ceiling of ${usd(limit)} leaves no room: ${usd(ceiling.spent)} spent, the next call may cost ${usd(estimate)}.`;
      await store.move(scope, run.id, ['running'], 'stopped', reason, clock.nowMs());
      break;
    }
    begin(item);
  }
  await Promise.all(running);
  if (failure !== null) throw failure;
  // Cancelled or stopped ones stay so.
  await store.move(scope, run.id, ['running'], 'done', null, clock.nowMs());
}

/**
 * Takes a replay as far as it goes: through its choice, and, once it may, through its calls. A run that was cut off is taken up where it was; a
 * call whose outcome is in the store is not made twice.
 * @throws when the job is to be run again: its lease is lost, control stops, no gateway or store answers
 */
export async function runReplay(scope: Scope, id: string, ports: ReplayPorts, signal: AbortSignal): Promise<void> {
  const { store, clock } = ports;
  let run = await store.get(scope, id);
  if (run?.state === 'selecting') {
    try {
      run = await select(scope, run, ports, signal);
    } catch (thrown) {
      const error = toPlimsollError(thrown);
      if (signal.aborted || error.retryable) throw thrown;
      run = { ...run, state: 'failed', reason: error.message, endedAtMs: clock.nowMs() };
    }
    // Cancelled meanwhile stays cancelled.
    if ((await store.get(scope, id))?.state === 'selecting') await store.put(scope, run);
    else return;
  }
  if (run?.state === 'running') await replayAll(scope, run, ports, signal);
}
