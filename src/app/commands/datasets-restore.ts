import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { datasetPath, datasetReference } from '../dataset-client.ts';

export default defineCommand<CliContext>()({
  name: 'datasets restore',
  summary: 'Let an archived dataset take cases again',
  example: 'plimsoll datasets restore support',
  options: z.strictObject({ dataset: z.string().describe('Name') }),
  positionals: ['dataset'],
  async run({ options, output, context }) {
    const { name } = datasetReference(options.dataset);
    const changed = await context.client.call('PUT', datasetPath(name), { body: { isArchived: false } });
    output.print(`${name} takes cases again.`, changed);
    return 0;
  },
});
