import { z } from 'zod';
import type { CostAnomalyView } from '../../costs/anomalies/model.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { formatTime, parsePeriod } from '../format.ts';

export default defineCommand<CliContext>()({
  name: 'costs acknowledge',
  summary: 'Take over a cost anomaly, or say that it was expected and mute its series',
  example: 'plimsoll costs acknowledge 0192… --reason "launch in Spain" --expected --mute 14d',
  options: z.strictObject({
    id: z.string().describe('Id of the anomaly, as `costs anomalies` lists it'),
    reason: z.string().describe('Why; the list and the audit log keep it'),
    expected: z.boolean().default(false).describe('It is right as it is'),
    mute: z.string().optional().describe('With --expected: the series raises no new ones for so long, e.g. 14d'),
  }),
  positionals: ['id'],
  async run({ options, output, context }) {
    const { id, reason, expected, mute } = options;
    const body = {
      kind: expected ? 'expected' : 'acknowledged',
      reason,
      ...(mute === undefined ? {} : { muteForMs: parsePeriod(mute) }),
    };
    const handled = await context.client.call<CostAnomalyView>('POST', `/api/v1/costs/anomalies/${encodeURIComponent(id)}/handling`, {
      body,
    });
    const until = handled.handling?.mutedUntil ?? null;
    output.print(
      `${handled.dimension} ${handled.key ?? '(none)'}: ${handled.handling?.kind}${until === null ? '' : `, muted until ${formatTime(until)}`}.`,
      handled,
    );
    return 0;
  },
});
