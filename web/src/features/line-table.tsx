import type { ReactNode } from 'react';
import type { LoadLine } from '../api/schema.ts';
import { formatInteger } from '../format/number.ts';
import { STANDING_WORDS } from '../ui/load-line.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { intervalText, lineText, lineValue, standingOf } from './gauges.ts';

const none = <span className="text-ink-3">–</span>;

function Verdict({ line }: { line: LoadLine }): ReactNode {
  const standing = standingOf(line);
  if (standing !== null) return <StateMark {...STANDING_WORDS[standing]} />;
  return line.verdict === 'no_line' ? <StateMark state="neutral" word="no line set" /> : <StateMark state="unmeasured" word="unmeasured" />;
}

const COLUMNS: readonly Column<LoadLine>[] = [
  {
    key: 'title',
    header: 'Load line',
    className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
    cell: ({ title, note }) => (
      <span className="font-medium whitespace-nowrap" {...(note === null ? {} : { 'data-tip': note })}>
        {title}
        {note !== null && <sup className="ml-0.5 text-ink-3">?</sup>}
      </span>
    ),
  },
  {
    key: 'verdict',
    header: 'State',
    tip: 'By the 95 % interval: all of it on one side of the line, or not enough evidence',
    cell: (line) => <Verdict line={line} />,
  },
  { key: 'value', header: 'Value', isNumeric: true, cell: (line) => (line.value === null ? none : lineValue(line, line.value)) },
  {
    key: 'interval',
    header: '95 % interval',
    isNumeric: true,
    cell: (line) => intervalText(line) ?? (line.value === null ? none : <span className="text-ink-3">too few</span>),
  },
  { key: 'line', header: 'Line', isNumeric: true, cell: (line) => lineText(line) ?? none },
  {
    key: 'count',
    header: 'Of',
    cell: (line) =>
      line.value === null ? (
        <span className="text-ink-3">{line.reason}</span>
      ) : (
        <span className="whitespace-nowrap text-ink-2">
          <span className="tabular">{formatInteger(line.count)}</span> {line.countOf}
        </span>
      ),
  },
];

/** Every load line of a feature. */
export function LineTable({ lines }: { lines: readonly LoadLine[] }): ReactNode {
  return <Table caption="Load lines" rows={lines} columns={COLUMNS} rowKey={(line) => line.id} empty="" minWidth={860} />;
}
