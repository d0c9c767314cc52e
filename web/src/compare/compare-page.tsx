import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { FormEvent, ReactNode } from 'react';
import type { AlignedSpan, TraceDiff, TraceSummary } from '../api/schema.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { STATUS_WORDS } from '../traces/status-word.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { traceDiffQuery } from './compare-queries.ts';
import { type CompareSearch, parseCompareSearch } from './compare-search.ts';
import { NumbersTable } from './numbers-table.tsx';
import { SpanPairs } from './span-pairs.tsx';
import { MessagesDiff } from './text-diff-view.tsx';

const route = getRouteApi('/shell/compare');

export function ComparePage(): ReactNode {
  const { a, b, span } = useParsedSearch(route.useSearch(), parseCompareSearch);
  const navigate = route.useNavigate();
  const go = (search: CompareSearch, replace = false): void => void navigate({ search, replace, resetScroll: false });
  const isReady = a !== undefined && b !== undefined;
  return (
    <article className="flex min-w-0 flex-col gap-3">
      <PageHeader title="Compare two traces">
        {isReady && (
          <button type="button" className="button" onClick={() => go({ a: b, b: a })}>
            Swap A and B
          </button>
        )}
      </PageHeader>
      {isReady ? (
        <Comparison a={a} b={b} span={span} onSpan={(next) => go({ a, b, span: next }, true)} />
      ) : (
        <ChooseTraces a={a} b={b} onChosen={go} />
      )}
    </article>
  );
}

function ChooseTraces({
  a,
  b,
  onChosen,
}: {
  a: string | undefined;
  b: string | undefined;
  onChosen: (search: CompareSearch) => void;
}): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onChosen(parseCompareSearch({ a: form.get('a'), b: form.get('b') }));
  };
  return (
    <form className="panel flex max-w-xl flex-col gap-3 p-5" onSubmit={submit}>
      <p className="text-ink-2">
        Choose two in the list of{' '}
        <Link to="/traces" className="link">
          Traces
        </Link>
        , or enter their ids.
      </p>
      {(['a', 'b'] as const).map((side) => (
        <label key={side} className="flex flex-col gap-1">
          <span className="font-medium">Trace {side.toUpperCase()}</span>
          <input
            className="field font-mono"
            name={side}
            required
            pattern="\s*[0-9a-fA-F]{32}\s*"
            title="A trace id has 32 hexadecimal digits"
            autoComplete="off"
            spellCheck={false}
            defaultValue={side === 'a' ? a : b}
          />
        </label>
      ))}
      <button type="submit" className="button button-primary self-start">
        Compare
      </button>
    </form>
  );
}

interface ComparisonProps {
  readonly a: string;
  readonly b: string;
  readonly span: string | undefined;
  readonly onSpan: (span: string) => void;
}

function Comparison({ a, b, span, onSpan }: ComparisonProps): ReactNode {
  const diff = useQuery(traceDiffQuery(a, b));
  return (
    <QueryState query={diff} skeleton={<SkeletonRows count={14} height={32} />}>
      {(data) => {
        const pair = pairToShow(data, span);
        return (
          <>
            <div className="grid min-w-0 gap-3 md:grid-cols-2">
              <TraceHead side="A" trace={data.a} />
              <TraceHead side="B" trace={data.b} />
            </div>
            {a === b && <p className="text-ink-2">Both are the same trace: there is nothing to tell apart.</p>}
            <div className="grid min-w-0 items-start gap-3 xl:grid-cols-[minmax(0,5fr)_minmax(0,7fr)]">
              <NumbersTable numbers={data.numbers} />
              <SpanPairs diff={data} selected={pair} onSelect={(row) => onSpan(idOf(row))} />
            </div>
            <MessagesDiff
              traceIds={{ a: data.a.traceId, b: data.b.traceId }}
              pair={pair}
              entries={data.entries}
              isChosen={span !== undefined}
            />
          </>
        );
      }}
    </QueryState>
  );
}

/** How the URL names a row. */
export function idOf(row: AlignedSpan): string {
  return row.a?.spanId ?? row.b?.spanId ?? '';
}

/** The row that was chosen, else the one with the call that the trace is about. */
function pairToShow({ spans, entries }: TraceDiff, chosen: string | undefined): AlignedSpan | null {
  const wanted = chosen ?? entries.a;
  return spans.find((row) => idOf(row) === wanted) ?? null;
}

function TraceHead({ side, trace }: { side: 'A' | 'B'; trace: TraceSummary }): ReactNode {
  const { state, word } = STATUS_WORDS[trace.status];
  return (
    <section className="panel flex min-w-0 flex-col gap-0.5 px-4 py-2.5" aria-label={`Trace ${side}`}>
      <div className="flex min-w-0 flex-wrap items-center gap-x-3">
        <span className="font-mono text-xs text-ink-3">{side}</span>
        <Link to="/traces/$traceId" params={{ traceId: trace.traceId }} className="link truncate font-semibold">
          {trace.feature}
        </Link>
        <StateMark state={state} word={word} />
        <span className="text-ink-2">
          <TimeText at={trace.startedAt} />
        </span>
      </div>
      <p className="truncate text-ink-2">
        {trace.models.join(', ') || 'no model answered'}
        {trace.user !== null && (
          <>
            {' · '}
            <bdi>{trace.user}</bdi>
          </>
        )}
      </p>
      <p className="truncate font-mono text-2xs text-ink-3">{trace.traceId}</p>
    </section>
  );
}
