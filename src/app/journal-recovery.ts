import { type AdmissionHistory, CHECKPOINT, readCheckpoint, type SettledUse, useOf } from '../gateway/admission/history.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { newSpanId } from '../kernel/ids.ts';
import { readJournal } from '../kernel/journal/reader.ts';
import type { JournalEntry } from '../kernel/journal/record.ts';
import { listSegments } from '../kernel/journal/segment.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import { priceUsage } from '../models/price-usage.ts';
import { NO_USAGE } from '../models/usage.ts';
import { CALL_SCHEMA_VERSION, type CallOpened, type CallSettled } from '../traces/call-record.ts';

/** Written once the calls of a dead run are settled: a later recovery need not look behind it. */
export const RECOVERY_MARK = 'recovery-complete';

/** What a dead run of a writer left behind. */
export interface RecoveredRun {
  /** Opened and never settled. */
  readonly calls: CallOpened[];
  /** The last moment at which the dead process is known to have lived. */
  readonly lastSignMs: number;
  /** What its limits had counted: the last checkpoint, and the calls settled after it. */
  readonly limits: AdmissionHistory;
}

/**
 * Reads the journal of earlier runs of this writer. Every segment starts with the calls that were open then, so the segments from the last recovery
 * mark on are enough; and every segment has a checkpoint of the limits, so the newest one that has is enough for those.
 */
export async function recoverRun(directory: string): Promise<RecoveredRun> {
  const open = new Map<string, CallOpened>();
  let limits: AdmissionHistory | null = null;
  let usesOfLaterSegments: readonly SettledUse[] = [];
  const settled = new Set<string>();
  let lastSignMs = 0;
  for (const segment of listSegments(directory).reverse()) {
    let isMarked = false;
    let checkpoint: AdmissionHistory | null = null;
    let uses: SettledUse[] = [];
    let position = { segment, offset: 0 };
    for (;;) {
      const slice = await readJournal(directory, position, {
        maxRecords: 10_000,
        maxBytes: 8 * 1024 * 1024,
        until: { segment, offset: Number.MAX_SAFE_INTEGER },
      });
      if (slice.from.segment !== segment || slice.records.length === 0) break;
      for (const record of slice.records) {
        if (record.type === 'call.settled') {
          const call = parseJsonText(record.payload.toString('utf8')) as CallSettled;
          settled.add(record.id);
          lastSignMs = Math.max(lastSignMs, call.startedAtMs + call.durationMs);
          if (limits === null && call.attempts.length > 0) uses.push(useOf(call));
        } else if (record.type === 'call.opened') {
          const call = parseJsonText(record.payload.toString('utf8')) as CallOpened;
          open.set(record.id, call);
          lastSignMs = Math.max(lastSignMs, call.startedAtMs);
        } else if (record.type === 'event' && record.id === RECOVERY_MARK) isMarked = true;
        else if (record.type === 'event' && record.id === CHECKPOINT && limits === null) {
          checkpoint = readCheckpoint(record);
          uses = [];
        }
      }
      position = slice.next;
    }
    if (limits === null) {
      const later = [...uses, ...usesOfLaterSegments];
      if (checkpoint === null) usesOfLaterSegments = later;
      else limits = { counters: checkpoint.counters, uses: [...checkpoint.uses, ...later] };
    }
    if (isMarked) break;
  }
  return {
    calls: [...open.values()].filter((call) => !settled.has(call.callId)),
    lastSignMs,
    limits: limits ?? { counters: {}, uses: usesOfLaterSegments },
  };
}

/**
 * The settlement of a call whose process died: aborted, with its estimate marked as such: the input, and the output that limits held for it (none
 * where nothing was limited). The provider may have charged more or nothing; a budget must not forget what may have been spent.
 */
export function settleAfterCrash(
  call: CallOpened,
  lastSignMs: number,
  price: (call: CallOpened) => { costPicoUsd: bigint | null; priceId: string | null },
): CallSettled {
  const cost = price(call);
  const target = call.firstTarget;
  const durationMs = Math.max(0, lastSignMs - call.startedAtMs);
  const costPicoUsd = cost.costPicoUsd?.toString() ?? null;
  const costStatus = cost.costPicoUsd === null ? 'unpriced' : 'estimated_tokens';
  const message = 'The gateway process ended before the answer was complete';
  return {
    ...call,
    status: 'aborted',
    httpStatus: 499,
    errorType: 'internal',
    errorMessage: message,
    durationMs,
    ttftMs: null,
    interTokenMs: null,
    attempts:
      target === null
        ? []
        : [
            {
              spanId: newSpanId(),
              model: target.model,
              provider: target.provider,
              providerKind: target.provider,
              requestModel: target.upstreamModel,
              responseModel: null,
              responseId: null,
              startOffsetMs: 0,
              durationMs,
              ttftMs: null,
              status: 'aborted',
              httpStatus: null,
              errorType: 'internal',
              errorMessage: message,
              finishReasons: [],
              usage: {
                inputUncachedTokens: call.estimatedInputTokens,
                cacheReadTokens: 0,
                cacheWrite5mTokens: 0,
                cacheWrite1hTokens: 0,
                audioInputTokens: 0,
                outputTextTokens: call.reservedOutputTokens ?? 0,
                reasoningTokens: 0,
                audioOutputTokens: 0,
              },
              usageSource: 'estimated',
              providerUsage: null,
              costPicoUsd,
              costStatus,
              priceId: cost.priceId,
            },
          ],
    stages: [],
    costPicoUsd,
    costStatus,
    requestParameters: {},
    isRecovered: true,
  };
}

/** What limits have to know of a dead run, and how its open calls are settled. */
export function historyAfterCrash(
  recovered: RecoveredRun,
  snapshot: Pick<Snapshot, 'models'> | null,
): { readonly settled: readonly CallSettled[]; readonly history: AdmissionHistory } {
  const settled = recovered.calls.map((call) => {
    const price = snapshot?.models.find((model) => model.name === call.firstTarget?.model)?.price ?? null;
    const usage = { ...NO_USAGE, inputUncachedTokens: call.estimatedInputTokens, outputTextTokens: call.reservedOutputTokens ?? 0 };
    return settleAfterCrash(call, recovered.lastSignMs, () => priceUsage(usage, price));
  });
  const { counters, uses } = recovered.limits;
  return { settled, history: { counters, uses: [...uses, ...settled.map(useOf)] } };
}

export function settledRecord(call: CallSettled): JournalEntry {
  return { type: 'call.settled', schemaVersion: CALL_SCHEMA_VERSION, id: call.callId, payload: JSON.stringify(call) };
}
