import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import { type TracePage, TraceStatus } from '../../traces/model.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatCount, formatMs, formatTime, parsePeriod } from '../format.ts';
import { renderTable } from '../terminal.ts';

export default defineCommand<CliContext>()({
  name: 'traces list',
  summary: 'List recent traces',
  example: 'plimsoll traces list --feature customer-support --status error --last 1h',
  options: z.strictObject({
    feature: z.string().optional().describe('Only this feature'),
    model: z.string().optional().describe('Only this model'),
    user: z.string().optional().describe('Only this user'),
    session: z.string().optional().describe('Only this session'),
    status: TraceStatus.optional().describe('ok, error or aborted'),
    q: z.string().optional().describe('Words, and "phrases", that all occur in what is new in a prompt or in its answer'),
    last: z.string().default('24h').describe('Period up to now: 30m, 24h, 7d …'),
    limit: z.coerce.number().int().min(1).max(200).default(20).describe('Rows'),
    cursor: z.string().optional().describe('nextCursor of the page before'),
  }),
  async run({ options, output, context }) {
    const { last, ...query } = options;
    const page = await context.client.call<TracePage>('GET', '/api/v1/traces', {
      query: { ...query, from: Date.now() - parsePeriod(last) },
    });
    const rows = page.traces.map((trace) => [
      formatTime(trace.startedAt),
      trace.status === 'error' ? `✖ ${trace.errorType ?? 'error'}` : trace.status === 'aborted' ? '◌ aborted' : '● ok',
      trace.feature,
      trace.models.join(', '),
      trace.inputTokens === null ? '–' : formatCount(trace.inputTokens),
      trace.outputTokens === null ? '–' : formatCount(trace.outputTokens),
      trace.costPicoUsd === null ? 'unpriced' : `${trace.costStatus === 'estimated_tokens' ? '≈' : ''}${formatCost(trace.costPicoUsd, 0)}`,
      formatMs(trace.durationMs),
      trace.traceId,
    ]);
    const columns = [
      { title: 'time' },
      { title: 'status' },
      { title: 'feature' },
      { title: 'model' },
      { title: 'in', isNumber: true },
      { title: 'out', isNumber: true },
      { title: 'cost', isNumber: true },
      { title: 'duration', isNumber: true },
      { title: 'trace' },
    ];
    output.print(rows.length === 0 ? `No traces in the last ${last} match.` : renderTable(columns, rows), page);
    if (page.nextCursor) output.note(`\nOlder ones: add --cursor ${page.nextCursor}`);
    return 0;
  },
});
