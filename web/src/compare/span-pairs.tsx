import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useMemo, useRef } from 'react';
import type { AlignedSpan, TraceDiff } from '../api/schema.ts';
import { formatDuration, formatInteger } from '../format/number.ts';
import { costDifferenceText, durationText } from './diff-text.ts';

const ROW_HEIGHT = 34;
const MAX_INDENT = 10;
/** More rows are virtualised; fewer are plain elements that the browser can find and print. */
const VIRTUAL_ABOVE = 200;
const GRID = 'grid grid-cols-[minmax(0,1fr)_76px] sm:grid-cols-[minmax(140px,40%)_1fr_82px_92px] items-center gap-x-3';

interface SpanPairsProps {
  readonly diff: TraceDiff;
  readonly selected: AlignedSpan | null;
  readonly onSelect: (row: AlignedSpan) => void;
}

/** Spans of both traces, paired by their place in the tree; two bars on one axis show what came earlier, later, faster or slower. */
export function SpanPairs({ diff: { spans, counts, isPartial }, selected, onSelect }: SpanPairsProps): ReactNode {
  const scrollRef = useRef<HTMLDivElement>(null);
  const totalMs = useMemo(() => lastEnd(spans), [spans]);
  const isVirtual = spans.length > VIRTUAL_ABOVE;
  const virtualizer = useVirtualizer({
    count: isVirtual ? spans.length : 0,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 20,
  });
  const render = (row: AlignedSpan): ReactNode => (
    <PairRow row={row} totalMs={totalMs} isSelected={row === selected} onSelect={() => onSelect(row)} />
  );
  return (
    <section className="panel flex min-w-0 flex-col overflow-hidden" aria-label="Spans of both traces">
      <div className={`${GRID} h-8 shrink-0 border-b px-3 text-xs text-ink-3`}>
        <span className="truncate">
          {formatInteger(counts.both)} in both
          {counts.added > 0 && `, ${formatInteger(counts.added)} added`}
          {counts.removed > 0 && `, ${formatInteger(counts.removed)} removed`}
        </span>
        <span className="hidden items-center gap-3 sm:flex">
          <Legend name="A" className="bg-chart-1" />
          <Legend name="B" className="bg-chart-2" />
        </span>
        <span className="text-right">B − A</span>
        <span className="hidden text-right sm:block">Cost B − A</span>
      </div>
      <div ref={scrollRef} className={`min-h-0 overflow-y-auto ${isVirtual ? 'h-[480px]' : 'max-h-[480px]'}`}>
        {isVirtual ? (
          <div className="relative" style={{ height: virtualizer.getTotalSize() }}>
            {virtualizer.getVirtualItems().map((item) => {
              const row = spans[item.index];
              return (
                row && (
                  <div key={item.key} className="absolute inset-x-0 top-0" style={{ transform: `translateY(${item.start}px)` }}>
                    {render(row)}
                  </div>
                )
              );
            })}
          </div>
        ) : (
          spans.map((row) => <div key={`${row.a?.spanId}/${row.b?.spanId}`}>{render(row)}</div>)
        )}
      </div>
      {isPartial && (
        <p className="border-t px-3 py-1.5 text-xs text-ink-3">A trace has more than 10,000 spans: only the first of them are aligned.</p>
      )}
    </section>
  );
}

function lastEnd(spans: readonly AlignedSpan[]): number {
  let end = 0;
  for (const { a, b } of spans) for (const side of [a, b]) if (side) end = Math.max(end, side.offsetMs + side.durationMs);
  return end;
}

function Legend({ name, className }: { name: string; className: string }): ReactNode {
  return (
    <span className="flex items-center gap-1.5">
      <span className={`inline-block h-1.5 w-4 rounded-xs ${className}`} aria-hidden="true" />
      {name}
    </span>
  );
}

const CHANGES = {
  both: { mark: '', word: '', className: '' },
  added: { mark: '+', word: 'added', className: 'text-ok' },
  removed: { mark: '−', word: 'removed', className: 'text-critical' },
} as const;

interface PairRowProps {
  readonly row: AlignedSpan;
  readonly totalMs: number;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
}

function PairRow({ row, totalMs, isSelected, onSelect }: PairRowProps): ReactNode {
  const { a, b, change, depth, kind, durationDifferenceMs, costDifferencePicoUsd } = row;
  const { mark, word, className } = CHANGES[change];
  const name = a !== null && b !== null && a.name !== b.name ? `${a.name} → ${b.name}` : (a?.name ?? b?.name ?? '');
  const failed = [a?.status === 'error' ? 'A failed' : '', b?.status === 'error' ? 'B failed' : '']
    .filter((text) => text !== '')
    .join(', ');
  const difference = durationText({ a: a?.durationMs ?? null, b: b?.durationMs ?? null, difference: durationDifferenceMs });
  const costsSomething = costDifferencePicoUsd !== null || a?.costStatus != null || b?.costStatus != null;
  return (
    <div className={`${GRID} relative h-[34px] px-3 ${isSelected ? 'bg-accent-soft' : 'hover:bg-hover'}`}>
      <span className="flex min-w-0 items-center gap-1.5" style={{ paddingLeft: Math.min(depth, MAX_INDENT) * 13 }}>
        {mark !== '' && (
          <span className={`w-2.5 shrink-0 font-mono font-semibold ${className}`} aria-hidden="true">
            {mark}
          </span>
        )}
        <button
          type="button"
          data-row
          aria-pressed={isSelected}
          className="stretched min-w-0 truncate text-left focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
          onClick={onSelect}
        >
          {name}
          <span className="sr-only">
            , {kind}
            {word === '' ? '' : `, ${word}`}
          </span>
        </button>
        {failed !== '' && <span className="shrink-0 text-xs text-critical">{failed}</span>}
      </span>
      <span className="relative hidden h-full sm:block" aria-hidden="true">
        {a && <Bar span={a} totalMs={totalMs} className="top-[10px] bg-chart-1" />}
        {b && <Bar span={b} totalMs={totalMs} className="top-[18px] bg-chart-2" />}
      </span>
      <span
        className="tabular relative z-1 ml-auto w-fit text-right whitespace-nowrap"
        data-tip={
          change === 'both'
            ? `A ${difference.a}, B ${difference.b}`
            : `${word}: takes ${formatDuration(a?.durationMs ?? b?.durationMs ?? null)}`
        }
      >
        {change === 'both' ? difference.difference : <span className={className}>{word}</span>}
      </span>
      <span className="tabular hidden truncate text-right text-ink-2 sm:block">
        {change === 'both' && costsSomething ? costDifferenceText(costDifferencePicoUsd) : ''}
      </span>
    </div>
  );
}

function Bar({ span, totalMs, className }: { span: NonNullable<AlignedSpan['a']>; totalMs: number; className: string }): ReactNode {
  const percent = (ms: number): number => (totalMs > 0 ? (ms / totalMs) * 100 : 0);
  return (
    <span
      className={`absolute h-1.5 min-w-[2px] rounded-xs ${className}`}
      style={{ left: `${percent(span.offsetMs)}%`, width: `${percent(span.durationMs)}%` }}
    />
  );
}
