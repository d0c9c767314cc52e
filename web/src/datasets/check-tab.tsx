import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { CaseCheck } from '../../../src/datasets/check.ts';
import { formatCount, formatInteger } from '../format/number.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { datasetCheckQuery } from './dataset-queries.ts';

type Pair = NonNullable<CaseCheck['duplicates']>[number];
type Row = CaseCheck['coverage']['rows'][number];

function pairColumns(questions: CaseCheck['questions']): readonly Column<Pair>[] {
  const caseCell = (hash: string): ReactNode => (
    <span className="flex min-w-0 items-baseline gap-2 py-1">
      <code className="font-mono text-2xs text-ink-3">{hash.slice(0, 12)}</code>
      <span className="line-clamp-2 break-words">{questions[hash] ?? <span className="text-ink-3">sealed</span>}</span>
    </span>
  );
  return [
    { key: 'left', header: 'Case', cell: ({ left }) => caseCell(left), className: 'w-[45%]' },
    { key: 'right', header: 'Is nearly', cell: ({ right }) => caseCell(right), className: 'w-[45%]' },
    {
      key: 'similarity',
      header: 'Alike',
      isNumeric: true,
      cell: ({ similarity }) => `${Math.floor(similarity * 100)} %`,
      tip: 'Jaccard similarity of 5-character shingles of the normalised input',
    },
  ];
}

export function CheckTab({ name, version }: { name: string; version: number | undefined }): ReactNode {
  const check = useQuery(datasetCheckQuery(name, version));
  return (
    <QueryState query={check} skeleton={<SkeletonRows count={8} />}>
      {(found) => (
        <div className="flex flex-col gap-4">
          <Parts check={found} />
          <Leaks check={found} />
          <CoverageTable coverage={found.coverage} />
          <Duplicates pairs={found.duplicates} questions={found.questions} />
        </div>
      )}
    </QueryState>
  );
}

function Parts({ check: { cases, clusters, parts } }: { check: CaseCheck }): ReactNode {
  const tiles = [
    ['Cases', cases, null],
    ['Clusters', clusters, 'what the gate counts'],
    ['Train', parts.train, null],
    ['Dev', parts.dev, null],
    ['Holdout', parts.holdout, 'sealed'],
    ['In no part', parts.excluded, parts.excluded > 0 ? 'would leak across time' : null],
  ] as const;
  return (
    <dl className="panel grid grid-cols-2 overflow-hidden sm:grid-cols-3 xl:grid-cols-6">
      {tiles.map(([title, value, detail]) => (
        <div key={title} className="-mt-px -ml-px min-w-0 border-t border-l px-3.5 py-2.5">
          <dt className="label truncate">{title}</dt>
          <dd className="tabular mt-0.5">
            <span className="text-xl font-semibold tracking-tight">{formatCount(value)}</span>
            <span className="block h-[17px] truncate text-xs text-ink-3">{detail}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Leaks({ check: { leaks, parts, questions } }: { check: CaseCheck }): ReactNode {
  if (leaks === null) return <StateMark state="unmeasured" word="Leaks across the split: unmeasured, too many cases to compare at once" />;
  if (leaks.length === 0)
    return (
      <StateMark
        state={parts.dev + parts.holdout === 0 ? 'neutral' : 'ok'}
        word={parts.dev + parts.holdout === 0 ? 'No split, so nothing can leak across it' : 'No near-duplicates across the split'}
      />
    );
  return (
    <section className="flex flex-col gap-2">
      <StateMark
        state="critical"
        word={`${formatInteger(leaks.length)} ${leaks.length === 1 ? 'pair leaks' : 'pairs leak'} across the split: what is asked in one part is known from the other`}
      />
      <Table caption="Leaks" rows={leaks} columns={pairColumns(questions)} rowKey={({ left, right }) => `${left} ${right}`} empty="" />
    </section>
  );
}

function CoverageTable({ coverage }: { coverage: CaseCheck['coverage'] }): ReactNode {
  const columns: readonly Column<Row>[] = [
    { key: 'label', header: 'Open cases', cell: ({ label }) => <span className="block max-w-56 truncate">{label}</span> },
    { key: 'total', header: 'All', isNumeric: true, cell: ({ total }) => formatCount(total) },
    ...coverage.categories.map(
      (category, index): Column<Row> => ({
        key: category ?? '',
        header: category ?? 'none named',
        isNumeric: true,
        cell: ({ counts }) => {
          const count = counts[index] ?? 0;
          if (count > 0) return formatCount(count);
          return category === null ? (
            <span className="text-ink-3">0</span>
          ) : (
            <span
              className="hatched inline-block w-6 rounded-sm border border-dashed border-line-strong text-center text-2xs text-ink-3"
              data-tip="A hole: no case guards against it here"
            >
              0
            </span>
          );
        },
      }),
    ),
  ];
  return (
    <section className="flex flex-col gap-2">
      <h2 className="font-semibold">Coverage</h2>
      <Table
        caption="Open cases by failure category"
        rows={coverage.rows}
        columns={columns}
        rowKey={({ label }) => label}
        empty="No open cases."
        minWidth={980}
      />
      <p className="max-w-prose text-xs text-ink-3">
        What a case guards against is its slice “failure”. A hatched 0 is a hole. Rows: all cases, then tags and slices by size.
      </p>
    </section>
  );
}

const PAIRS_SHOWN = 50;

function Duplicates({ pairs, questions }: Pick<CaseCheck, 'questions'> & { pairs: CaseCheck['duplicates'] }): ReactNode {
  return (
    <section className="flex flex-col gap-2">
      <h2 className="font-semibold">Near-duplicates</h2>
      {pairs === null ? (
        <p className="text-ink-2">Unmeasured: too many cases to compare at once.</p>
      ) : (
        <Table
          caption="Near-duplicates, the most alike first"
          rows={pairs.slice(0, PAIRS_SHOWN)}
          columns={pairColumns(questions)}
          rowKey={({ left, right }) => `${left} ${right}`}
          empty="No two inputs are alike by 80 % or more."
          minWidth={640}
        />
      )}
      {pairs !== null && pairs.length > PAIRS_SHOWN && (
        <p className="text-xs text-ink-3">
          The first {PAIRS_SHOWN} of {formatInteger(pairs.length)} pairs; all of them: plimsoll datasets check --json
        </p>
      )}
    </section>
  );
}
