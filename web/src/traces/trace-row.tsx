// biome-ignore-all lint/a11y/useSemanticElements: rows of a virtual list stand at absolute places, which table elements cannot
// biome-ignore-all lint/a11y/useFocusableInteractive: the link inside a row has the focus
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { TraceSummary } from '../api/schema.ts';
import { formatCount, formatDuration, UNKNOWN } from '../format/number.ts';
import { formatClock, formatDay, formatMoment, type TimeZone } from '../format/time.ts';
import { deletionText } from '../trace/deletion-text.ts';
import { AttemptsBadge, SimulatedBadge } from '../ui/badges.tsx';
import { Cost } from '../ui/cost.tsx';
import { StateMark, StateShape } from '../ui/state-mark.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { MatchText } from './match-text.tsx';
import { NOT_YET, soFar, traceStatus } from './unfinished.ts';

export const ROW_HEIGHT = 34;
export const CARD_HEIGHT = 96;

const GRID =
  'grid grid-cols-[14px_108px_82px_minmax(118px,1.1fr)_minmax(90px,0.9fr)_minmax(140px,1.25fr)_minmax(120px,2.4fr)_92px_78px_60px_62px] items-center gap-x-3 px-3';

export function TraceListHeader(): ReactNode {
  return (
    <div role="row" className={`${GRID} h-8 shrink-0 overflow-hidden border-b text-xs text-ink-3 [scrollbar-gutter:stable]`}>
      <span role="columnheader">
        <span className="sr-only">Compare</span>
      </span>
      {['Time', 'Status', 'Feature', 'User · session', 'Model', 'Input'].map((name) => (
        <span key={name} role="columnheader">
          {name}
        </span>
      ))}
      {['Tokens', 'Cost', 'TTFT', 'Duration'].map((name) => (
        <span
          key={name}
          role="columnheader"
          className="text-right"
          data-tip={name === 'TTFT' ? 'Time to first token' : name === 'Tokens' ? 'Input → output' : undefined}
        >
          {name}
        </span>
      ))}
    </div>
  );
}

interface TraceRowProps {
  readonly trace: TraceSummary;
  readonly isNew: boolean;
  readonly isPicked: boolean;
  readonly onPick: (traceId: string) => void;
}

/** A day stands before the time only when it is not today. */
function compactTime(ms: number, zone: TimeZone): string {
  return formatDay(ms, zone) === formatDay(Date.now(), zone) ? formatClock(ms, zone) : formatMoment(ms, zone);
}

function TraceLink({ trace, children, className = '' }: { trace: TraceSummary; children: ReactNode; className?: string }): ReactNode {
  return (
    <Link
      to="/traces/$traceId"
      params={{ traceId: trace.traceId }}
      className={`stretched focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent focus-visible:outline-none ${className}`}
      data-row
    >
      {children}
    </Link>
  );
}

function tokens(trace: TraceSummary): string {
  if (trace.isUnfinished && trace.inputTokens === null && trace.outputTokens === null) return NOT_YET;
  if (trace.inputTokens === null && trace.outputTokens === null) return UNKNOWN;
  return `${formatCount(trace.inputTokens)} → ${formatCount(trace.outputTokens)}`;
}

/** Chooses the trace for a comparison; `x` does it for the row with the focus. */
function PickBox({ trace, isPicked, onPick }: Omit<TraceRowProps, 'isNew'>): ReactNode {
  return (
    <input
      type="checkbox"
      data-pick
      className="relative z-1 block size-3.5 accent-accent before:absolute before:-inset-2.5"
      aria-label={`Choose for a comparison: trace ${trace.traceId.slice(0, 8)} of ${trace.feature}`}
      checked={isPicked}
      onChange={() => onPick(trace.traceId)}
    />
  );
}

export function TraceRow({ trace, isNew, isPicked, onPick }: TraceRowProps): ReactNode {
  const { state, word } = traceStatus(trace);
  return (
    <div
      role="row"
      className={`${GRID} relative h-full border-b ${isPicked ? 'bg-accent-soft' : 'hover:bg-hover'} ${isNew ? 'enter' : ''}`}
    >
      <span role="cell">
        <PickBox trace={trace} isPicked={isPicked} onPick={onPick} />
      </span>
      <span role="cell">
        <TraceLink trace={trace}>
          <TimeText at={trace.startedAt} format={compactTime} />
        </TraceLink>
      </span>
      <span role="cell" className="relative z-1 w-fit" data-tip={trace.errorType ?? undefined}>
        <StateMark state={state} word={word} />
      </span>
      <span role="cell" className="truncate font-medium">
        {trace.feature}
      </span>
      <span role="cell" className="truncate text-ink-2">
        <bdi>{trace.user ?? trace.session ?? <span className="text-ink-3">{UNKNOWN}</span>}</bdi>
        {trace.user !== null && trace.session !== null && <bdi className="text-ink-3"> · {trace.session}</bdi>}
      </span>
      <span role="cell" className="flex min-w-0 items-center gap-1.5">
        <span className="truncate text-ink-2">{trace.models.join(', ') || <span className="text-ink-3">{UNKNOWN}</span>}</span>
        {trace.attempts > trace.requests && (
          <span className="relative z-1 shrink-0">
            <AttemptsBadge attempts={trace.attempts} />
          </span>
        )}
        {trace.isSimulated && (
          <span className="relative z-1 hidden shrink-0 min-[1560px]:inline">
            <SimulatedBadge />
          </span>
        )}
        {trace.isSimulated && (
          <span className="relative z-1 shrink-0 min-[1560px]:hidden">
            <SimulatedDot />
          </span>
        )}
      </span>
      <span role="cell" className="truncate text-ink-2">
        <Preview trace={trace} />
      </span>
      <span role="cell" className="tabular text-right whitespace-nowrap text-ink-2">
        {tokens(trace)}
      </span>
      <span role="cell" className="relative z-1 ml-auto w-fit truncate text-right">
        <TraceCost trace={trace} />
      </span>
      <span role="cell" className="tabular text-right text-ink-2">
        {formatDuration(trace.ttftMs)}
      </span>
      <span role="cell" className="tabular text-right">
        <TraceDuration trace={trace} />
      </span>
    </div>
  );
}

export function TraceCost({ trace }: { trace: TraceSummary }): ReactNode {
  if (trace.isUnfinished && trace.costPicoUsd === null) return <span className="text-ink-3">{NOT_YET}</span>;
  return <Cost picoUsd={trace.costPicoUsd} status={trace.costStatus} />;
}

/** Of one that has no end the list has no room for more than the words. */
function TraceDuration({ trace }: { trace: TraceSummary }): ReactNode {
  if (!trace.isUnfinished) return formatDuration(trace.durationMs);
  return (
    <span className="relative z-1 text-ink-3" data-tip={`${soFar(trace, Date.now())}; nobody told its end`}>
      {NOT_YET}
    </span>
  );
}

function SimulatedDot(): ReactNode {
  return (
    <span
      className="hatched inline-block rounded-sm border border-dashed border-line-strong px-1 text-2xs leading-4 text-ink-2"
      data-tip="simulated: no model was called and no money was spent"
    >
      sim<span className="sr-only">ulated</span>
    </span>
  );
}

function Preview({ trace }: { trace: TraceSummary }): ReactNode {
  if (trace.match !== null) return <MatchText match={trace.match} />;
  if (trace.inputPreview !== '') return <bdi>{trace.inputPreview}</bdi>;
  if (trace.textsDeleted !== null)
    return (
      <span className="text-ink-3 italic" data-tip={`Messages ${deletionText(trace.textsDeleted)}`}>
        deleted
      </span>
    );
  return <span className="text-ink-3 italic">not recorded</span>;
}

export function TraceCard({ trace, isNew, isPicked, onPick }: TraceRowProps): ReactNode {
  const { state, word } = traceStatus(trace);
  return (
    <div
      className={`relative flex h-full flex-col justify-center gap-1 border-b px-3 active:bg-hover ${isPicked ? 'bg-accent-soft' : ''} ${isNew ? 'enter' : ''}`}
    >
      <div className="flex items-center gap-2">
        <PickBox trace={trace} isPicked={isPicked} onPick={onPick} />
        <StateShape state={state} label={word} />
        <TraceLink trace={trace} className="truncate font-medium">
          {trace.feature}
        </TraceLink>
        {trace.attempts > trace.requests && <AttemptsBadge attempts={trace.attempts} />}
        <span className="ml-auto text-xs text-ink-3">
          <TimeText at={trace.startedAt} format={compactTime} />
        </span>
      </div>
      <div className="truncate text-ink-2">
        <Preview trace={trace} />
      </div>
      <div className="flex items-center gap-2 text-xs text-ink-3">
        <span className="truncate">{trace.models.join(', ') || UNKNOWN}</span>
        {trace.isSimulated && <SimulatedDot />}
      </div>
      <div className="tabular flex items-center justify-between gap-2 text-xs text-ink-2">
        <span>{tokens(trace)} tokens</span>
        <TraceCost trace={trace} />
        <span>
          <TraceDuration trace={trace} />
        </span>
      </div>
    </div>
  );
}
