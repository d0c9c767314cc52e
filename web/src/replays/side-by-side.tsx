import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { traceQuery } from '../api/queries.ts';
import type { ReplayItem, Span } from '../api/schema.ts';
import { Answer, Question } from '../trace/messages.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';

/** The question once, and the two answers to it. */
export function SideBySide({ item }: { item: ReplayItem }): ReactNode {
  return (
    <section className="panel flex min-w-0 flex-col gap-3 p-4" aria-label={`Call ${item.number}`}>
      <h2 className="font-semibold">Call {item.number}</h2>
      <OneSpan traceId={item.recorded.traceId} spanId={item.recorded.spanId}>
        {(span) => <Question span={span} />}
      </OneSpan>
      <div className="grid min-w-0 gap-4 md:grid-cols-2">
        <Side
          title={`Recorded · ${item.recorded.model ?? 'model not known'}`}
          traceId={item.recorded.traceId}
          spanId={item.recorded.spanId}
        />
        {item.replayed === null ? (
          <p className="text-ink-3">{item.message ?? 'Not made yet.'}</p>
        ) : (
          <Side
            title={`Replayed · ${item.replayed.model ?? 'model not known'}`}
            traceId={item.replayed.traceId}
            spanId={item.replayed.spanId}
          />
        )}
      </div>
    </section>
  );
}

function Side({ title, traceId, spanId }: { title: string; traceId: string; spanId: string }): ReactNode {
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <h3 className="flex items-baseline gap-3 text-xs font-semibold text-ink-3">
        {title}
        <Link to="/traces/$traceId" params={{ traceId }} search={{ span: spanId }} className="link font-normal">
          trace
        </Link>
      </h3>
      <OneSpan traceId={traceId} spanId={spanId}>
        {(span) => <Answer span={span} />}
      </OneSpan>
    </div>
  );
}

function OneSpan({ traceId, spanId, children }: { traceId: string; spanId: string; children: (span: Span) => ReactNode }): ReactNode {
  const trace = useQuery(traceQuery(traceId));
  return (
    <QueryState query={trace} skeleton={<SkeletonRows count={2} height={36} />}>
      {({ spans }) => {
        const span = spans.find((each) => each.spanId === spanId);
        return span === undefined ? <p className="text-ink-3">This call is no longer in the store.</p> : children(span);
      }}
    </QueryState>
  );
}
