import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';

export default defineCommand<CliContext>()({
  name: 'keys revoke',
  summary: 'Make a virtual key stop working at once',
  example: 'plimsoll keys revoke 0192f0c1-…',
  options: z.strictObject({ id: z.string().describe('Id of the key, from "plimsoll keys list"') }),
  positionals: ['id'],
  async run({ options, output, context }) {
    await context.client.call('DELETE', `/api/v1/keys/${encodeURIComponent(options.id)}`);
    output.print(`Revoked ${options.id}. Gateways refuse it within a second.`, { id: options.id, revoked: true });
    return 0;
  },
});
