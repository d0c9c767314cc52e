import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';

export default defineCommand<CliContext>()({
  name: 'cache purge',
  summary: 'Void kept answers of a feature, with a tag, or all, on every gateway',
  example: 'plimsoll cache purge customer-support --tag product=widget',
  options: z.strictObject({
    feature: z.string().optional().describe('Only answers of this feature'),
    tag: z.string().optional().describe('Only answers filled by calls with this tag, name=value'),
    all: z.boolean().default(false).describe('Everything'),
  }),
  positionals: ['feature'],
  async run({ options, output, context }) {
    const { feature, tag, all } = options;
    if (all === (feature !== undefined || tag !== undefined))
      throw new PlimsollError('invalid_argument', 'Name a feature, a --tag or both, or say --all');
    const body = all ? { all: true } : { feature, tag };
    const { sequence } = await context.client.call<{ sequence: number }>('POST', '/api/v1/cache/purge', { body });
    output.print(`Purge ${sequence} is under way. Gateways give none of these answers within a second.`, { sequence });
    return 0;
  },
});
