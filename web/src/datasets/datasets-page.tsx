import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { formatCount, formatInteger } from '../format/number.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { Badge } from '../ui/badges.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { type Dataset, datasetsQuery } from './dataset-queries.ts';
import { ImportDialog } from './import-dialog.tsx';

const COLUMNS: readonly Column<Dataset>[] = [
  {
    key: 'name',
    header: 'Dataset',
    cell: ({ name, description, isArchived }) => (
      <span className="flex max-w-96 min-w-0 items-baseline gap-2">
        <Link to="/datasets/$name" params={{ name }} className="link stretched font-medium" data-row>
          {name}
        </Link>
        {isArchived && <Badge tip="It stays readable and takes no more cases.">archived</Badge>}
        <span className="truncate text-xs text-ink-3">{description}</span>
      </span>
    ),
  },
  { key: 'version', header: 'Version', isNumeric: true, cell: ({ version }) => formatInteger(version) },
  {
    key: 'cases',
    header: 'Cases',
    isNumeric: true,
    cell: ({ cases }) => formatCount(cases),
    tip: 'Of the newest version, sealed ones included',
  },
  {
    key: 'split',
    header: 'Split',
    cell: ({ split }) => (split === null ? <span className="text-ink-3">none, all is open</span> : `by ${split.by}`),
  },
  {
    key: 'openings',
    header: 'Holdout opened',
    isNumeric: true,
    tip: 'How often the sealed holdout was opened: each opening makes its results less of a surprise',
    cell: ({ split, holdoutOpenings }) =>
      split === null && holdoutOpenings === 0 ? <span className="text-ink-3">–</span> : `${formatInteger(holdoutOpenings)}×`,
  },
  { key: 'changed', header: 'Changed', cell: ({ changedAt }) => <TimeText at={changedAt} /> },
  { key: 'by', header: 'By', cell: ({ changedBy }) => <span className="block max-w-48 truncate">{changedBy}</span> },
];

export function DatasetsPage(): ReactNode {
  const navigate = useNavigate();
  const datasets = useQuery(datasetsQuery);
  const [isImporting, setIsImporting] = useState(false);
  const [showsArchived, setShowsArchived] = useState(false);
  const archived = datasets.data?.filter(({ isArchived }) => isArchived).length ?? 0;
  return (
    <>
      <PageHeader title="Datasets">
        {archived > 0 && (
          <button
            type="button"
            className="button button-quiet"
            aria-pressed={showsArchived}
            onClick={() => setShowsArchived(!showsArchived)}
          >
            {showsArchived ? 'Hide archived' : `Show ${archived} archived`}
          </button>
        )}
        <button type="button" className="button" onClick={() => setIsImporting(true)}>
          Import…
        </button>
      </PageHeader>
      <QueryState query={datasets} skeleton={<SkeletonRows count={5} />}>
        {(list) =>
          list.length === 0 ? (
            <NoDatasets />
          ) : (
            <Table
              caption="Datasets of eval cases"
              rows={list.filter(({ isArchived }) => showsArchived || !isArchived)}
              columns={COLUMNS}
              rowKey={({ name }) => name}
              empty="All datasets are archived."
              minWidth={760}
            />
          )
        }
      </QueryState>
      {isImporting && (
        <ImportDialog
          name={null}
          onClose={() => setIsImporting(false)}
          onSaved={({ name }) => void navigate({ to: '/datasets/$name', params: { name } })}
        />
      )}
    </>
  );
}

function NoDatasets(): ReactNode {
  const example =
    'plimsoll datasets add support --filter "status=error" --last 7d\nplimsoll datasets pull support   # datasets/support.yaml, for Git';
  return (
    <section className="panel flex flex-col items-start gap-3 p-6">
      <h2 className="text-base font-semibold">No datasets yet</h2>
      <p className="max-w-prose text-ink-2">
        A dataset is a versioned list of cases: what was asked, what is expected, and where it came from. Open a{' '}
        <Link to="/traces" className="link">
          trace
        </Link>{' '}
        and choose “Add to dataset”, import a file (YAML, JSONL, CSV, promptfoo tests, Ragas columns, DeepEval test cases), or use the
        command line:
      </p>
      <pre className="max-w-full overflow-x-auto rounded-md border bg-sunken p-3 font-mono text-xs leading-5">{example}</pre>
    </section>
  );
}
