import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import type { Span } from '../api/schema.ts';
import { formatDuration, formatInteger, formatRoundDuration } from '../format/number.ts';
import { Icon } from '../shell/icons.tsx';
import { StateShape } from '../ui/state-mark.tsx';
import { spanDuration, spanStatus } from './span-status.ts';
import { axisMarks, layoutWaterfall, type WaterfallRow } from './waterfall.ts';

const ROW_HEIGHT = 28;
/** More spans are virtualised; fewer are plain elements that the browser can find and print. */
const VIRTUAL_ABOVE = 200;
const MAX_INDENT = 10;
const GRID = 'grid grid-cols-[minmax(120px,40%)_1fr_62px] items-center gap-x-2';

interface WaterfallViewProps {
  readonly spans: readonly Span[];
  readonly selectedId: string | null;
  readonly onSelect: (spanId: string) => void;
}

export function WaterfallView({ spans, selectedId, onSelect }: WaterfallViewProps): ReactNode {
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const { rows, totalMs } = useMemo(() => layoutWaterfall(spans, collapsed), [spans, collapsed]);
  const scrollRef = useRef<HTMLDivElement>(null);
  const isVirtual = rows.length > VIRTUAL_ABOVE;
  const virtualizer = useVirtualizer({
    count: isVirtual ? rows.length : 0,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 20,
  });
  const toggle = (spanId: string): void => {
    const next = new Set(collapsed);
    if (!next.delete(spanId)) next.add(spanId);
    setCollapsed(next);
  };
  const marks = axisMarks(totalMs, 4);
  const render = (row: WaterfallRow): ReactNode => (
    <SpanRow row={row} totalMs={totalMs} marks={marks} isSelected={row.span.spanId === selectedId} onSelect={onSelect} onToggle={toggle} />
  );
  return (
    <section className="flex min-h-0 min-w-0 flex-col overflow-hidden" aria-label="Spans">
      <div className={`${GRID} h-8 shrink-0 border-b px-3 text-xs text-ink-3`}>
        <span>
          {formatInteger(spans.length)} {spans.length === 1 ? 'span' : 'spans'}
        </span>
        <span className="relative h-full" aria-hidden="true">
          {marks.map((mark) => (
            <span
              key={mark}
              className="tabular absolute top-1/2 -translate-y-1/2 pl-1 whitespace-nowrap"
              style={{ left: `${totalMs > 0 ? (mark / totalMs) * 100 : 0}%` }}
            >
              {totalMs > 0 && mark / totalMs < 0.86 ? axisText(mark) : ''}
            </span>
          ))}
        </span>
        <span className="text-right">Duration</span>
      </div>
      <div ref={scrollRef} className={`min-h-0 overflow-y-auto ${isVirtual ? 'h-[560px]' : 'max-h-[560px]'}`}>
        {isVirtual ? (
          <div className="relative" style={{ height: virtualizer.getTotalSize() }}>
            {virtualizer.getVirtualItems().map((item) => {
              const row = rows[item.index];
              return (
                row && (
                  <div key={row.span.spanId} className="absolute inset-x-0 top-0" style={{ transform: `translateY(${item.start}px)` }}>
                    {render(row)}
                  </div>
                )
              );
            })}
          </div>
        ) : (
          rows.map((row) => <div key={row.span.spanId}>{render(row)}</div>)
        )}
      </div>
    </section>
  );
}

/** Round marks need no decimals. */
function axisText(ms: number): string {
  return ms === 0 ? '0' : formatRoundDuration(ms);
}

interface SpanRowProps {
  readonly row: WaterfallRow;
  readonly totalMs: number;
  readonly marks: readonly number[];
  readonly isSelected: boolean;
  readonly onSelect: (spanId: string) => void;
  readonly onToggle: (spanId: string) => void;
}

function SpanRow({ row, totalMs, marks, isSelected, onSelect, onToggle }: SpanRowProps): ReactNode {
  const { span, depth, offsetMs, durationMs, ttftMs, descendantCount, isCollapsed } = row;
  const percent = (ms: number): number => (totalMs > 0 ? (ms / totalMs) * 100 : 0);
  const isFailed = span.status === 'error';
  const { state, word } = spanStatus(span);
  const title = `${span.name}, ${word}, starts at ${formatDuration(offsetMs)}, takes ${spanDuration(span)}`;
  return (
    <div className={`${GRID} relative h-7 px-3 ${isSelected ? 'bg-accent-soft' : 'hover:bg-hover'}`}>
      <span className="flex min-w-0 items-center gap-1.5" style={{ paddingLeft: Math.min(depth, MAX_INDENT) * 13 }}>
        {descendantCount > 0 ? (
          <button
            type="button"
            className="relative z-1 -mx-0.5 flex size-4 shrink-0 items-center justify-center rounded-sm text-ink-3 hover:text-ink"
            aria-expanded={!isCollapsed}
            aria-label={`${isCollapsed ? 'Show' : 'Hide'} ${descendantCount} spans under ${span.name}`}
            onClick={() => onToggle(span.spanId)}
          >
            <Icon name="chevron" className={`size-3 ${isCollapsed ? '' : 'rotate-90'}`} />
          </button>
        ) : (
          <span className="-mx-0.5 w-4 shrink-0" />
        )}
        <button
          type="button"
          data-row
          aria-pressed={isSelected}
          aria-label={title}
          className="stretched truncate text-left focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent focus-visible:outline-none"
          onClick={() => onSelect(span.spanId)}
        >
          <span className={isSelected ? 'font-semibold' : ''}>{span.name}</span>
        </button>
        {isCollapsed && <span className="shrink-0 text-2xs text-ink-3">+{descendantCount}</span>}
        {span.status !== 'ok' && <StateShape state={state} />}
      </span>
      <span className="relative h-full" aria-hidden="true">
        {marks.map((mark) => (
          <span key={mark} className="absolute inset-y-0 w-px bg-line" style={{ left: `${percent(mark)}%` }} />
        ))}
        <span
          className={`absolute top-2 h-3 min-w-[3px] rounded-[2px] ${barColour(span)} ${isFailed ? 'hatched' : ''}`}
          style={{ left: `min(${percent(offsetMs)}%, calc(100% - 3px))`, width: `${percent(durationMs)}%` }}
        />
        {ttftMs !== null && (
          <span className="absolute top-1 h-5 w-0.5 bg-ink ring-1 ring-surface" style={{ left: `${percent(offsetMs + ttftMs)}%` }} />
        )}
      </span>
      <span className="tabular text-right text-xs whitespace-nowrap text-ink-2">{spanDuration(span)}</span>
    </div>
  );
}

function barColour(span: Span): string {
  if (span.status === 'error') return 'bg-critical';
  if (span.kind === 'llm' || span.kind === 'embedding') return 'bg-chart-1';
  if (span.kind === 'tool' || span.kind === 'retriever' || span.kind === 'reranker') return 'bg-chart-2';
  return 'bg-ink-3/55';
}
