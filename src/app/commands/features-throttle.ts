import { z } from 'zod';
import { describeThrottle, type FeatureSwitchView } from '../../features/switch.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';
import { formatTime, parsePeriod } from '../format.ts';

export default defineCommand<CliContext>()({
  name: 'features throttle',
  summary: 'Let a feature take fewer calls, on every gateway within a second',
  example: 'plimsoll features throttle customer-support --reason "provider quota" --rps 5 --for 2h',
  options: z.strictObject({
    feature: z.string().describe('Name of the feature'),
    reason: z.string().describe('Why; callers, the audit log and the dashboard show it'),
    rps: z.coerce.number().optional().describe('Calls per second on one machine, over all its workers'),
    share: z.coerce.number().optional().describe('Part of the calls that is let through, e.g. 0.2; instead of --rps'),
    for: z.string().optional().describe('Ends by itself after this time, e.g. 30m or 2h; left out = when somebody resumes it'),
  }),
  positionals: ['feature'],
  async run({ options, output, context }) {
    const { reason, rps: requestsPerSecond, share: shareRatio } = options;
    if ((requestsPerSecond === undefined) === (shareRatio === undefined))
      throw new PlimsollError('invalid_argument', 'Give either --rps or --share');
    const body = {
      kind: 'throttle',
      reason,
      requestsPerSecond,
      shareRatio,
      ...(options.for === undefined ? {} : { forMs: parsePeriod(options.for) }),
    };
    const path = `/api/v1/features/${encodeURIComponent(options.feature)}/switches`;
    const set = await context.client.call<FeatureSwitchView>('POST', path, { body });
    const end = set.expiresAt === null ? `until "plimsoll features resume ${set.feature}"` : `until ${formatTime(set.expiresAt)}`;
    output.print(`${set.feature} takes ${describeThrottle(set)} ${end}.`, set);
    return 0;
  },
});
