import { z } from 'zod';
import type { ResultRow } from '../../evals/runner/result-row.ts';
import { RunDirectory } from '../../evals/runner/run-directory.ts';
import { type RunSummary, Summariser } from '../../evals/runner/summary.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { evalsFolder } from '../eval-run.ts';
import { summaryText } from '../eval-text.ts';

// Answers are a stranger's text: control characters would steer the terminal.
const OUTPUT_CHARACTERS = 160;

function rowText(row: ResultRow): string {
  const reasons = row.assertions
    .filter(({ passed }) => passed !== true)
    .map(({ type, reason }) => `    ${type}: ${(reason ?? '').replaceAll(/[\s\p{Cc}]+/gu, ' ')}`);
  const what =
    row.error === undefined
      ? (row.output ?? '').replaceAll(/[\s\p{Cc}]+/gu, ' ').slice(0, OUTPUT_CHARACTERS)
      : `${row.error.code}: ${row.error.message}`;
  return [
    `${row.state} ${row.case} prompt ${row.prompt + 1} target ${row.target + 1} repeat ${row.repeat + 1}${row.description === undefined ? '' : ` (${row.description})`}${row.traceId === undefined ? '' : ` trace ${row.traceId}`}`,
    `    ${what}`,
    ...reasons,
  ].join('\n');
}

export default defineCommand<CliContext>()({
  name: 'eval show',
  summary: 'Show an eval run: the matrix, and the cases that did not pass',
  example: 'plimsoll eval show 019aa… --state failed',
  options: z.strictObject({
    id: z.string().describe('Id of the run'),
    state: z
      .enum(['passed', 'failed', 'unmeasured', 'error', 'all'])
      .optional()
      .describe('Rows that ended so; left out = all that did not pass'),
    case: z.string().optional().describe('Only rows of this case'),
    limit: z.coerce.number().int().min(0).default(20).describe('Most rows'),
  }),
  positionals: ['id'],
  async run({ options, output, context }) {
    const directory = new RunDirectory(evalsFolder(context), options.id);
    const summariser = new Summariser(directory.header());
    const shown: ResultRow[] = [];
    let matching = 0;
    for await (const row of directory.rows()) {
      summariser.add(row);
      const isState = options.state === undefined ? row.state !== 'passed' : options.state === 'all' || row.state === options.state;
      if (!isState || (options.case !== undefined && row.case !== options.case)) continue;
      matching++;
      if (shown.length < options.limit) shown.push(row);
    }
    const summary = directory.summary<RunSummary>() ?? summariser.summary(null);
    const more = matching > shown.length ? `\n… and ${matching - shown.length} more (--limit)` : '';
    output.print(`${summaryText(summary)}\n\n${shown.map(rowText).join('\n')}${more}`.trimEnd(), { summary, rows: shown, matching });
    return 0;
  },
});
