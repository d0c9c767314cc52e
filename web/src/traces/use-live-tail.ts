import { useEffect, useRef, useState } from 'react';
import { newestTraces, PAGE_SIZE } from '../api/queries.ts';
import type { TraceSummary } from '../api/schema.ts';
import type { Range } from '../range/range.ts';
import type { Filters } from './filters.ts';
import { mergeLive } from './live-tail.ts';

const POLL_MS = 1000;

export interface LiveTail {
  readonly rows: readonly TraceSummary[];
  /** Ids that entered with the last poll that brought any. */
  readonly addedIds: readonly string[];
}

interface LiveTailInput {
  readonly base: readonly TraceSummary[];
  readonly isLive: boolean;
  readonly range: Range;
  readonly filters: Filters;
  /** The list has a hole and must be read again. */
  readonly onGap: () => void;
}

/** Keeps a list open at its newest end: one request a second while it is visible, never two at once. */
export function useLiveTail({ base, isLive, range, filters, onGap }: LiveTailInput): LiveTail {
  const [live, setLive] = useState<{ readonly base: readonly TraceSummary[]; readonly tail: LiveTail }>({
    base,
    tail: { rows: base, addedIds: [] },
  });
  // More pages were read, or the filters changed: what the tail brought is merged into the new list.
  let { tail } = live;
  if (live.base !== base) {
    const isContinued = live.base.length > 0 && base[0]?.traceId === live.base[0]?.traceId;
    tail = isContinued
      ? { rows: mergeLive(base, live.tail.rows, Number.POSITIVE_INFINITY).rows, addedIds: [] }
      : { rows: base, addedIds: [] };
    setLive({ base, tail });
  }
  const input = useRef({ range, filters, onGap });
  input.current = { range, filters, onGap };

  useEffect(() => {
    if (!isLive) return;
    const abort = new AbortController();
    let timer = 0;
    const poll = async (): Promise<void> => {
      if (document.visibilityState === 'visible') {
        try {
          const page = await newestTraces(input.current.range, input.current.filters, abort.signal);
          if (abort.signal.aborted) return;
          setLive((current) => {
            const merged = mergeLive(current.tail.rows, page.traces, PAGE_SIZE);
            if (merged.hasGap) queueMicrotask(() => input.current.onGap());
            return merged.rows === current.tail.rows
              ? current
              : { base: current.base, tail: { rows: merged.rows, addedIds: merged.addedIds } };
          });
        } catch {
          // The status banner says that control is away; the tail goes on trying.
        }
      }
      if (!abort.signal.aborted) timer = window.setTimeout(() => void poll(), POLL_MS);
    };
    void poll();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [isLive]);
  return tail;
}
