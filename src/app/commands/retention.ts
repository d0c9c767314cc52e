import { z } from 'zod';
import type { RetentionReport } from '../../audit/retention/report.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { countOf, formatBytes, formatCount, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

export default defineCommand<CliContext>()({
  name: 'retention',
  summary: 'How long data is kept by class, what is stored, and what is deleted next; deletes nothing itself',
  example: 'plimsoll retention',
  options: z.strictObject({}),
  async run({ output, context }) {
    const report = await context.client.call<RetentionReport>('GET', '/api/v1/retention');
    output.print(renderReport(report), report);
    return 0;
  },
});

function keptFor(days: number | null): string {
  return days === null ? 'never deleted' : countOf(days, 'day');
}

function day(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

function renderReport({ classes, nextRunAt }: RetentionReport): string {
  const rows = classes.flatMap(({ name, keptDays, features, rows: count, bytes, oldestAt, due, next }) => [
    [
      name,
      keptFor(keptDays),
      formatCount(count),
      formatBytes(bytes),
      oldestAt === null ? '–' : day(oldestAt),
      due.rows === 0 ? '–' : `${formatCount(due.rows)} (≈ ${formatBytes(due.bytes)})`,
      next === null ? '–' : `${formatCount(next.rows)} of ${day(next.day)}, on ${day(next.at)}`,
    ],
    ...features.map(({ feature, keptDays: days }) => [`  ${feature}`, keptFor(days), '', '', '', '', '']),
  ]);
  const columns = [
    { title: 'class' },
    { title: 'kept' },
    { title: 'rows', isNumber: true },
    { title: 'on disk', isNumber: true },
    { title: 'oldest' },
    { title: 'goes in the next run' },
    { title: 'then' },
  ];
  const run = nextRunAt === null ? 'No run is planned.' : `Next run: ${formatTime(nextRunAt)}. Days are UTC.`;
  return `${renderTable(columns, rows)}\n\n${run}`;
}
