import { z } from 'zod';
import type { FeatureSwitchView } from '../../features/switch.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';

export default defineCommand<CliContext>()({
  name: 'features resume',
  summary: 'End the pause or throttle of a feature',
  example: 'plimsoll features resume customer-support --reason "fixed in 1.4.2"',
  options: z.strictObject({
    feature: z.string().describe('Name of the feature'),
    reason: z.string().optional().describe('Why; the audit log keeps it'),
  }),
  positionals: ['feature'],
  async run({ options, output, context }) {
    const path = `/api/v1/features/${encodeURIComponent(options.feature)}/switches`;
    const ended = await context.client.call<FeatureSwitchView>('DELETE', path, { query: { reason: options.reason } });
    output.print(
      `${ended.feature} takes every call again. It was ${ended.kind === 'pause' ? 'paused' : 'throttled'}: ${ended.reason}`,
      ended,
    );
    return 0;
  },
});
