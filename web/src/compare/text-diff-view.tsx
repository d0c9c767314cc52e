import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import type { AlignedSpan, DiffRow, TextDiff, TextsDiff, TraceDiff } from '../api/schema.ts';
import { formatInteger } from '../format/number.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { textsDiffQuery } from './compare-queries.ts';
import { foldRows, type Stretch } from './diff-text.ts';

interface MessagesDiffProps {
  readonly traceIds: { readonly a: string; readonly b: string };
  /** The row that is shown; one side of it may be missing. */
  readonly pair: AlignedSpan | null;
  readonly entries: TraceDiff['entries'];
  /** False = nobody chose a row: what the traces are about is shown. */
  readonly isChosen: boolean;
}

/** What went in and what came out, side by side. Texts of others are text nodes, never markup. */
export function MessagesDiff({ traceIds, pair, entries, isChosen }: MessagesDiffProps): ReactNode {
  const ids = isChosen && pair !== null ? { a: pair.a?.spanId ?? null, b: pair.b?.spanId ?? null } : entries;
  const name = isChosen && pair !== null ? (pair.a?.name ?? pair.b?.name ?? '') : null;
  return (
    <section className="panel flex min-w-0 flex-col gap-3 p-4" aria-label="Messages">
      <h2 className="font-semibold">Messages{name !== null && <span className="font-normal text-ink-2"> of {name}</span>}</h2>
      {ids.a === null || ids.b === null ? (
        <p className="text-ink-2">This span is in one of the two traces only: there is nothing to compare its messages with.</p>
      ) : (
        <PairTexts a={{ traceId: traceIds.a, spanId: ids.a }} b={{ traceId: traceIds.b, spanId: ids.b }} />
      )}
    </section>
  );
}

type Place = { readonly traceId: string; readonly spanId: string };

function PairTexts({ a, b }: { a: Place; b: Place }): ReactNode {
  const texts = useQuery(textsDiffQuery(a, b));
  return (
    <QueryState query={texts} skeleton={<SkeletonRows count={6} height={24} />}>
      {(data) =>
        data.input === null && data.output === null ? (
          <p className="text-ink-2">No text of this span is kept in either trace.</p>
        ) : (
          <>
            <OneText title="Input" direction="input" texts={data} />
            <OneText title="Output" direction="output" texts={data} />
          </>
        )
      }
    </QueryState>
  );
}

interface OneTextProps {
  readonly title: string;
  readonly direction: 'input' | 'output';
  readonly texts: TextsDiff;
}

function OneText({ title, direction, texts }: OneTextProps): ReactNode {
  const diff = texts[direction];
  const without = (['a', 'b'] as const).filter((side) => texts.missing[side].includes(direction));
  return (
    <section className="min-w-0" aria-label={title}>
      <h3 className="mb-1 flex flex-wrap items-baseline gap-x-3 text-xs text-ink-3">
        <span className="font-semibold">{title}</span>
        {diff === null
          ? 'not recorded in either trace'
          : diff.addedLines + diff.removedLines === 0
            ? 'the same in both'
            : `${formatInteger(diff.removedLines)} ${diff.removedLines === 1 ? 'line' : 'lines'} out, ${formatInteger(diff.addedLines)} in`}
        {without.length > 0 && <span>not recorded in {without.join(' and ').toUpperCase()}</span>}
        {diff?.isCut && <span>very long: the end was not compared</span>}
        {diff?.isCoarse && <span>too different for line by line: the middle is shown as one change</span>}
      </h3>
      {diff !== null && diff.rows.length > 0 && <DiffView diff={diff} />}
    </section>
  );
}

const CONTEXT_LINES = 3;
const SHOWN_ROWS = 400;

function DiffView({ diff }: { diff: TextDiff }): ReactNode {
  const stretches = useMemo(() => foldRows(diff.rows, CONTEXT_LINES), [diff]);
  const [unfolded, setUnfolded] = useState<ReadonlySet<number>>(new Set());
  const [shown, setShown] = useState(SHOWN_ROWS);
  const isOpen = (stretch: Stretch): boolean => stretch.kind === 'rows' || unfolded.has(stretch.from);
  let left = shown;
  let hidden = 0;
  return (
    <>
      <div className="overflow-hidden rounded-md border font-mono text-xs">
        {stretches.map((stretch) => {
          if (!isOpen(stretch))
            return (
              <button
                key={stretch.from}
                type="button"
                className="block w-full bg-sunken px-3 py-0.5 text-left font-sans text-ink-3 hover:text-ink"
                onClick={() => setUnfolded(new Set([...unfolded, stretch.from]))}
              >
                ⋯ {formatInteger(stretch.rows.length)} lines the same
              </button>
            );
          const rows = stretch.rows.slice(0, left);
          left -= rows.length;
          hidden += stretch.rows.length - rows.length;
          return rows.map((row) => <Line key={`${row.aLine}/${row.bLine}`} row={row} />);
        })}
      </div>
      {hidden > 0 && (
        <button type="button" className="button button-small mt-1.5" onClick={() => setShown(shown + 5 * SHOWN_ROWS)}>
          Show more of {formatInteger(hidden)} lines
        </button>
      )}
    </>
  );
}

function Line({ row }: { row: DiffRow }): ReactNode {
  const isSame = row.kind === 'same';
  return (
    <div className="grid md:grid-cols-2">
      {/* On a phone the sides stand below one another: an equal line is shown once, a missing one not at all. */}
      <Half number={row.aLine} pieces={row.a} side="a" isSame={isSame} isHiddenOnPhone={row.a === null} />
      <Half number={row.bLine} pieces={isSame ? row.a : row.b} side="b" isSame={isSame} isHiddenOnPhone={isSame || row.b === null} />
    </div>
  );
}

interface HalfProps {
  readonly number: number | null;
  readonly pieces: DiffRow['a'];
  readonly side: 'a' | 'b';
  readonly isSame: boolean;
  readonly isHiddenOnPhone: boolean;
}

const SIDES = {
  a: { ground: 'bg-critical-soft', word: 'underline decoration-critical decoration-2 underline-offset-2', mark: '−', meaning: 'only in A' },
  b: { ground: 'bg-ok-soft', word: 'underline decoration-ok decoration-2 underline-offset-2', mark: '+', meaning: 'only in B' },
} as const;

function Half({ number, pieces, side, isSame, isHiddenOnPhone }: HalfProps): ReactNode {
  const { ground, word, mark, meaning } = SIDES[side];
  const isWhole = pieces?.length === 1;
  return (
    <div
      className={`${isHiddenOnPhone ? 'hidden md:flex' : 'flex'} min-w-0 gap-2 px-2 ${pieces === null ? 'bg-sunken' : isSame ? '' : ground} ${side === 'b' ? 'md:border-l' : ''}`}
    >
      <span className="tabular w-8 shrink-0 text-right text-ink-3 select-none" aria-hidden="true">
        {number ?? ''}
      </span>
      <span className="w-2 shrink-0 text-ink-3 select-none" aria-hidden="true">
        {isSame || pieces === null ? '' : mark}
      </span>
      <span className="min-w-0 flex-1 [overflow-wrap:anywhere] whitespace-pre-wrap">
        {!isSame && pieces !== null && <span className="sr-only">{meaning}: </span>}
        {pieces?.map(({ text, isChanged }, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a line have no identity but their place
          <span key={place} className={isChanged && !isWhole ? word : ''}>
            {text}
          </span>
        ))}
      </span>
    </div>
  );
}
