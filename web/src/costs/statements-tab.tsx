import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { asApiError } from '../api/problem.ts';
import type { CostStatementList } from '../api/schema.ts';
import { formatCount, formatInteger } from '../format/number.ts';
import { formatDate } from '../format/time.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import type { TabProps } from './controls.tsx';
import { statementsQuery } from './cost-queries.ts';
import { monthName, monthsOver } from './month.ts';
import { StatementView } from './statement-view.tsx';
import { Usd } from './tiles.tsx';
import { useIssue } from './use-issue.ts';

type Summary = CostStatementList['statements'][number];
const TEAMS_SHOWN = 3;

export function StatementsTab({ search, change, refetchInterval }: TabProps): ReactNode {
  const statements = useQuery({ ...statementsQuery, refetchInterval, enabled: search.month === undefined });
  if (search.month !== undefined) return <StatementView month={search.month} search={search} change={change} />;
  return (
    <QueryState query={statements} skeleton={<SkeletonRows count={6} />}>
      {({ statements: list }) => (
        <div className="flex flex-col gap-3">
          <IssueForm issued={list} open={(month) => change({ tab: 'statements', month })} />
          <Table
            caption="Showback statements, the newest month and version first"
            rows={list}
            columns={COLUMNS}
            rowKey={({ month, version }) => `${month} ${version}`}
            empty="No statement yet. Choose a month that is over and issue its statement: it freezes what each team, feature and customer cost."
            minWidth={980}
          />
          <p className="max-w-prose text-xs text-ink-3">
            Months are calendar months, UTC. A statement never changes: when a repricing or late calls change a month, the difference is
            issued as a new version that names every line of it.
          </p>
        </div>
      )}
    </QueryState>
  );
}

/** Freezes a month. Again needs a reason. */
function IssueForm({ issued, open }: { issued: readonly Summary[]; open: (month: string) => void }): ReactNode {
  const months = monthsOver(Date.now(), 24);
  const [month, setMonth] = useState(() => months.find((each) => !issued.some((one) => one.month === each)) ?? months[0] ?? '');
  const newest = issued.find((one) => one.month === month);
  const issue = useIssue(month, () => open(month));
  const error = issue.error ? asApiError(issue.error) : null;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    issue.mutate(String(new FormData(event.currentTarget).get('reason') ?? '').trim());
  };
  return (
    <form className="flex flex-wrap items-center gap-2" onSubmit={submit}>
      <select className="field" aria-label="Month" value={month} onChange={(event) => setMonth(event.target.value)}>
        {months.map((each) => (
          <option key={each} value={each}>
            {monthName(each)}
          </option>
        ))}
      </select>
      {newest !== undefined && (
        <input
          className="field w-64 max-w-full"
          name="reason"
          required
          maxLength={500}
          autoComplete="off"
          aria-label={`Why ${monthName(month)} is issued again`}
          placeholder="why again: a price was wrong"
        />
      )}
      <button type="submit" className="button button-primary" disabled={issue.isPending}>
        {issue.isPending ? 'Issuing…' : newest === undefined ? 'Issue statement' : `Issue version ${newest.version + 1}`}
      </button>
      {error && (
        <p role="alert" className="w-full text-critical">
          {error.message} {error.fix}
        </p>
      )}
    </form>
  );
}

const COLUMNS: readonly Column<Summary>[] = [
  {
    key: 'month',
    header: 'Month',
    className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
    cell: ({ month, version }) => (
      <Link className="link font-medium whitespace-nowrap" to="/costs" search={{ tab: 'statements', month, version }} data-row>
        {monthName(month)}
      </Link>
    ),
  },
  { key: 'version', header: 'Version', isNumeric: true, cell: ({ version }) => formatInteger(version) },
  { key: 'cost', header: 'Cost', isNumeric: true, cell: (row) => <Usd picoUsd={row.totalPicoUsd} /> },
  {
    key: 'fees',
    header: 'Fees',
    isNumeric: true,
    tip: 'Shared fees that are on no call, beside the cost',
    cell: (row) => <Usd picoUsd={row.feesPicoUsd} />,
  },
  {
    key: 'difference',
    header: 'Difference',
    isNumeric: true,
    tip: 'Against the version before',
    cell: (row) => <Usd picoUsd={row.differencePicoUsd} sign />,
  },
  {
    key: 'calls',
    header: 'Calls',
    isNumeric: true,
    cell: ({ calls, unpricedCalls }) => (
      <span data-tip={unpricedCalls > 0 ? `${formatInteger(unpricedCalls)} of them unpriced: in no sum` : undefined}>
        {formatCount(calls)}
        {unpricedCalls > 0 && <span className="ml-1 text-xs text-ink-3">{formatCount(unpricedCalls)} unpriced</span>}
      </span>
    ),
  },
  { key: 'teams', header: 'Borne by', cell: (row) => <Teams {...row} /> },
  {
    key: 'issued',
    header: 'Issued',
    cell: ({ issuedAt, issuedBy, reason }) => (
      <span className="block max-w-72 truncate whitespace-nowrap" data-tip={reason ?? undefined}>
        <TimeText at={issuedAt} format={formatDate} /> <span className="text-ink-3">by {issuedBy}</span>
        {reason !== null && <span className="text-ink-2">: {reason}</span>}
      </span>
    ),
  },
];

/** Teams with what they bear, each with its own page of the statement. */
function Teams({ month, version, teams }: Summary): ReactNode {
  return (
    <span className="whitespace-nowrap">
      {teams.slice(0, TEAMS_SHOWN).map(({ team, totalPicoUsd }, place) => (
        <span key={team ?? 'none'}>
          {place > 0 && ' · '}
          {team === null ? (
            <span className="text-ink-3">nobody</span>
          ) : (
            <Link className="link" to="/costs" search={{ tab: 'statements', month, version, team }}>
              {team}
            </Link>
          )}{' '}
          <Usd picoUsd={totalPicoUsd} />
        </span>
      ))}
      {teams.length > TEAMS_SHOWN && <span className="text-ink-3"> · {teams.length - TEAMS_SHOWN} more</span>}
    </span>
  );
}
