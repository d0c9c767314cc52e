import { z } from 'zod';
import type { FeatureSwitchView } from '../../features/switch.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { formatTime, parsePeriod } from '../format.ts';

export default defineCommand<CliContext>()({
  name: 'features pause',
  summary: 'Let a feature take no calls, on every gateway within a second',
  example: 'plimsoll features pause customer-support --reason "wrong refunds, INC-42" --for 30m',
  options: z.strictObject({
    feature: z.string().describe('Name of the feature'),
    reason: z.string().describe('Why; callers, the audit log and the dashboard show it'),
    for: z.string().optional().describe('Ends by itself after this time, e.g. 30m or 2h; left out = when somebody resumes it'),
  }),
  positionals: ['feature'],
  async run({ options, output, context }) {
    const body = {
      kind: 'pause',
      reason: options.reason,
      ...(options.for === undefined ? {} : { forMs: parsePeriod(options.for) }),
    };
    const path = `/api/v1/features/${encodeURIComponent(options.feature)}/switches`;
    const set = await context.client.call<FeatureSwitchView>('POST', path, { body });
    const end = set.expiresAt === null ? `until "plimsoll features resume ${set.feature}"` : `until ${formatTime(set.expiresAt)}`;
    output.print(`${set.feature} takes no calls ${end}. Calls that run now finish.`, set);
    return 0;
  },
});
