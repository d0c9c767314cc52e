import { z } from 'zod';
import type { KeyCreated } from '../../identity/model.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';

export default defineCommand<CliContext>()({
  name: 'keys create',
  summary: 'Make a virtual key; it is shown once',
  example: 'plimsoll keys create "support widget" --feature customer-support --team support',
  options: z.strictObject({
    name: z.string().describe('What the key is for'),
    feature: z.string().optional().describe('Feature that its calls belong to; left out = the request names it'),
    team: z.string().optional().describe('Team that the cost is allocated to'),
    models: z.string().optional().describe('Routes and models that it may use, separated by commas; left out = all'),
    expires: z.string().optional().describe('Refused from this moment, ISO 8601'),
  }),
  positionals: ['name'],
  async run({ options, output, context }) {
    const expiresAt = options.expires === undefined ? undefined : Date.parse(options.expires);
    if (expiresAt !== undefined && Number.isNaN(expiresAt))
      throw new PlimsollError(
        'invalid_argument',
        `--expires "${options.expires}" is not a time; write e.g. 2027-01-31 or 2027-01-31T18:00:00Z`,
      );
    const body = {
      name: options.name,
      feature: options.feature,
      team: options.team,
      models: options.models?.split(',').map((model) => model.trim()),
      expiresAt,
    };
    const created = await context.client.call<KeyCreated>('POST', '/api/v1/keys', { body });
    output.note('Shown once; only a hash is kept:');
    output.print(created.key, created);
    return 0;
  },
});
