import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { spanTextsQuery, traceQuery } from '../api/queries.ts';
import type { Span, TraceDetail } from '../api/schema.ts';
import { CompareButton } from '../compare/compare-dialog.tsx';
import { AddToDatasetButton } from '../datasets/add-to-dataset.tsx';
import { formatCount, formatDuration, formatInteger } from '../format/number.ts';
import { formatDate, formatMoment } from '../format/time.ts';
import { ReplayButton } from '../replays/replay-button.tsx';
import { useTitle } from '../shell/page-header.tsx';
import { parseTraceSearch, useParsedSearch } from '../shell/search.ts';
import { TraceCost } from '../traces/trace-row.tsx';
import { NOT_YET, soFar, traceStatus } from '../traces/unfinished.ts';
import { AttemptsBadge, Badge, SimulatedBadge } from '../ui/badges.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { curlOf } from './curl.ts';
import { ScoresPanel } from './scores-panel.tsx';
import { SpanPanel } from './span-panel.tsx';
import { type SpanView, SpanViews } from './span-views.tsx';
import { firstSpanToShow } from './waterfall.ts';

const route = getRouteApi('/shell/traces/$traceId');

export function TracePage(): ReactNode {
  const { traceId } = route.useParams();
  const trace = useQuery(traceQuery(traceId));
  useTitle(`Trace ${traceId.slice(0, 8)}`);
  return (
    <QueryState query={trace} skeleton={<TraceSkeleton />}>
      {(detail) => <TraceView detail={detail} />}
    </QueryState>
  );
}

function TraceSkeleton(): ReactNode {
  return (
    <div className="flex flex-col gap-3">
      <div className="h-12" />
      <div className="panel h-16" />
      <SkeletonRows count={8} height={28} />
    </div>
  );
}

function TraceView({ detail }: { detail: TraceDetail }): ReactNode {
  const { spans } = detail;
  const search = useParsedSearch(route.useSearch(), parseTraceSearch);
  const navigate = route.useNavigate();
  const go = ({ span, view }: { span?: string; view?: SpanView }): void =>
    void navigate({
      search: { ...(span === undefined ? {} : { span }), ...(view === 'graph' ? { view } : {}) },
      replace: true,
      resetScroll: false,
    });
  const entry = firstSpanToShow(spans);
  const selected = spans.find((span) => span.spanId === search.span) ?? entry;
  return (
    <article className="flex min-w-0 flex-col gap-3">
      <TraceHeader detail={detail} />
      <Totals detail={detail} />
      <ScoresPanel traceId={detail.trace.traceId} />
      <div className={`grid min-w-0 items-start gap-3 ${search.view === 'graph' ? '' : 'xl:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]'}`}>
        <SpanViews
          spans={spans}
          selectedId={selected?.spanId ?? null}
          view={search.view ?? 'waterfall'}
          onView={(view) => go({ ...search, view })}
          onSelect={(span) => go({ ...search, span })}
        />
        {selected && <SelectedSpan span={selected} detail={detail} />}
      </div>
    </article>
  );
}

function SelectedSpan({ span, detail: { trace, spans, hasTexts } }: { span: Span; detail: TraceDetail }): ReactNode {
  const texts = useQuery({ ...spanTextsQuery(trace.traceId, span.spanId), enabled: !hasTexts });
  if (hasTexts) return <SpanPanel span={span} spans={spans} />;
  return (
    <QueryState query={texts} skeleton={<SkeletonRows count={8} height={28} />}>
      {(found) => <SpanPanel span={found === null ? span : { ...span, ...found }} spans={spans} />}
    </QueryState>
  );
}

function TraceHeader({ detail: { trace, spans } }: { detail: TraceDetail }): ReactNode {
  const { state, word } = traceStatus(trace);
  const curl = curlOf(trace, spans.find((span) => span.isEntry && span.kind === 'gateway') ?? null, location.origin);
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <div className="mr-auto min-w-0">
        <nav aria-label="Breadcrumb" className="text-xs text-ink-3">
          <Link to="/traces" className="hover:underline">
            Traces
          </Link>{' '}
          / <span className="font-mono">{trace.traceId.slice(0, 8)}</span>
        </nav>
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="text-lg font-semibold tracking-tight">{trace.feature}</h1>
          <StateMark state={state} word={word} />
          {trace.attempts > trace.requests && <AttemptsBadge attempts={trace.attempts} />}
          {trace.isStream && <Badge tip="The answer was streamed.">stream</Badge>}
          {trace.isSimulated && <SimulatedBadge />}
          <span className="text-ink-2">
            <TimeText at={trace.startedAt} format={(ms, zone) => `${formatDate(ms, zone)} ${formatMoment(ms, zone).split(' ').at(-1)}`} />
          </span>
        </div>
      </div>
      <CompareButton trace={trace} />
      <AddToDatasetButton origin={() => ({ traceId: trace.traceId })} what="this trace" />
      <ReplayButton source={{ traceId: trace.traceId }} what="this trace" />
      <CopyButton text={trace.traceId} label="Copy trace id" />
      {curl.kind === 'command' ? (
        <CopyButton text={curl.text} label="Copy as curl" />
      ) : (
        <span data-tip={curl.reason} className="inline-flex">
          <button type="button" className="button button-small" disabled aria-label={`Copy as curl: ${curl.reason}`}>
            Copy as curl
          </button>
        </span>
      )}
    </header>
  );
}

function NotYet(): ReactNode {
  return <span className="text-ink-3">{NOT_YET}</span>;
}

function Totals({ detail: { trace } }: { detail: TraceDetail }): ReactNode {
  return (
    <dl className="panel flex flex-wrap gap-x-8 gap-y-2 px-4 py-2.5">
      <Total name="Duration">
        {trace.isUnfinished ? (
          <span className="text-ink-3">{`${NOT_YET}: ${soFar(trace, Date.now())}`}</span>
        ) : (
          formatDuration(trace.durationMs)
        )}
      </Total>
      <Total name="First token">{trace.isUnfinished && trace.ttftMs === null ? <NotYet /> : formatDuration(trace.ttftMs)}</Total>
      <Total name="Tokens">
        {trace.inputTokens === null && trace.outputTokens === null ? (
          <span className="text-ink-3">{trace.isUnfinished ? NOT_YET : 'not known'}</span>
        ) : (
          `${formatCount(trace.inputTokens)} in · ${formatCount(trace.outputTokens)} out`
        )}
      </Total>
      <Total name="Cost">
        <TraceCost trace={trace} />
      </Total>
      <Total name="Provider calls">{formatInteger(trace.attempts)}</Total>
      <Total name="Model">
        {trace.models.join(', ') || <span className="text-ink-3">{trace.isUnfinished ? NOT_YET : 'none answered'}</span>}
      </Total>
      {trace.user !== null && (
        <Total name="User">
          <Link to="/traces" search={{ user: trace.user, range: '7d' }} className="link">
            <bdi>{trace.user}</bdi>
          </Link>
        </Total>
      )}
      {trace.session !== null && (
        <Total name="Session">
          <Link to="/traces" search={{ session: trace.session, range: '7d' }} className="link">
            <bdi>{trace.session}</bdi>
          </Link>
        </Total>
      )}
      {trace.team !== null && <Total name="Team">{trace.team}</Total>}
      {trace.customer !== null && <Total name="Customer">{trace.customer}</Total>}
      {Object.entries(trace.tags).map(([name, value]) => (
        <Total key={name} name={name}>
          {value}
        </Total>
      ))}
    </dl>
  );
}

function Total({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div className="min-w-0">
      <dt className="label">{name}</dt>
      <dd className="tabular max-w-72 truncate font-medium">{children}</dd>
    </div>
  );
}
