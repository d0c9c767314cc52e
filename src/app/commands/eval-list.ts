import { z } from 'zod';
import { RunDirectory } from '../../evals/runner/run-directory.ts';
import type { RunSummary } from '../../evals/runner/summary.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { evalsFolder } from '../eval-run.ts';
import { formatCost, formatCount, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

export default defineCommand<CliContext>()({
  name: 'eval list',
  summary: 'List eval runs of this machine, the newest first',
  example: 'plimsoll eval list',
  options: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(20).describe('Most runs') }),
  async run({ options, output, context }) {
    const runs = RunDirectory.list(evalsFolder(context))
      .slice(0, options.limit)
      .map((directory) => ({ header: directory.header(), summary: directory.summary<RunSummary>() }));
    const rows = runs.map(({ header, summary }) => {
      const passed = summary?.cells.reduce((sum, cell) => sum + cell.passed, 0);
      return [
        header.id,
        formatTime(header.startedAtMs),
        header.suite.slice(0, 32),
        // Without a summary it runs, or was killed: which of the two its folder does not say.
        summary?.state ?? 'unfinished',
        passed === undefined ? '–' : `${formatCount(passed)} of ${formatCount(summary?.done ?? 0)}`,
        summary === null ? '–' : formatCost(summary.spentPicoUsd, summary.unpriced),
      ];
    });
    const titles = [
      { title: 'run' },
      { title: 'started' },
      { title: 'suite' },
      { title: 'state' },
      { title: 'passed', isNumber: true },
      { title: 'cost', isNumber: true },
    ];
    output.print(rows.length === 0 ? 'No runs yet; start one with: plimsoll eval run <suite>' : renderTable(titles, rows), { runs });
    return 0;
  },
});
