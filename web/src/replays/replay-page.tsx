import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { replayItemsQuery, replayQuery } from '../api/queries.ts';
import type { ReplayItem, ReplayReport } from '../api/schema.ts';
import { approximateUsd, formatUsd, formatUsdNumber } from '../format/money.ts';
import { formatCount, formatDuration, UNKNOWN } from '../format/number.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { Cost } from '../ui/cost.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { changeText, isOver, modelText, progressText, REPLAY_STATES, sourceText } from './replay-text.ts';
import { SideBySide } from './side-by-side.tsx';

const route = getRouteApi('/shell/replays/$id');

export function ReplayPage(): ReactNode {
  const { id } = route.useParams();
  const { call } = route.useSearch();
  const report = useQuery(replayQuery(id));
  return (
    <QueryState query={report} skeleton={<SkeletonRows count={8} height={36} />}>
      {(run) => (
        <article className="flex flex-col gap-3">
          <Header run={run} />
          <Facts run={run} />
          <Results run={run} />
          <Calls run={run} selected={call ?? null} />
        </article>
      )}
    </QueryState>
  );
}

function Header({ run }: { run: ReplayReport }): ReactNode {
  return (
    <div>
      <nav aria-label="Breadcrumb" className="text-xs text-ink-3">
        <Link to="/replays" className="hover:underline">
          Replays
        </Link>{' '}
        / <span className="font-mono">{run.id.slice(-8)}</span>
      </nav>
      <PageHeader title={`Replay of ${sourceText(run.request)}`}>
        <StateMark {...REPLAY_STATES[run.state]} />
        <Actions run={run} />
      </PageHeader>
      {run.reason !== null && <p className="text-ink-2">{run.reason}</p>}
    </div>
  );
}

function Actions({ run }: { run: ReplayReport }): ReactNode {
  const queryClient = useQueryClient();
  const act = useMutation({
    mutationFn: (verb: 'start' | 'cancel') =>
      unwrap<ReplayReport>(
        verb === 'start'
          ? api.POST('/api/v1/replays/{id}/start', { params: { path: { id: run.id } } })
          : api.POST('/api/v1/replays/{id}/cancel', { params: { path: { id: run.id } } }),
      ),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['replay', run.id] }),
  });
  if (isOver(run)) return null;
  return (
    <>
      {act.error && (
        <span role="alert" className="text-critical">
          {asApiError(act.error).message}
        </span>
      )}
      <button type="button" className="button" disabled={act.isPending} onClick={() => act.mutate('cancel')}>
        {run.state === 'running' ? 'Stop after the calls under way' : 'Cancel'}
      </button>
      {run.state === 'ready' && (
        <button type="button" className="button button-primary" disabled={act.isPending} onClick={() => act.mutate('start')}>
          Make {formatCount(run.selected)} {run.selected === 1 ? 'call' : 'calls'}
        </button>
      )}
    </>
  );
}

function Fact({ name, children, tip }: { name: string; children: ReactNode; tip?: string }): ReactNode {
  return (
    <div data-tip={tip}>
      <dt className="text-xs text-ink-3">{name}</dt>
      <dd className="tabular whitespace-nowrap">{children}</dd>
    </div>
  );
}

function Facts({ run }: { run: ReplayReport }): ReactNode {
  const skipped = Object.entries(run.skipped);
  const { summary } = run;
  return (
    <section className="panel flex flex-col gap-2 px-4 py-2.5" aria-label="Plan and progress">
      <dl className="flex flex-wrap gap-x-8 gap-y-2">
        <Fact name="Asked">{modelText(run.request)}</Fact>
        <Fact name="Calls made">{progressText(run)}</Fact>
        <Fact name="Errors">{formatCount(summary.errors + summary.failed)}</Fact>
        <Fact name="Expected" tip="The recorded tokens at the price of the model that is asked.">
          {run.expectedPicoUsd === null ? UNKNOWN : formatUsd(run.expectedPicoUsd)}
        </Fact>
        <Fact name="At most" tip="Upper estimate: tokens with a margin, and the longest answer that a request allows.">
          {run.estimatePicoUsd === null ? UNKNOWN : formatUsd(run.estimatePicoUsd)}
        </Fact>
        <Fact name="Spent">{formatUsd(summary.spentPicoUsd)}</Fact>
        <Fact name="Ceiling">{formatUsdNumber(run.request.maxCostUsd)}</Fact>
        <Fact name="Asked for">
          <TimeText at={run.requestedAtMs} />
        </Fact>
      </dl>
      {skipped.length > 0 && (
        <p className="text-xs text-ink-3">Left out: {skipped.map(([reason, count]) => `${formatCount(count)}: ${reason}`).join('; ')}.</p>
      )}
    </section>
  );
}

interface Line {
  readonly name: string;
  readonly recorded: string;
  readonly replayed: string;
  readonly change: string | null;
  readonly n: number;
}

function linesOf({ summary }: ReplayReport): Line[] {
  const { cost, medianDurationMs: duration, medianOutputTokens: tokens } = summary;
  const count = (value: number | null): string => (value === null ? UNKNOWN : formatCount(value));
  return [
    {
      name: 'Cost, all pairs',
      recorded: formatUsd(cost.recordedPicoUsd),
      replayed: formatUsd(cost.replayedPicoUsd),
      change: changeText(approximateUsd(cost.recordedPicoUsd), approximateUsd(cost.replayedPicoUsd)),
      n: cost.n,
    },
    {
      name: 'Duration, median',
      recorded: formatDuration(duration.recorded),
      replayed: formatDuration(duration.replayed),
      change: changeText(duration.recorded, duration.replayed),
      n: duration.n,
    },
    {
      name: 'Output tokens, median',
      recorded: count(tokens.recorded),
      replayed: count(tokens.replayed),
      change: changeText(tokens.recorded, tokens.replayed),
      n: tokens.n,
    },
  ];
}

const LINE_COLUMNS: Column<Line>[] = [
  { key: 'name', header: 'Pairs that both succeeded', cell: ({ name }) => <span className="whitespace-nowrap">{name}</span> },
  { key: 'recorded', header: 'Recorded', isNumeric: true, cell: ({ recorded }) => recorded },
  { key: 'replayed', header: 'Replayed', isNumeric: true, cell: ({ replayed }) => replayed },
  { key: 'change', header: 'Change', isNumeric: true, cell: ({ change }) => change ?? UNKNOWN },
  { key: 'n', header: 'n', isNumeric: true, cell: ({ n }) => formatCount(n) },
];

function Results({ run }: { run: ReplayReport }): ReactNode {
  const { sameText, medianWordOverlap, quality, done } = run.summary;
  if (done === 0) return null;
  return (
    <section className="flex flex-col gap-2" aria-label="Results">
      <Table
        caption="Recorded and replayed"
        rows={linesOf(run)}
        columns={LINE_COLUMNS}
        rowKey={({ name }) => name}
        empty=""
        minWidth={560}
      />
      <p className="text-xs text-ink-3">
        Same text in {formatCount(sameText.count)} of {formatCount(sameText.n)}; word overlap{' '}
        {medianWordOverlap.value === null ? UNKNOWN : medianWordOverlap.value.toFixed(2)} (median, 1 = the same words). Likeness is no
        quality; quality is {quality}.
      </p>
    </section>
  );
}

function Calls({ run, selected }: { run: ReplayReport; selected: number | null }): ReactNode {
  const items = useInfiniteQuery(replayItemsQuery(run.id, !isOver(run)));
  const rows = items.data?.pages.flatMap((page) => page.items) ?? [];
  const current = rows.find(({ number }) => number === selected) ?? null;
  if (run.selected === 0) return null;
  return (
    <QueryState query={items} skeleton={<SkeletonRows count={6} height={36} />}>
      {() => (
        <>
          {current !== null && <SideBySide item={current} />}
          <Table
            caption="Calls"
            rows={rows}
            columns={ITEM_COLUMNS}
            rowKey={({ number }) => `${number}`}
            empty="No call was chosen."
            minWidth={860}
          />
          {items.hasNextPage && (
            <button
              type="button"
              className="button self-start"
              disabled={items.isFetchingNextPage}
              onClick={() => void items.fetchNextPage()}
            >
              Show more calls
            </button>
          )}
        </>
      )}
    </QueryState>
  );
}

function Outcome({ item }: { item: ReplayItem }): ReactNode {
  const { state, replayed, message } = item;
  if (replayed !== null)
    return replayed.status === 'ok' ? (
      <StateMark state="ok" word="ok" />
    ) : (
      <StateMark state="critical" word={replayed.errorType ?? replayed.status} />
    );
  if (state === 'failed') return <StateMark state="critical" word={message ?? 'failed'} />;
  return <StateMark state="neutral" word={state === 'sent' ? 'under way' : 'waiting'} />;
}

const ITEM_COLUMNS: Column<ReplayItem>[] = [
  {
    key: 'number',
    header: '#',
    isNumeric: true,
    className: 'w-10',
    cell: ({ number }) => (
      <Link from="/replays/$id" to="." search={{ call: number }} resetScroll={false} className="stretched" data-row>
        {number}
      </Link>
    ),
  },
  {
    key: 'models',
    header: 'Model',
    cell: ({ recorded, replayed }) => (
      <span className="whitespace-nowrap">
        {recorded.model ?? UNKNOWN} → {replayed?.model ?? UNKNOWN}
      </span>
    ),
  },
  { key: 'outcome', header: 'Outcome', cell: (item) => <Outcome item={item} /> },
  {
    key: 'costBefore',
    header: 'Cost',
    isNumeric: true,
    cell: ({ recorded }) => <Cost picoUsd={recorded.costPicoUsd} status={recorded.costStatus} />,
  },
  {
    key: 'costAfter',
    header: '→ replayed',
    isNumeric: true,
    cell: ({ replayed }) => (replayed === null ? UNKNOWN : <Cost picoUsd={replayed.costPicoUsd} status={replayed.costStatus} />),
  },
  { key: 'msBefore', header: 'Duration', isNumeric: true, cell: ({ recorded }) => formatDuration(recorded.durationMs) },
  { key: 'msAfter', header: '→ replayed', isNumeric: true, cell: ({ replayed }) => formatDuration(replayed?.durationMs ?? null) },
  {
    key: 'overlap',
    header: 'Words alike',
    isNumeric: true,
    tip: 'Dice coefficient over the words of both answers; 1 = the same words',
    cell: ({ comparison }) => (comparison === null ? UNKNOWN : comparison.isSameText ? 'same text' : comparison.wordOverlap.toFixed(2)),
  },
];
