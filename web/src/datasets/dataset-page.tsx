import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { formatInteger } from '../format/number.ts';
import { useTitle } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { Badge } from '../ui/badges.tsx';
import { Popover } from '../ui/popover.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { CasesTab } from './cases-tab.tsx';
import { CheckTab } from './check-tab.tsx';
import { type DatasetDetail, type DatasetSaved, datasetQuery } from './dataset-queries.ts';
import { savedText } from './dataset-text.ts';
import { DATASET_TABS, type DatasetSearch, type DatasetTab, parseDatasetSearch } from './datasets-search.ts';
import { ImportDialog } from './import-dialog.tsx';
import { VersionsTab } from './versions-tab.tsx';

const route = getRouteApi('/shell/datasets/$name');
const TAB_NAMES: Readonly<Record<DatasetTab, string>> = { cases: 'Cases', versions: 'Versions', check: 'Duplicates and coverage' };
const FORMATS = [
  ['yaml', 'YAML, for Git'],
  ['jsonl', 'JSONL'],
  ['csv', 'CSV, promptfoo columns'],
  ['promptfoo', 'promptfoo tests'],
  ['ragas', 'Ragas columns'],
  ['deepeval', 'DeepEval test cases'],
] as const;

export function DatasetPage(): ReactNode {
  const { name } = route.useParams();
  const search = useParsedSearch(route.useSearch(), parseDatasetSearch);
  const navigate = route.useNavigate();
  const dataset = useQuery(datasetQuery(name));
  const [isImporting, setIsImporting] = useState(false);
  const [done, setDone] = useState<DatasetSaved | null>(null);
  useTitle(name);
  const change = (next: DatasetSearch): void => void navigate({ search: parseDatasetSearch({ ...next }), replace: true });
  const tab = search.tab ?? 'cases';
  return (
    <>
      <header className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <div className="mr-auto min-w-0">
          <nav aria-label="Breadcrumb" className="text-xs text-ink-3">
            <Link to="/datasets" className="hover:underline">
              Datasets
            </Link>{' '}
            / {name}
          </nav>
          <h1 className="text-lg font-semibold tracking-tight">{name}</h1>
        </div>
        {dataset.data && dataset.data.versions.length > 1 && (
          <select
            className="field"
            aria-label="Version"
            value={search.version ?? ''}
            onChange={(event) => change({ ...search, version: Number(event.target.value) })}
          >
            <option value="">newest: version {dataset.data.version}</option>
            {dataset.data.versions.slice(1).map(({ version }) => (
              <option key={version} value={version}>
                version {version}
              </option>
            ))}
          </select>
        )}
        <Popover label="Export" buttonClass="button" align="end">
          {(close) => (
            <ul className="w-52">
              {FORMATS.map(([format, text]) => (
                <li key={format}>
                  <a
                    className="block rounded-sm px-2 py-1.5 hover:bg-hover"
                    href={`/api/v1/datasets/${encodeURIComponent(name)}/export?format=${format}${search.version === undefined ? '' : `&version=${search.version}`}`}
                    download
                    onClick={close}
                  >
                    {text}
                  </a>
                </li>
              ))}
            </ul>
          )}
        </Popover>
        <button type="button" className="button" onClick={() => setIsImporting(true)}>
          Import…
        </button>
      </header>
      <QueryState query={dataset} skeleton={<SkeletonRows count={6} />}>
        {(detail) => (
          <>
            {done && (
              <p role="status" className="mb-3 rounded-md bg-accent-soft px-3.5 py-2">
                {savedText(done)}
              </p>
            )}
            <Facts detail={detail} />
            <nav aria-label="Views" className="scroll-x mb-3 flex gap-4 border-b">
              {DATASET_TABS.map((each) => (
                <Link
                  key={each}
                  to="/datasets/$name"
                  params={{ name }}
                  search={parseDatasetSearch({ version: search.version, tab: each })}
                  aria-current={each === tab ? 'page' : undefined}
                  className={`-mb-px border-b-2 pb-1.5 whitespace-nowrap ${each === tab ? 'border-accent font-semibold' : 'border-transparent text-ink-2 hover:text-ink'}`}
                >
                  {TAB_NAMES[each]}
                </Link>
              ))}
            </nav>
            {tab === 'cases' && <CasesTab name={name} search={search} change={change} />}
            {tab === 'versions' && <VersionsTab detail={detail} search={search} change={change} />}
            {tab === 'check' && <CheckTab name={name} version={search.version} />}
          </>
        )}
      </QueryState>
      {isImporting && (
        <ImportDialog
          name={name}
          onClose={() => setIsImporting(false)}
          onSaved={(saved) => {
            setIsImporting(false);
            setDone(saved);
          }}
        />
      )}
    </>
  );
}

/** What stands beside every number of this dataset: how it is divided, and how often its seal was broken. */
function Facts({ detail }: { detail: DatasetDetail }): ReactNode {
  const { description, split, holdoutOpenings, isArchived, changedAt, changedBy, openings } = detail;
  const last = openings.at(-1);
  return (
    <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-1 text-ink-2">
      {isArchived && <Badge tip={`Restore it: plimsoll datasets restore ${detail.name}`}>archived</Badge>}
      {description !== '' && <span className="text-ink">{description}</span>}
      <span>{split === null ? 'No split: all cases are open' : `Split by ${split.by}, seed ${split.seed}`}</span>
      {(split !== null || holdoutOpenings > 0) && (
        <span data-tip={last === undefined ? 'The sealed holdout was never opened.' : `Last by ${last.openedBy}: ${last.reason}`}>
          Holdout opened {formatInteger(holdoutOpenings)}×
        </span>
      )}
      <span>
        Changed <TimeText at={changedAt} /> by {changedBy}
      </span>
    </div>
  );
}
