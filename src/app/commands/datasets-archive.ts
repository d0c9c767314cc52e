import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { datasetPath, datasetReference } from '../dataset-client.ts';

export default defineCommand<CliContext>()({
  name: 'datasets archive',
  summary: 'Archive a dataset: it stays readable and takes no more cases',
  example: 'plimsoll datasets archive support',
  options: z.strictObject({ dataset: z.string().describe('Name') }),
  positionals: ['dataset'],
  async run({ options, output, context }) {
    const { name } = datasetReference(options.dataset);
    const changed = await context.client.call('PUT', datasetPath(name), { body: { isArchived: true } });
    output.print(`${name} is archived; restore it with: plimsoll datasets restore ${name}`, changed);
    return 0;
  },
});
