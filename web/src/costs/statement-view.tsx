import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { asApiError } from '../api/problem.ts';
import type { CostStatement, CostStatementCorrections } from '../api/schema.ts';
import { formatCount, formatInteger } from '../format/number.ts';
import { Dialog } from '../ui/dialog.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { AllocationTables } from './allocation-tables.tsx';
import type { TabProps } from './controls.tsx';
import { correctionsQuery, statementQuery } from './cost-queries.ts';
import { monthName } from './month.ts';
import { type Tile, Tiles, Usd } from './tiles.tsx';
import { useIssue } from './use-issue.ts';

type Line = CostStatement['lines'][number];
type Change = CostStatement['changes'][number];
type Props = Pick<TabProps, 'search' | 'change'> & { readonly month: string };
/** Rows on the page and on paper; the CSV has all. */
const LINES_SHOWN = 1_000;

export function StatementView({ month, search, change }: Props): ReactNode {
  const statement = useQuery(statementQuery(month, search.version));
  return (
    <>
      <nav aria-label="Breadcrumb" className="mb-2 text-xs text-ink-3 print:hidden">
        <Link className="hover:underline" to="/costs" search={{ tab: 'statements' }}>
          Statements
        </Link>{' '}
        / {monthName(month)}
      </nav>
      <QueryState query={statement} skeleton={<SkeletonRows count={10} />}>
        {(view) => <Document statement={view} search={search} change={change} />}
      </QueryState>
    </>
  );
}

function teamsIn({ lines, allocation }: CostStatement): string[] {
  const teams = [...lines.map(({ team }) => team), ...(allocation?.teams ?? []).map(({ team }) => team)];
  return [...new Set(teams.filter((team) => team !== null))].sort();
}

/** One statement, whole or the part of one team; on paper without what is for clicking. */
function Document({ statement, search, change }: Pick<Props, 'search' | 'change'> & { statement: CostStatement }): ReactNode {
  const { month, version, issuedAt, issuedBy, reason, allocation } = statement;
  const { team } = search;
  const isOfTeam = (of: { readonly team: string | null }): boolean => team === undefined || of.team === team;
  const lines = statement.lines.filter(isOfTeam);
  const changes = statement.changes.filter(isOfTeam);
  return (
    <article className="flex flex-col gap-3">
      <header className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <div className="mr-auto">
          <h2 className="text-base font-semibold">
            Showback statement, {monthName(month)}
            {team !== undefined && `, team ${team}`}
          </h2>
          <p className="text-xs text-ink-2">
            Version {version}, issued <TimeText at={issuedAt} /> by {issuedBy}. Calendar month, UTC; US dollars.
            {reason !== null && ` Issued again because: ${reason}.`}
          </p>
        </div>
        <div className="flex flex-wrap items-center gap-2 print:hidden">
          <select
            className="field"
            aria-label="Team"
            value={team ?? ''}
            onChange={(event) => change({ ...search, team: event.target.value || undefined })}
          >
            <option value="">all teams</option>
            {teamsIn(statement).map((name) => (
              <option key={name} value={name}>
                team {name}
              </option>
            ))}
          </select>
          <VersionPicker version={version} search={search} change={change} month={month} />
          <a className="button" href={`/api/v1/costs/statements/${month}/csv?version=${version}`} download>
            CSV
          </a>
          <button type="button" className="button" onClick={() => window.print()}>
            Print
          </button>
        </div>
      </header>
      <Tiles tiles={tilesOf(statement, team)} />
      {allocation !== null && <AllocationTables allocation={allocation} team={team} />}
      <section className="flex flex-col gap-2" aria-labelledby="lines">
        <h3 id="lines" className="font-semibold">
          What was used
        </h3>
        <Table
          caption="Lines of the statement"
          rows={lines.slice(0, LINES_SHOWN)}
          columns={LINE_COLUMNS}
          rowKey={keyOf}
          empty="No calls in this month."
          minWidth={560}
        />
        {lines.length > LINES_SHOWN && (
          <p className="text-xs text-ink-3">{formatInteger(lines.length - LINES_SHOWN)} more lines are in the CSV, and in every sum.</p>
        )}
      </section>
      {version > 1 && (
        <Changes
          id="changes"
          title={`Corrections against version ${version - 1}`}
          rows={changes}
          empty={team === undefined ? 'No line changed: what is shared is split in another way.' : 'No line of this team changed.'}
        />
      )}
      <Since
        statement={statement}
        team={team}
        showNewest={() => change({ tab: 'statements', month, ...(team === undefined ? {} : { team }) })}
      />
    </article>
  );
}

function VersionPicker({ month, version, search, change }: Props & { version: number }): ReactNode {
  const newest = useQuery(statementQuery(month, undefined));
  const count = Math.max(version, newest.data?.version ?? version);
  if (count === 1) return null;
  return (
    <select
      className="field"
      aria-label="Version"
      value={version}
      onChange={(event) => change({ ...search, version: Number(event.target.value) })}
    >
      {Array.from({ length: count }, (_, place) => count - place).map((each) => (
        <option key={each} value={each}>
          version {each}
          {each === count ? ', newest' : ''}
        </option>
      ))}
    </select>
  );
}

function sumOf(lines: readonly Line[]): string {
  return lines.reduce((sum, { picoUsd }) => sum + BigInt(picoUsd), 0n).toString();
}

function tilesOf(statement: CostStatement, team: string | undefined): Tile[] {
  const { allocation, totalPicoUsd, unallocatedPicoUsd, differencePicoUsd, calls, unpricedCalls } = statement;
  if (team !== undefined) {
    const lines = statement.lines.filter((line) => line.team === team);
    const borne = allocation?.teams.find((each) => each.team === team);
    return [
      {
        name: 'Cost of its calls',
        value: <Usd picoUsd={sumOf(lines)} />,
        detail: `${formatCount(lines.reduce((sum, line) => sum + line.calls, 0))} calls`,
      },
      { name: 'Own', value: <Usd picoUsd={borne?.ownPicoUsd ?? sumOf(lines)} />, detail: 'less what of it is shared' },
      {
        name: 'Shared',
        value: <Usd picoUsd={borne?.sharedPicoUsd ?? '0'} />,
        detail: allocation === null ? 'nothing was shared' : 'its part',
      },
      { name: 'Bears', value: <Usd picoUsd={borne?.totalPicoUsd ?? sumOf(lines)} />, detail: 'own and shared' },
    ];
  }
  return [
    {
      name: 'Cost of the month',
      value: <Usd picoUsd={totalPicoUsd} />,
      detail: differencePicoUsd === null ? 'first version' : <DifferenceText picoUsd={differencePicoUsd} />,
    },
    { name: 'Fees on no call', value: <Usd picoUsd={allocation?.feesPicoUsd ?? '0'} />, detail: 'beside the cost' },
    { name: 'Without a team', value: <Usd picoUsd={unallocatedPicoUsd} />, detail: 'of the cost' },
    {
      name: 'Calls',
      value: formatCount(calls),
      detail: unpricedCalls === 0 ? 'all priced' : `${formatInteger(unpricedCalls)} unpriced: in no sum`,
    },
  ];
}

function DifferenceText({ picoUsd }: { picoUsd: string }): ReactNode {
  return (
    <>
      <Usd picoUsd={picoUsd} sign /> against the version before
    </>
  );
}

function keyOf({ team, feature, customer }: Pick<Line, 'team' | 'feature' | 'customer'>): string {
  return JSON.stringify([team, feature, customer]);
}

const none = <span className="text-ink-3">(none)</span>;
const WHO: readonly Column<Pick<Line, 'team' | 'feature' | 'customer'>>[] = [
  { key: 'team', header: 'Team', cell: ({ team }) => team ?? none },
  { key: 'feature', header: 'Feature', cell: ({ feature }) => feature },
  { key: 'customer', header: 'Customer', cell: ({ customer }) => customer ?? none },
];
const LINE_COLUMNS: readonly Column<Line>[] = [
  ...WHO,
  { key: 'calls', header: 'Calls', isNumeric: true, cell: ({ calls }) => formatInteger(calls) },
  {
    key: 'unpriced',
    header: 'Unpriced',
    isNumeric: true,
    tip: 'Calls whose cost is not known: in no sum',
    cell: ({ unpricedCalls }) => formatInteger(unpricedCalls),
  },
  { key: 'cost', header: 'Cost', isNumeric: true, cell: ({ picoUsd }) => <Usd picoUsd={picoUsd} /> },
];
const CHANGE_COLUMNS: readonly Column<Change>[] = [
  ...WHO,
  { key: 'difference', header: 'Correction', isNumeric: true, cell: ({ differencePicoUsd }) => <Usd picoUsd={differencePicoUsd} sign /> },
];

function Changes({ id, title, rows, empty }: { id: string; title: string; rows: readonly Change[]; empty: string }): ReactNode {
  return (
    <section className="flex flex-col gap-2" aria-labelledby={id}>
      <h3 id={id} className="font-semibold">
        {title}
      </h3>
      <Table caption={title} rows={rows.slice(0, LINES_SHOWN)} columns={CHANGE_COLUMNS} rowKey={keyOf} empty={empty} minWidth={560} />
      {rows.length > LINES_SHOWN && <p className="text-xs text-ink-3">{formatInteger(rows.length - LINES_SHOWN)} more lines.</p>}
    </section>
  );
}

/** What the ledger says by now. Nothing of it is in the statement until it is issued again. */
function Since({ statement, team, showNewest }: { statement: CostStatement; team: string | undefined; showNewest: () => void }): ReactNode {
  const corrections = useQuery(correctionsQuery(statement.month));
  const [isIssuing, setIsIssuing] = useState(false);
  const view = corrections.data;
  if (view === undefined || view.version !== statement.version) return null;
  const rows = view.lines.filter((line) => team === undefined || line.team === team);
  if (view.lines.length === 0)
    return (
      <p className="text-xs text-ink-3 print:hidden">
        <StateMark state="ok" word="The ledger still says the same." />
      </p>
    );
  return (
    <div className="flex flex-col gap-2 print:hidden">
      <Changes id="since" title="Since it was issued: not in this statement" rows={rows} empty="No line of this team changed." />
      <p className="flex flex-wrap items-center gap-3 text-ink-2">
        <span>
          Late calls or a repricing changed the month by <Usd picoUsd={view.differencePicoUsd} sign />.
        </span>
        <button type="button" className="button" onClick={() => setIsIssuing(true)}>
          Issue version {statement.version + 1}
        </button>
      </p>
      {isIssuing && <IssueAgain corrections={view} onClose={() => setIsIssuing(false)} onIssued={showNewest} />}
    </div>
  );
}

function IssueAgain({
  corrections,
  onClose,
  onIssued,
}: {
  corrections: CostStatementCorrections;
  onClose: () => void;
  onIssued: () => void;
}): ReactNode {
  const issue = useIssue(corrections.month, () => {
    onClose();
    onIssued();
  });
  const error = issue.error ? asApiError(issue.error) : null;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    issue.mutate(String(new FormData(event.currentTarget).get('reason') ?? '').trim());
  };
  return (
    <Dialog title={`${monthName(corrections.month)}, version ${corrections.version + 1}`} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <p className="text-ink-2">
          Version {corrections.version} stays as it is. The new one names {formatInteger(corrections.lines.length)} corrected lines and this
          reason.
        </p>
        <label className="flex flex-col gap-1">
          <span className="font-medium">Why</span>
          <input className="field" name="reason" required maxLength={500} autoComplete="off" placeholder="a price was wrong" />
        </label>
        {error && (
          <p role="alert" className="text-critical">
            {error.message} {error.fix}
          </p>
        )}
        <div className="mt-2 flex justify-end gap-2">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={issue.isPending}>
            {issue.isPending ? 'Issuing…' : 'Issue'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
