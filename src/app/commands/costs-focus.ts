import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { FOCUS_FORMATS, FOCUS_GRAINS } from '../../costs/focus/columns.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { dayText, parseDay } from '../../kernel/config/day.ts';
import type { CliContext } from '../cli.ts';

export default defineCommand<CliContext>()({
  name: 'costs focus',
  summary: 'Export charges as FOCUS, CSV or Parquet, for FinOps tools',
  example: 'plimsoll costs focus --from 2026-11-01 --to 2026-12-01 --format parquet --out november.parquet',
  options: z.strictObject({
    from: dayText('First day or moment, UTC'),
    to: dayText('End').optional().describe('End, exclusive; now when absent'),
    grain: z.enum(FOCUS_GRAINS).default('day').describe('day: summed up by day; call: a row for each paid attempt, with its trace'),
    format: z.enum(FOCUS_FORMATS).default('csv').describe('csv or parquet'),
    out: z.string().describe('File to write; replaced when it is there, and only when all of it has come'),
  }),
  async run({ options, output, context, signal }) {
    const { from, to, grain, format, out } = options;
    const query = { from: parseDay(from), ...(to === undefined ? {} : { to: parseDay(to) }), grain, format };
    const { source, headers } = await context.client.file('/api/v1/costs/focus', query);
    const part = `${out}.part`;
    try {
      await pipeline(source, createWriteStream(part), { signal });
      await rename(part, out);
    } finally {
      await rm(part, { force: true });
    }
    const unpriced = Number(headers.get('x-plimsoll-unpriced-calls') ?? 0);
    output.print(
      `${out} written.${unpriced > 0 ? ` ${unpriced} ${unpriced === 1 ? 'call has' : 'calls have'} no price and ${unpriced === 1 ? 'is' : 'are'} not in it.` : ''}`,
      { file: out, unpricedCalls: unpriced },
    );
    return 0;
  },
});
