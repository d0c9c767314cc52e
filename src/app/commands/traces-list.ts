import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { nearest } from '../../kernel/suggest.ts';
import { type TracePage, TraceStatus } from '../../traces/model.ts';
import type { SavedView } from '../../traces/views/model.ts';
import { readTraceView } from '../../traces/views/view-query.ts';
import type { ApiClient } from '../api-client.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatCount, formatMs, formatTime, parsePeriod } from '../format.ts';
import { renderTable } from '../terminal.ts';

const NOT_YET = 'not yet';

export default defineCommand<CliContext>()({
  name: 'traces list',
  summary: 'List recent traces',
  example: 'plimsoll traces list --feature customer-support --status error --last 1h',
  options: z.strictObject({
    feature: z.string().optional().describe('Only this feature'),
    model: z.string().optional().describe('Only this model'),
    user: z.string().optional().describe('Only this user'),
    session: z.string().optional().describe('Only this session'),
    customer: z.string().optional().describe('Only this customer'),
    attribute: z.string().optional().describe('name=value of an attribute of any span of the trace'),
    status: TraceStatus.optional().describe('ok, error or aborted'),
    q: z.string().optional().describe('Words, and "phrases", that all occur in what is new in a prompt or in its answer'),
    view: z.string().optional().describe('Filters of a saved view of the Traces page; options given here come on top'),
    last: z.string().optional().describe('Period up to now: 30m, 24h, 7d …; 24h when left out'),
    limit: z.coerce.number().int().min(1).max(200).default(20).describe('Rows'),
    cursor: z.string().optional().describe('nextCursor of the page before'),
  }),
  async run({ options, output, context }) {
    const { last, view, ...query } = options;
    const saved = view === undefined ? { filters: {}, range: null } : await findView(context.client, view);
    const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
    const isFixed = last === undefined && ('from' in saved.filters || 'to' in saved.filters);
    const period = last ?? saved.range ?? '24h';
    const times = isFixed ? {} : { from: Date.now() - parsePeriod(period), to: undefined };
    const page = await context.client.call<TracePage>('GET', '/api/v1/traces', { query: { ...saved.filters, ...given, ...times } });
    const rows = page.traces.map((trace) => [
      formatTime(trace.startedAt),
      trace.status === 'error'
        ? `✖ ${trace.errorType ?? 'error'}`
        : trace.isUnfinished
          ? '◌ unfinished'
          : trace.status === 'aborted'
            ? '◌ aborted'
            : '● ok',
      trace.feature,
      trace.models.join(', '),
      trace.inputTokens === null ? '–' : formatCount(trace.inputTokens),
      trace.outputTokens === null ? '–' : formatCount(trace.outputTokens),
      trace.costPicoUsd === null
        ? trace.isUnfinished
          ? NOT_YET
          : 'unpriced'
        : `${trace.costStatus === 'estimated_tokens' ? '≈' : ''}${formatCost(trace.costPicoUsd, 0)}`,
      trace.isUnfinished ? NOT_YET : formatMs(trace.durationMs),
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
    output.print(
      rows.length === 0 ? (isFixed ? 'No traces match.' : `No traces in the last ${period} match.`) : renderTable(columns, rows),
      page,
    );
    if (page.nextCursor) output.note(`\nOlder ones: add --cursor ${page.nextCursor}`);
    return 0;
  },
});

/** @throws PlimsollError `not_found` with the names that there are */
async function findView(client: ApiClient, name: string): Promise<ReturnType<typeof readTraceView>> {
  const { views } = await client.call<{ views: SavedView[] }>('GET', '/api/v1/views', { query: { page: 'traces' } });
  const view = views.find((each) => each.name === name && each.isMine) ?? views.find((each) => each.name === name);
  if (view !== undefined) return readTraceView(view.query);
  const names = views.map((each) => each.name);
  const close = nearest(name, names);
  const known = names.length === 0 ? 'none is shared yet' : `there are: ${names.slice(0, 20).join(', ')}`;
  throw new PlimsollError(
    'not_found',
    `There is no view ${JSON.stringify(name)} of the Traces page that the command line may see${close === null ? `; ${known}` : `; did you mean "${close}"?`}`,
  );
}
