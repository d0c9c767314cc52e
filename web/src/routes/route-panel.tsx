import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { RouteDecisions, RouteReport, RouteView, TargetReport, TargetRow } from '../api/schema.ts';
import { formatUsd } from '../format/money.ts';
import { formatCount, formatInteger, formatPercent, UNKNOWN } from '../format/number.ts';
import { healthWord } from '../providers/health-text.ts';
import { type Range, searchOf } from '../range/range.ts';
import { ErrorRate, Quantile } from '../ui/attempt-columns.tsx';
import { Badge } from '../ui/badges.tsx';
import { Meter } from '../ui/meter.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { policyTexts, strategyText, type TargetShare, targetShares } from './route-text.ts';

interface RoutePanelProps {
  readonly route: RouteView;
  /** Undefined = not read yet. */
  readonly rows: readonly TargetRow[] | undefined;
  /** Null = no call in the range; undefined = not read yet. */
  readonly decided: RouteDecisions | null | undefined;
  /** What gateways counted since they started; undefined = none has said. */
  readonly live: RouteReport | undefined;
  readonly health: readonly TargetReport[];
  readonly range: Range;
}

const none = <span className="text-ink-3">{UNKNOWN}</span>;

export function RoutePanel({ route, rows, decided, live, health, range }: RoutePanelProps): ReactNode {
  const policies = policyTexts(route);
  return (
    <section aria-labelledby={`route-${route.name}`} className="flex min-w-0 flex-col gap-1">
      <div className="panel flex flex-wrap items-start gap-x-6 gap-y-2 px-4 py-2.5">
        <div className="mr-auto min-w-0 max-w-xl">
          <h2 id={`route-${route.name}`} className="flex flex-wrap items-center gap-x-2 text-base font-semibold">
            <Link to="/traces" search={{ ...searchOf(range), route: route.name }} className="hover:underline" data-row>
              {route.name}
            </Link>
            <Badge>{route.strategy}</Badge>
          </h2>
          <p className="text-xs text-ink-2">{[strategyText(route), ...policies].join('; ')}.</p>
          <p className="text-xs text-ink-3">
            {route.features.length === 0 ? 'No feature has it as its own; requests may name it.' : `Route of ${route.features.join(', ')}.`}
          </p>
        </div>
        <dl className="tabular grid w-full grid-cols-3 gap-x-4 gap-y-2 sm:flex sm:w-auto sm:flex-wrap sm:gap-x-6">
          <Fact name="Calls">{decided === undefined ? none : formatCount(decided?.calls ?? 0)}</Fact>
          <Fact name="Decided" tip="Calls for which there was something to decide: not a plain route whose targets were all fine">
            {decided === undefined ? none : formatCount(decided?.decided ?? 0)}
          </Fact>
          <Fact name="Fell back" tip="Ended at another target than the first that was asked">
            {decided === undefined ? none : formatCount(decided?.fellBack ?? 0)}
          </Fact>
          <Fact name="Retries" tip="Attempts in the range">
            {rolesText(route.name, rows, 'retry')}
          </Fact>
          {route.hedge !== null && (
            <Fact
              name="Hedges"
              tip={live && `Since the gateways started ${formatInteger(live.hedgesWon)} of ${formatInteger(live.hedges)} answered first`}
            >
              {rolesText(route.name, rows, 'hedge')}
            </Fact>
          )}
          <Fact
            name="Saving, estimated"
            tip="What the model that would have been asked otherwise had cost for the same tokens, less what was paid"
          >
            <Saving decided={decided} />
          </Fact>
          {live?.shadow && (
            <Fact
              name={`Shadow ${live.shadow.model}`}
              tip={`${formatInteger(live.shadow.skipped)} not mirrored: over budget, too many at once, or not translatable`}
            >
              {formatCount(live.shadow.calls)} · {formatUsd(live.shadow.spentTodayPicoUsd)} of {formatUsd(live.shadow.maxTodayPicoUsd)}{' '}
              today
            </Fact>
          )}
        </dl>
        <Reasons decided={decided} live={live} />
      </div>
      <Table
        caption={`Targets of ${route.name}`}
        rows={targetShares(route, rows)}
        columns={columnsOf(route, health, range)}
        rowKey={(target) => `${target.model} ${target.when ?? ''}`}
        empty=""
        minWidth={920}
      />
    </section>
  );
}

function Fact({ name, tip, children }: { name: string; tip?: string | undefined; children: ReactNode }): ReactNode {
  return (
    <div className="min-w-0" data-tip={tip}>
      <dt className="label">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function rolesText(name: string, rows: readonly TargetRow[] | undefined, role: keyof TargetRow['roles']): ReactNode {
  if (rows === undefined) return none;
  return formatCount(rows.reduce((sum, row) => sum + (row.route === name ? row.roles[role] : 0), 0));
}

function Saving({ decided }: { decided: RouteDecisions | null | undefined }): ReactNode {
  if (decided === undefined) return none;
  if (decided === null || decided.savedPicoUsd === null) return <span className="text-ink-3">unmeasured</span>;
  return (
    <span className="whitespace-nowrap">
      ≈ {formatUsd(decided.savedPicoUsd)} <span className="text-xs text-ink-3">n = {formatInteger(decided.savedCalls)}</span>
    </span>
  );
}

/** Difficulties in the range, and why calls went where they went since the gateways started. */
function Reasons({ decided, live }: Pick<RoutePanelProps, 'decided' | 'live'>): ReactNode {
  const tiers = Object.entries(decided?.tiers ?? {}).sort(([, a], [, b]) => b - a);
  const reasons = Object.entries(live?.decisions ?? {}).sort(([, a], [, b]) => b - a);
  if (tiers.length === 0 && reasons.length === 0) return null;
  return (
    <p className="w-full text-xs text-ink-2">
      {tiers.length > 0 && <>Judged {tiers.map(([tier, calls]) => `${tier} ${formatInteger(calls)}`).join(', ')}. </>}
      {reasons.length > 0 && (
        <>Decisions since the start: {reasons.map(([reason, calls]) => `${reason} ${formatInteger(calls)}`).join(', ')}.</>
      )}
    </p>
  );
}

function columnsOf(route: RouteView, health: readonly TargetReport[], range: Range): readonly Column<TargetShare>[] {
  const hasWeights = route.strategy === 'weight' || route.strategy === 'sticky';
  return [
    {
      key: 'model',
      header: 'Target',
      className: 'sticky left-0 z-1 w-44 bg-surface group-hover:bg-hover',
      cell: ({ model, provider, weight, tier, when, isConfigured }) => {
        const rules = [provider, tier, hasWeights && weight !== null ? `weight ${weight}` : null].filter((rule) => rule !== null);
        return (
          <span className="block max-w-64 py-1">
            <Link
              to="/traces"
              search={{ ...searchOf(range), route: route.name, model }}
              className="font-medium whitespace-nowrap hover:underline"
            >
              {model}
            </Link>
            <span className="block text-xs whitespace-nowrap text-ink-3">
              {isConfigured ? rules.join(' · ') : 'no longer in the route'}
            </span>
            {when !== null && (
              <span className="block truncate text-xs text-ink-2" data-tip={when}>
                when {when}
              </span>
            )}
          </span>
        );
      },
    },
    {
      key: 'health',
      header: 'Health now',
      className: 'w-32',
      cell: ({ model, isConfigured }) =>
        isConfigured ? <StateMark {...healthWord(health.find((report) => report.model === model))} /> : none,
    },
    {
      key: 'share',
      header: 'Share of answers',
      className: 'w-56',
      cell: ({ share, row }) =>
        share === null ? (
          row === undefined ? (
            none
          ) : (
            <span className="text-ink-3">unmeasured</span>
          )
        ) : (
          <span className="flex items-center gap-2.5">
            <Meter
              label={`${formatPercent(share)} of the answers, ${formatInteger(row?.answered ?? 0)}`}
              usedRatio={share}
              reservedRatio={0}
              state="within"
            />
            <span className="tabular w-14 shrink-0 text-right">{formatPercent(share)}</span>
          </span>
        ),
    },
    { key: 'answers', header: 'Answers', isNumeric: true, cell: ({ row }) => (row === undefined ? none : formatCount(row?.answered ?? 0)) },
    {
      key: 'attempts',
      header: 'Attempts',
      isNumeric: true,
      cell: ({ row }) => (row === undefined ? none : formatCount(row?.attempts ?? 0)),
    },
    {
      key: 'fallbacks',
      header: 'As fallback',
      isNumeric: true,
      cell: ({ row }) => (row === undefined ? none : formatCount(row?.roles.fallback ?? 0)),
    },
    { key: 'errors', header: 'Errors, 95 % interval', isNumeric: true, cell: ({ row }) => <ErrorRate row={row} /> },
    { key: 'p95', header: 'P95', isNumeric: true, cell: ({ row }) => <Quantile row={row} of="answer" at="p95" /> },
  ];
}
