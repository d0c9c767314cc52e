import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { ModelView, ProviderView, TargetReport, TargetRow } from '../api/schema.ts';
import { formatCount, formatDuration, formatInteger, UNKNOWN } from '../format/number.ts';
import { formatAgo, formatDate } from '../format/time.ts';
import { type Range, searchOf } from '../range/range.ts';
import { Attempts, attemptColumns, ErrorRate, Quantile } from '../ui/attempt-columns.tsx';
import { Badge, SimulatedBadge } from '../ui/badges.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { bySeverity, corroboration, ejectionText, healthWord, statusPageWord, summaryWord } from './health-text.ts';

interface TargetLine {
  readonly name: string;
  readonly report: TargetReport | undefined;
  /** Null = no attempt in the range; undefined = not read yet. */
  readonly row: TargetRow | null | undefined;
  readonly model: ModelView | undefined;
}

interface ProviderPanelProps {
  readonly provider: ProviderView;
  /** Undefined = not read yet. */
  readonly totals: readonly TargetRow[] | undefined;
  readonly rows: readonly TargetRow[] | undefined;
  readonly models: readonly ModelView[];
  readonly range: Range;
}

export function ProviderPanel({ provider, totals, rows, models, range }: ProviderPanelProps): ReactNode {
  const { name, kind, isSimulated, isSelfHosted, region, targets } = provider;
  const total = totals && (totals.find((row) => row.provider === name) ?? null);
  const names = [...new Set([...provider.models, ...targets.map(({ model }) => model)])];
  const lines: TargetLine[] = names.map((alias) => ({
    name: alias,
    report: targets.find(({ model }) => model === alias),
    row: rows && (rows.find((row) => row.provider === name && row.target === alias) ?? null),
    model: models.find((model) => model.name === alias),
  }));
  lines.sort((a, b) => bySeverity(healthWord(a.report), healthWord(b.report)) || (b.row?.attempts ?? 0) - (a.row?.attempts ?? 0));
  return (
    <section aria-labelledby={`provider-${name}`} className="flex min-w-0 flex-col gap-1">
      <div className="panel flex flex-wrap items-center gap-x-6 gap-y-2 px-4 py-2.5">
        <div className="mr-auto min-w-0">
          <h2 id={`provider-${name}`} className="flex flex-wrap items-center gap-x-2 text-base font-semibold">
            <Link to="/traces" search={{ ...searchOf(range), provider: name }} className="hover:underline" data-row>
              {name}
            </Link>
            {isSimulated && <SimulatedBadge />}
            {region !== null && <Badge tip="Declared region">{region}</Badge>}
            {isSelfHosted && <Badge tip="Declared to run on your own machines">self-hosted</Badge>}
          </h2>
          <p className="text-xs text-ink-3">
            {kind} · {formatInteger(provider.models.length)} {provider.models.length === 1 ? 'model' : 'models'}
          </p>
        </div>
        <dl className="grid w-full grid-cols-3 gap-x-4 gap-y-2 sm:flex sm:w-auto sm:flex-wrap sm:gap-x-6">
          <Fact name="Health">
            <StateMark {...summaryWord(targets, names.length)} />
          </Fact>
          <Fact name="Attempts">
            <Attempts row={total} />
          </Fact>
          <Fact name="Errors">
            <ErrorRate row={total} />
          </Fact>
          <Fact name="P50">
            <Quantile row={total} of="answer" at="p50" />
          </Fact>
          <Fact name="P95">
            <Quantile row={total} of="answer" at="p95" />
            {total?.durationMs && <span className="ml-1.5 text-xs text-ink-3">n = {formatCount(total.answered)}</span>}
          </Fact>
          <StatusPage provider={provider} />
        </dl>
      </div>
      <Table
        caption={`Targets of ${name}`}
        rows={lines}
        columns={COLUMNS}
        rowKey={(line) => line.name}
        empty="No model of the configuration is served by it: it gets no traffic."
        minWidth={1040}
      />
    </section>
  );
}

function Fact({ name, children, isWide = false }: { name: string; children: ReactNode; isWide?: boolean }): ReactNode {
  return (
    <div className={`min-w-0 ${isWide ? 'col-span-3' : ''}`}>
      <dt className="label">{name}</dt>
      <dd className="tabular">{children}</dd>
    </div>
  );
}

function StatusPage({ provider }: { provider: ProviderView }): ReactNode {
  const { status, targets } = provider;
  if (status.source === null)
    return (
      <Fact name="Status page">
        <span className="text-ink-3" data-tip="Add statusPage to the provider in plimsoll.yaml: control then asks it once a minute.">
          none configured
        </span>
      </Fact>
    );
  const note = corroboration(status, targets);
  const [incident] = status.incidents;
  return (
    <Fact name="Status page" isWide>
      <span className="flex flex-wrap items-baseline gap-x-2">
        <span data-tip={[status.source, status.description, status.error].filter(Boolean).join(' · ')}>
          <StateMark {...statusPageWord(status)} />
        </span>
        <span className="text-xs text-ink-3">
          {status.readAt === null ? (status.error ?? 'not read yet') : `read ${formatAgo(status.readAt, Date.now())}`}
          {status.changedAt !== null && (
            <>
              , since <TimeText at={status.changedAt} />
            </>
          )}
        </span>
      </span>
      {(note !== null || incident !== undefined) && (
        <span className="block max-w-80 text-xs text-ink-2">
          {note}
          {incident !== undefined && (
            <>
              {' '}
              {incident.url === null ? (
                incident.title
              ) : (
                <a href={incident.url} target="_blank" rel="noopener noreferrer" className="link">
                  {incident.title}
                </a>
              )}
            </>
          )}
        </span>
      )}
    </Fact>
  );
}

/** Since when and why it is out, and when it may come back. */
function Health({ report }: { report: TargetReport | undefined }): ReactNode {
  const word = healthWord(report);
  if (report === undefined || report.state === 'healthy') return <StateMark {...word} />;
  const why = report.state === 'cooling' ? 'it said that it is busy' : ejectionText(report);
  return (
    <span className="flex flex-wrap items-baseline gap-x-2 py-1">
      <StateMark {...word} />
      <span className="text-xs text-ink-2">
        {why}
        {report.since !== null && (
          <>
            , since <TimeText at={report.since} />
          </>
        )}
        {report.blockedForMs > 0 ? `; tried again in ${formatDuration(report.blockedForMs)}` : '; the next call tries it'}
      </span>
    </span>
  );
}

function LastError({ report }: { report: TargetReport | undefined }): ReactNode {
  if (report === undefined) return <span className="text-ink-3">{UNKNOWN}</span>;
  if (report.lastError === null) return <span className="text-ink-3">none seen</span>;
  const { code, atMs } = report.lastError;
  return (
    <span className="block py-1 whitespace-nowrap">
      <code className="font-mono text-xs">{code}</code>
      <span className="block text-xs text-ink-3">
        <TimeText at={atMs} format={(ms) => formatAgo(ms, Date.now())} />
      </span>
    </span>
  );
}

/** When the provider retires the model, where that is announced. */
function End({ model }: { model: ModelView | undefined }): ReactNode {
  if (model === undefined || model.warning === null) return null;
  return (
    <span data-tip={model.warning} className="block text-xs">
      <StateMark
        state="warning"
        word={
          model.retiresAt === null ? (
            'deprecated'
          ) : (
            <>
              ends <TimeText at={model.retiresAt} format={formatDate} />
            </>
          )
        }
      />
    </span>
  );
}

const COLUMNS: readonly Column<TargetLine>[] = [
  {
    key: 'name',
    header: 'Target',
    className: 'sticky left-0 z-1 w-36 bg-surface group-hover:bg-hover',
    cell: ({ name, model }) => (
      <span className="font-medium whitespace-nowrap" data-tip={model?.upstreamModel}>
        {name}
        <End model={model} />
      </span>
    ),
  },
  { key: 'health', header: 'Health', className: 'min-w-64', cell: ({ report }) => <Health report={report} /> },
  ...attemptColumns<TargetLine>(({ row }) => row),
  {
    key: 'ejections',
    header: 'Ejections',
    isNumeric: true,
    tip: 'Since the gateways started',
    cell: ({ report }) => {
      if (report === undefined) return <span className="text-ink-3">{UNKNOWN}</span>;
      const why = ejectionText(report);
      return <span data-tip={why === null ? undefined : `Last: ${why}`}>{formatInteger(report.ejections)}</span>;
    },
  },
  { key: 'last-error', header: 'Last error', className: 'w-64', cell: ({ report }) => <LastError report={report} /> },
];
