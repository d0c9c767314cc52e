import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { sessionQuery } from '../api/queries.ts';
import type { SessionTurn } from '../api/schema.ts';
import { formatCount, formatDuration, UNKNOWN } from '../format/number.ts';
import { formatMoment } from '../format/time.ts';
import { useTitle } from '../shell/page-header.tsx';
import { STATUS_WORDS } from '../traces/status-word.ts';
import { Cost } from '../ui/cost.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { Total, UsageTotals } from './usage-totals.tsx';

const route = getRouteApi('/shell/sessions/$session');

/** A conversation in the order of time: what was new in each request, and its answer. */
export function SessionPage(): ReactNode {
  const { session } = route.useParams();
  const detail = useInfiniteQuery(sessionQuery(session));
  useTitle(`Session ${session}`);
  return (
    <article className="flex min-w-0 flex-col gap-3">
      <header className="flex flex-wrap items-end gap-x-3 gap-y-2">
        <div className="mr-auto min-w-0">
          <nav aria-label="Breadcrumb" className="text-xs text-ink-3">
            <Link to="/sessions" className="hover:underline">
              Sessions
            </Link>{' '}
            /
          </nav>
          <h1 className="truncate text-lg font-semibold tracking-tight">
            <bdi>{session}</bdi>
          </h1>
        </div>
        <Link to="/traces" search={{ session, range: '30d' }} className="button">
          Show its traces
        </Link>
      </header>
      <QueryState query={detail} skeleton={<SkeletonRows count={10} height={56} />}>
        {(data) => {
          const summary = data.pages[0]?.session;
          return (
            <>
              {summary && (
                <UsageTotals of={summary}>
                  <Total name={summary.userCount === 1 ? 'User' : 'Users'}>
                    {summary.users.length === 0 ? UNKNOWN : <Users users={summary.users} />}
                  </Total>
                </UsageTotals>
              )}
              <ol className="flex flex-col gap-3" aria-label="Conversation">
                {data.pages
                  .flatMap((page) => page.turns)
                  .map((turn) => (
                    <Turn key={turn.spanId} turn={turn} />
                  ))}
              </ol>
              {detail.hasNextPage && (
                <button
                  type="button"
                  className="button self-start"
                  disabled={detail.isFetchingNextPage}
                  onClick={() => void detail.fetchNextPage()}
                >
                  Show what follows
                </button>
              )}
            </>
          );
        }}
      </QueryState>
    </article>
  );
}

function Users({ users }: { users: readonly string[] }): ReactNode {
  return users.map((user, place) => (
    <span key={user}>
      {place > 0 && ', '}
      <Link to="/users/$user" params={{ user }} className="link">
        <bdi>{user}</bdi>
      </Link>
    </span>
  ));
}

function Turn({ turn }: { turn: SessionTurn }): ReactNode {
  const { state, word } = STATUS_WORDS[turn.status];
  return (
    <li className="panel flex min-w-0 flex-col">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b px-3.5 py-1.5 text-xs text-ink-2">
        <Link to="/traces/$traceId" params={{ traceId: turn.traceId }} search={{ span: turn.spanId }} className="link" data-row>
          <TimeText at={turn.startedAt} format={formatMoment} />
        </Link>
        {turn.status !== 'ok' && <StateMark state={state} word={word} />}
        <span>{turn.feature}</span>
        <span className="truncate">{turn.models.join(', ') || UNKNOWN}</span>
        <span className="tabular ml-auto">
          {formatCount(turn.inputTokens)} → {formatCount(turn.outputTokens)} tokens
        </span>
        <Cost picoUsd={turn.costPicoUsd} status={turn.costStatus} />
        <span className="tabular">{formatDuration(turn.durationMs)}</span>
      </div>
      <Words name="New in the request" text={turn.input} />
      <Words name="Answer" text={turn.output} />
      {turn.statusMessage !== '' && <p className="px-3.5 pb-2.5 text-critical">{turn.statusMessage}</p>}
    </li>
  );
}

function Words({ name, text }: { name: string; text: string | null }): ReactNode {
  return (
    <div className="px-3.5 py-2.5 not-last:border-b">
      <h2 className="label mb-1">{name}</h2>
      {text === null ? (
        <p className="text-ink-3 italic">not recorded</p>
      ) : (
        <p dir="auto" className="max-h-80 max-w-prose overflow-y-auto break-words whitespace-pre-wrap">
          {text}
        </p>
      )}
    </div>
  );
}
