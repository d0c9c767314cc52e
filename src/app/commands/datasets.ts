import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { formatCount, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

interface Listed {
  readonly datasets: readonly {
    readonly name: string;
    readonly version: number;
    readonly cases: number;
    readonly changedAt: number;
    readonly changedBy: string;
    readonly isArchived: boolean;
    readonly holdoutOpenings: number;
    readonly split: { readonly by: string } | null;
  }[];
}

export default defineCommand<CliContext>()({
  name: 'datasets',
  summary: 'List datasets of eval cases',
  example: 'plimsoll datasets',
  options: z.strictObject({ archived: z.boolean().default(false).describe('Archived ones too') }),
  async run({ options, output, context }) {
    const listed = await context.client.call<Listed>('GET', '/api/v1/datasets');
    const shown = listed.datasets.filter(({ isArchived }) => options.archived || !isArchived);
    const rows = shown.map((each) => [
      `${each.name}${each.isArchived ? ' (archived)' : ''}`,
      `${each.version}`,
      formatCount(each.cases),
      each.split === null ? 'none' : `by ${each.split.by}`,
      each.split === null ? '–' : `${each.holdoutOpenings}`,
      formatTime(each.changedAt),
      each.changedBy,
    ]);
    const columns = [
      { title: 'dataset' },
      { title: 'version', isNumber: true },
      { title: 'cases', isNumber: true },
      { title: 'split' },
      { title: 'holdout openings', isNumber: true },
      { title: 'changed' },
      { title: 'by' },
    ];
    output.print(
      rows.length === 0
        ? 'No datasets yet. Make one: plimsoll datasets add support --trace <id>, or plimsoll datasets push datasets/support.yaml'
        : renderTable(columns, rows),
      { datasets: shown },
    );
    return 0;
  },
});
