import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import type { Span, TraceDetail } from '../../traces/model.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatCount, formatMs, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

const BAR_COLUMNS = 30;

export default defineCommand<CliContext>()({
  name: 'traces show',
  summary: 'Show one trace as a waterfall',
  example: 'plimsoll traces show 4bf92f3577b34da6a3ce929d0e0e4736',
  options: z.strictObject({
    id: z
      .string()
      .regex(/^[0-9a-f]{32}$/, 'a trace id has 32 hex digits')
      .describe('Trace id'),
  }),
  positionals: ['id'],
  async run({ options, output, context }) {
    const detail = await context.client.call<TraceDetail>('GET', `/api/v1/traces/${options.id}`);
    output.print(renderTrace(detail), detail);
    return 0;
  },
});

function renderTrace({ trace, spans }: TraceDetail): string {
  const start = Math.min(...spans.map((span) => Number(span.startedAtNs)));
  const end = Math.max(...spans.map((span) => Number(span.startedAtNs) + Number(span.durationNs)));
  const known = new Set(spans.map((span) => span.spanId));
  const children = Map.groupBy(spans, (span) => (span.parentSpanId !== null && known.has(span.parentSpanId) ? span.parentSpanId : ''));
  const rows: string[][] = [];
  const visit = (span: Span, depth: number): void => {
    const from = Math.floor(((Number(span.startedAtNs) - start) / Math.max(1, end - start)) * BAR_COLUMNS);
    const length = Math.max(1, Math.round((Number(span.durationNs) / Math.max(1, end - start)) * BAR_COLUMNS));
    const bar = `${' '.repeat(Math.min(from, BAR_COLUMNS - 1))}${'█'.repeat(Math.min(length, BAR_COLUMNS - Math.min(from, BAR_COLUMNS - 1)))}`;
    rows.push([
      `${'  '.repeat(depth)}${span.name}`,
      bar.padEnd(BAR_COLUMNS),
      formatMs(Number(span.durationNs) / 1e6),
      span.status === 'ok' ? '' : `${span.errorType ?? span.status}`,
    ]);
    for (const child of children.get(span.spanId) ?? []) visit(child, depth + 1);
  };
  for (const root of children.get('') ?? []) visit(root, 0);
  const cost = trace.costPicoUsd === null ? (trace.isUnfinished ? 'cost not yet' : 'unpriced') : formatCost(trace.costPicoUsd, 0);
  const unknown = trace.isUnfinished ? 'not yet' : 'unknown';
  const status = trace.isUnfinished ? 'unfinished' : trace.status;
  const lasted = trace.isUnfinished
    ? `no end was told, ${formatMs(Date.now() - trace.startedAt)} since its start`
    : `${formatMs(trace.durationMs)} in all`;
  return [
    `trace ${trace.traceId}${trace.isSimulated ? '  (simulated)' : ''}`,
    `${formatTime(trace.startedAt)}  ${trace.feature}  ${status}${trace.errorType ? ` (${trace.errorType})` : ''}  ${trace.models.join(' → ')}`,
    `${trace.inputTokens === null ? unknown : formatCount(trace.inputTokens)} input, ${trace.outputTokens === null ? unknown : formatCount(trace.outputTokens)} output tokens; ${cost}; first token ${formatMs(trace.ttftMs)}; ${lasted}`,
    '',
    renderTable([{ title: 'span' }, { title: '' }, { title: 'duration', isNumber: true }, { title: '' }], rows),
  ].join('\n');
}
