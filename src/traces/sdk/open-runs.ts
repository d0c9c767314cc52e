import type { Scope } from '../../kernel/scope.ts';
import type { SenderMeta } from '../otlp/batch-record.ts';
import { mergeParts, type RunPart } from './run-part.ts';

/** A run without an end is shown as unfinished when it has waited this long for one. */
export const UNFINISHED_AFTER_MS = 10 * 60_000;
/** A frame is done when nothing was told of it for so long. */
export const FRAME_QUIET_MS = 15_000;
/** An end that comes later than this after its beginning was shown is no longer joined with it. */
const SHOWN_REMEMBERED_MS = 24 * 3_600_000;
/** What is told again of a run that is done is known for so long. */
const DONE_REMEMBERED_MS = 3_600_000;

/**
 * What is remembered of a run: `waiting` for its other half, `shown` without it (the other half takes the place of what is shown), or `done`, so that
 * what comes again is not stored again.
 */
export interface OpenRun {
  /** Trace and span. */
  readonly key: string;
  readonly state: 'waiting' | 'shown' | 'done';
  /** When something is to be done about it: to show it, or to forget it. Epoch ms. */
  readonly dueAtMs: number;
  /** Null once it is done. */
  readonly held: { readonly part: RunPart; readonly sender: SenderMeta } | null;
}

/** Runs whose halves are not all there. The ingest writes with the position of its cursor, in one transaction: both or neither are so after a crash. */
export interface OpenRunStore {
  find(scope: Scope, keys: readonly string[]): Promise<OpenRun[]>;
  /** Due at that moment, the oldest first, at most `limit`. */
  due(scope: Scope, atMs: number, limit: number): Promise<OpenRun[]>;
}

export interface RunChanges {
  readonly put: readonly OpenRun[];
  readonly forget: readonly string[];
}

/** In the order of the journal. */
export type RunEvent =
  | { readonly kind: 'part'; readonly part: RunPart; readonly sender: SenderMeta; readonly receivedAtMs: number }
  | { readonly kind: 'due'; readonly atMs: number };

export interface FinishedRun {
  readonly part: RunPart;
  readonly sender: SenderMeta;
  /** True when nobody said how it ended. */
  readonly isUnfinished: boolean;
}

export function runKey({ traceId, spanId, isLog }: Pick<RunPart, 'traceId' | 'spanId' | 'isLog'>): string {
  return `${traceId}/${spanId}${isLog === true ? '/log' : ''}`;
}

function isWhole({ startedAtNs, endedAtNs, isFrame }: RunPart): boolean {
  return isFrame !== true && startedAtNs !== undefined && endedAtNs !== undefined;
}

/** What only somebody who saw the end can know: a generation that was told of after the fact may lack its time of end alone. */
const OUTCOME = /^(langfuse\.observation\.(output|usage_details)|gen_ai\.completion|opik\.output)$/;

function isUnfinished({ isFrame, endedAtNs, error, attributes }: RunPart): boolean {
  return isFrame !== true && endedAtNs === undefined && error === undefined && !Object.keys(attributes).some((name) => OUTCOME.test(name));
}

/**
 * What the next records of a journal make of the runs that are known. Pure: the same runs and records give the same, so that a batch that is read
 * again after a crash gives the same spans.
 * @param known all runs that the events touch, and those that are due
 */
export function advanceRuns(
  known: readonly OpenRun[],
  events: readonly RunEvent[],
): { finished: FinishedRun[]; changes: RunChanges; repeated: number } {
  const runs = new Map(known.map((run) => [run.key, run]));
  const changed = new Set<string>();
  const forget = new Set<string>();
  const finished: FinishedRun[] = [];
  let repeated = 0;
  const put = (run: OpenRun): void => {
    runs.set(run.key, run);
    changed.add(run.key);
    forget.delete(run.key);
  };

  const takePart = ({ part, sender, receivedAtMs }: Extract<RunEvent, { kind: 'part' }>): void => {
    const key = runKey(part);
    const run = runs.get(key);
    if (run?.state === 'done') {
      repeated += 1;
      return;
    }
    const merged = run?.held == null ? part : mergeParts(run.held.part, part);
    const held = { part: merged, sender: run?.held?.sender ?? sender };
    if (isWhole(merged)) {
      finished.push({ ...held, isUnfinished: false });
      put({ key, state: 'done', dueAtMs: receivedAtMs + DONE_REMEMBERED_MS, held: null });
    } else if (merged.isFrame === true) put({ key, state: 'waiting', dueAtMs: receivedAtMs + FRAME_QUIET_MS, held });
    else
      put({
        key,
        state: run?.state ?? 'waiting',
        // What comes in pieces does not wait longer for that.
        dueAtMs: run?.dueAtMs ?? receivedAtMs + UNFINISHED_AFTER_MS,
        held,
      });
  };

  const lookAfter = (atMs: number): void => {
    for (const run of [...runs.values()].filter(({ dueAtMs }) => dueAtMs <= atMs)) {
      if (run.state === 'waiting' && run.held !== null) {
        finished.push({ ...run.held, isUnfinished: isUnfinished(run.held.part) });
        put({ ...run, state: 'shown', dueAtMs: atMs + SHOWN_REMEMBERED_MS });
      } else {
        runs.delete(run.key);
        changed.delete(run.key);
        forget.add(run.key);
      }
    }
  };

  for (const event of events) {
    if (event.kind === 'part') takePart(event);
    else lookAfter(event.atMs);
  }
  return {
    finished,
    changes: { put: [...changed].flatMap((key) => runs.get(key) ?? []), forget: [...forget] },
    repeated,
  };
}
