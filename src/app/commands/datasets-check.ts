import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type CaseCheck, checkCases } from '../../datasets/check.ts';
import { fileCases } from '../../datasets/file-cases.ts';
import type { DatasetCheck } from '../../datasets/service.ts';
import { parseCaseReference } from '../../datasets/source.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { ApiClient } from '../api-client.ts';
import type { CliContext } from '../cli.ts';
import { datasetPath, datasetReference } from '../dataset-client.ts';
import { countOf, formatCount } from '../format.ts';
import { renderTable } from '../terminal.ts';

/** A file needs no server. */
async function checked(client: ApiClient, reference: string): Promise<{ label: string; check: CaseCheck }> {
  if (parseCaseReference(reference).kind === 'file') {
    const opened = await fileCases(reference, (path) => readFile(path, 'utf8'));
    const cases = await Array.fromAsync(opened.cases());
    return { label: reference, check: checkCases(cases, new Map(cases.map(({ hash }) => [hash, 'train']))) };
  }
  const { name, version } = datasetReference(reference);
  const check = await client.call<DatasetCheck>('GET', `${datasetPath(name)}/check`, { query: { version } });
  return { label: `${name}@${check.version}`, check };
}

export default defineCommand<CliContext>()({
  name: 'datasets check',
  summary: 'Near-duplicates, leaks across the split and holes in the coverage of a dataset',
  example: 'plimsoll datasets check support',
  options: z.strictObject({ dataset: z.string().describe('Name, name@version, or a file') }),
  positionals: ['dataset'],
  exitCodes: { 0: 'no leak', 2: 'near-duplicates stand on two sides of the split' },
  async run({ options, output, context }) {
    const { label, check } = await checked(context.client, options.dataset);
    const { parts, duplicates, leaks, questions, coverage } = check;
    const title = (hash: string): string => `${hash.slice(0, 12)} ${(questions[hash] ?? 'sealed').slice(0, 48)}`;
    const pairs = (list: CaseCheck['duplicates'], word: string): string[] =>
      list === null
        ? [`${word}: unmeasured, too many cases to compare at once`]
        : [
            `${word}: ${countOf(list.length, 'pair')}`,
            ...list
              .slice(0, 20)
              .map(
                ({ left, right, similarity }) => `  ${`${Math.floor(similarity * 100)}`.padStart(3)} %  ${title(left)}  ≈  ${title(right)}`,
              ),
          ];
    const table = renderTable(
      [
        { title: '' },
        { title: 'cases', isNumber: true },
        ...coverage.categories.map((category) => ({ title: category ?? 'none named', isNumber: true })),
      ],
      coverage.rows
        .slice(0, 30)
        .map((row) => [row.label, formatCount(row.total), ...row.counts.map((count) => (count === 0 ? '·' : formatCount(count)))]),
    );
    const lines = [
      `${label}: ${countOf(check.cases, 'case')} in ${countOf(check.clusters, 'cluster')}; ${parts.train} train, ${parts.dev} dev, ${parts.holdout} sealed, ${parts.excluded} in no part`,
      '',
      ...pairs(duplicates, 'Near-duplicates'),
      ...pairs(leaks, 'Leaks across the split'),
      '',
      'Open cases by failure category (slice "failure"); · = a hole',
      table,
    ];
    output.print(lines.join('\n'), check);
    return leaks !== null && leaks.length > 0 ? 2 : 0;
  },
});
