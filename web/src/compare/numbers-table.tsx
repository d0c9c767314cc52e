import type { ReactNode } from 'react';
import type { TraceDiff } from '../api/schema.ts';
import { USAGE_LABELS } from '../trace/usage-lines.ts';
import { costNumberText, countText, durationText, type NumberText } from './diff-text.ts';

interface NumberRow extends NumberText {
  readonly name: string;
  readonly isPart?: boolean;
}

/** The numbers of two traces with their exact differences. */
export function NumbersTable({ numbers }: { numbers: TraceDiff['numbers'] }): ReactNode {
  const rows: readonly NumberRow[] = [
    { name: 'Duration', ...durationText(numbers.durationMs) },
    { name: 'First token', ...durationText(numbers.ttftMs) },
    { name: 'Cost', ...costNumberText(numbers.costPicoUsd) },
    { name: 'Input tokens', ...countText(numbers.inputTokens) },
    { name: 'Output tokens', ...countText(numbers.outputTokens) },
    ...(numbers.tokens ?? []).map((line) => ({ name: USAGE_LABELS[line.usageClass], isPart: true, ...countText(line) })),
    { name: 'Requests', ...countText(numbers.requests) },
    { name: 'Provider calls', ...countText(numbers.attempts) },
    { name: 'Spans', ...countText(numbers.spans) },
  ];
  return (
    <section className="panel scroll-x" aria-label="Numbers">
      <table className="tabular w-full">
        <caption className="sr-only">Numbers of both traces and what differs</caption>
        <thead className="text-xs text-ink-3">
          <tr>
            {['', 'A', 'B', 'B − A'].map((title, place) => (
              <th key={title} scope="col" className={`h-8 border-b px-2 first:pl-4 ${place === 0 ? 'text-left' : 'text-right'}`}>
                {title}
              </th>
            ))}
            <th scope="col" className="h-8 border-b pr-4 text-right">
              <span className="sr-only">Share of A</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name} className={row.isPart ? 'text-ink-2' : ''}>
              <th scope="row" className={`py-1 pr-2 text-left font-normal ${row.isPart ? 'pl-7' : 'pl-4'}`}>
                {row.name}
              </th>
              <td className="px-2 py-1 text-right whitespace-nowrap">{row.a}</td>
              <td className="px-2 py-1 text-right whitespace-nowrap">{row.b}</td>
              <td className={`px-2 py-1 text-right whitespace-nowrap ${row.isPart ? '' : 'font-medium'}`}>
                {row.exact === undefined ? row.difference : <span data-tip={row.exact}>{row.difference}</span>}
              </td>
              <td className="py-1 pr-4 text-right whitespace-nowrap text-ink-3">{row.share}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {numbers.tokens === null && <p className="px-4 pb-2 text-xs text-ink-3">Tokens by class: not known for every request.</p>}
    </section>
  );
}
