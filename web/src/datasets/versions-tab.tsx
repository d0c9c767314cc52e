import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { formatCount, formatInteger } from '../format/number.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { type DatasetDetail, type DatasetDiff, datasetDiffQuery } from './dataset-queries.ts';
import type { DatasetSearch } from './datasets-search.ts';

type Version = DatasetDetail['versions'][number];

interface VersionsTabProps {
  readonly detail: DatasetDetail;
  readonly search: DatasetSearch;
  readonly change: (next: DatasetSearch) => void;
}

export function VersionsTab({ detail, search, change }: VersionsTabProps): ReactNode {
  const to = Math.min(search.to ?? detail.version, detail.version);
  const from = Math.min(search.from ?? to - 1, detail.version);
  const diff = useQuery(datasetDiffQuery(detail.name, from, to));
  const columns: readonly Column<Version>[] = [
    {
      key: 'version',
      header: 'Version',
      cell: ({ version, parent }) => (
        <button type="button" className="link stretched" data-row onClick={() => change({ ...search, from: parent ?? 0, to: version })}>
          {formatInteger(version)}
        </button>
      ),
    },
    { key: 'at', header: 'Made', cell: ({ createdAt }) => <TimeText at={createdAt} /> },
    { key: 'author', header: 'By', cell: ({ author }) => <span className="block max-w-48 truncate">{author}</span> },
    {
      key: 'message',
      header: 'What was changed',
      cell: ({ message }) =>
        message === '' ? <span className="text-ink-3">no words</span> : <span className="block max-w-96 truncate">{message}</span>,
    },
    { key: 'added', header: 'In', isNumeric: true, cell: ({ added }) => `+${formatCount(added)}` },
    { key: 'removed', header: 'Out', isNumeric: true, cell: ({ removed }) => `−${formatCount(removed)}` },
    { key: 'cases', header: 'Cases', isNumeric: true, cell: ({ caseCount }) => formatCount(caseCount) },
  ];
  return (
    <div className="flex flex-col gap-3">
      <Table
        caption="Versions, the newest first"
        rows={detail.versions}
        columns={columns}
        rowKey={({ version }) => `${version}`}
        empty="No version yet: import a file, or add a trace."
        minWidth={680}
      />
      {detail.version > 0 && (
        <section className="flex flex-col gap-2">
          <div className="flex flex-wrap items-center gap-2">
            <h2 className="mr-auto font-semibold">What differs</h2>
            <VersionChoice
              label="From"
              value={from}
              versions={[0, ...detail.versions.map(({ version }) => version).reverse()]}
              onChange={(next) => change({ ...search, from: next, to })}
            />
            <VersionChoice
              label="To"
              value={to}
              versions={detail.versions.map(({ version }) => version).reverse()}
              onChange={(next) => change({ ...search, from, to: next })}
            />
          </div>
          <QueryState query={diff} skeleton={<SkeletonRows count={3} />}>
            {(found) => <Diff diff={found} />}
          </QueryState>
        </section>
      )}
    </div>
  );
}

function VersionChoice({
  label,
  value,
  versions,
  onChange,
}: {
  label: string;
  value: number;
  versions: readonly number[];
  onChange: (version: number) => void;
}): ReactNode {
  return (
    <label className="flex items-center gap-1.5 text-ink-2">
      {label}
      <select className="field" value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {versions.map((version) => (
          <option key={version} value={version}>
            {version === 0 ? 'nothing' : `version ${version}`}
          </option>
        ))}
      </select>
    </label>
  );
}

const SHOWN = 200;

function titleOf(each: DatasetDiff['added'][number]): string {
  const { variables, messages } = each.input;
  const last = messages.findLast(({ role }) => role === 'user')?.content;
  const text =
    typeof last === 'string'
      ? last
      : Object.values(variables)
          .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
          .join(' ');
  return `${each.id === null ? '' : `${each.id}: `}${text || JSON.stringify(last ?? '')}`;
}

function changedNames(before: object, after: object): string {
  const now: Readonly<Record<string, unknown>> = { ...after };
  return Object.entries(before)
    .flatMap(([name, value]) => (name === 'hash' || JSON.stringify(value) === JSON.stringify(now[name]) ? [] : [name]))
    .join(', ');
}

function Diff({ diff: { added, removed, changed, sealedDifferences } }: { diff: DatasetDiff }): ReactNode {
  const lines = [
    ...added.map((each) => ({ sign: '+', word: 'added', key: `+${each.hash}`, text: titleOf(each), detail: '' })),
    ...changed.map(({ before, after }) => ({
      sign: '~',
      word: 'changed',
      key: `~${after.hash}`,
      text: titleOf(after),
      detail: changedNames(before, after),
    })),
    ...removed.map((each) => ({ sign: '−', word: 'removed', key: `-${each.hash}`, text: titleOf(each), detail: '' })),
  ];
  const colour = { '+': 'text-ok', '~': 'text-warning', '−': 'text-critical' } as const;
  if (lines.length === 0)
    return (
      <p className="panel px-3 py-6 text-center text-ink-3">
        {sealedDifferences > 0 ? `Only sealed cases differ: ${formatInteger(sealedDifferences)}.` : 'The same open cases.'}
      </p>
    );
  return (
    <>
      <ul className="panel overflow-hidden">
        {lines.slice(0, SHOWN).map(({ sign, word, key, text, detail }) => (
          <li key={key} className="flex items-baseline gap-2 border-b px-3 py-1.5 last:border-b-0">
            <span className={`w-3 shrink-0 font-mono ${colour[sign as keyof typeof colour]}`} aria-hidden="true">
              {sign}
            </span>
            <span className="sr-only">{word}: </span>
            <span className="min-w-0 flex-1 truncate">{text}</span>
            {detail !== '' && <span className="shrink-0 text-xs text-ink-3">{detail}</span>}
          </li>
        ))}
      </ul>
      <p className="text-xs text-ink-3">
        {formatCount(added.length)} added, {formatCount(changed.length)} changed, {formatCount(removed.length)} removed
        {lines.length > SHOWN && `; the first ${SHOWN} are shown`}
        {sealedDifferences > 0 && `; ${formatInteger(sealedDifferences)} sealed cases differ and are not shown`}. A case is known across
        versions by its id, else by its trace.
      </p>
    </>
  );
}
