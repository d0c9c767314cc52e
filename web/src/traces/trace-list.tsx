// biome-ignore-all lint/a11y/useSemanticElements: rows of a virtual list stand at absolute places, which table elements cannot
// biome-ignore-all lint/a11y/useFocusableInteractive: the link inside a row has the focus
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { TraceSummary } from '../api/schema.ts';
import { formatInteger } from '../format/number.ts';
import { useIsPhone } from '../ui/media-query.ts';
import { addedAbove } from './live-tail.ts';
import { CARD_HEIGHT, ROW_HEIGHT, TraceCard, TraceListHeader, TraceRow } from './trace-row.tsx';

interface TraceListProps {
  readonly rows: readonly TraceSummary[];
  readonly addedIds: readonly string[];
  readonly picked: readonly string[];
  readonly onPick: (traceId: string) => void;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly loadMore: () => void;
}

/** Only the rows in view exist. Rows that enter above the view move the scroll by their height, so that the reader keeps the place. */
export function TraceList({ rows, addedIds, picked, onPick, hasMore, isLoadingMore, loadMore }: TraceListProps): ReactNode {
  const isPhone = useIsPhone();
  const rowHeight = isPhone ? CARD_HEIGHT : ROW_HEIGHT;
  const scrollRef = useRef<HTMLDivElement>(null);
  const [unseen, setUnseen] = useState(0);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rows[index]?.traceId ?? index,
    overscan: 12,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured again when the kind of row changes
  useEffect(() => virtualizer.measure(), [rowHeight]);

  const before = useRef<{ readonly rows: readonly TraceSummary[]; readonly firstVisibleId: string | null }>({ rows, firstVisibleId: null });
  useLayoutEffect(() => {
    const scroller = scrollRef.current;
    if (!scroller || before.current.rows === rows) return;
    const count = addedAbove(rows, addedIds, before.current.firstVisibleId);
    if (count > 0) {
      scroller.scrollTop += count * rowHeight;
      setUnseen((current) => current + count);
    }
    before.current = { ...before.current, rows };
  }, [rows, addedIds, rowHeight]);

  const onScroll = (): void => {
    const top = scrollRef.current?.scrollTop ?? 0;
    before.current = { rows, firstVisibleId: top < rowHeight / 2 ? null : (rows[Math.floor(top / rowHeight)]?.traceId ?? null) };
    if (top < rowHeight / 2 && unseen > 0) setUnseen(0);
  };

  const items = virtualizer.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !isLoadingMore && lastIndex >= rows.length - 20) loadMore();
  }, [hasMore, isLoadingMore, lastIndex, rows.length, loadMore]);

  const added = new Set(addedIds);
  return (
    <section className="panel relative flex min-h-0 flex-1 flex-col overflow-hidden" aria-label="Traces">
      <div className="scroll-x flex min-h-0 flex-1 flex-col">
        <div className={`flex min-h-0 flex-1 flex-col ${isPhone ? '' : 'min-w-[1066px]'}`} role={isPhone ? undefined : 'table'}>
          {!isPhone && <TraceListHeader />}
          <div
            ref={scrollRef}
            className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto overscroll-contain [scrollbar-gutter:stable]"
            onScroll={onScroll}
          >
            <div className="relative" style={{ height: virtualizer.getTotalSize() }} role={isPhone ? undefined : 'rowgroup'}>
              {items.map((item) => {
                const trace = rows[item.index];
                if (!trace) return null;
                const Row = isPhone ? TraceCard : TraceRow;
                return (
                  <div
                    key={item.key}
                    className="absolute inset-x-0 top-0"
                    style={{ height: rowHeight, transform: `translateY(${item.start}px)` }}
                    role="presentation"
                  >
                    <Row trace={trace} isNew={added.has(trace.traceId)} isPicked={picked.includes(trace.traceId)} onPick={onPick} />
                  </div>
                );
              })}
            </div>
            <div className="flex h-9 items-center justify-center text-xs text-ink-3" aria-live="polite">
              {isLoadingMore
                ? 'Reading more…'
                : hasMore
                  ? ''
                  : `${formatInteger(rows.length)} ${rows.length === 1 ? 'trace' : 'traces'}, that is all`}
            </div>
          </div>
        </div>
      </div>
      {unseen > 0 && (
        <button
          type="button"
          className="button button-primary absolute top-11 left-1/2 -translate-x-1/2 rounded-full shadow-float"
          onClick={() => {
            scrollRef.current?.scrollTo({ top: 0 });
            setUnseen(0);
          }}
        >
          ↑ {formatInteger(unseen)} new
        </button>
      )}
    </section>
  );
}
