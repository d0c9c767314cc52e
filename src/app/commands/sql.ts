import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { csvText } from '../../costs/csv-file.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { SqlConsoleView, SqlResult } from '../../traces/sql-console/model.ts';
import type { CliContext } from '../cli.ts';
import { countOf, formatCount, formatMs } from '../format.ts';
import { renderTable } from '../terminal.ts';

/** Of one cell in the table; --json and --csv have all. */
const CELL_CHARACTERS = 120;

function cellText(value: unknown): string {
  return value === null ? 'NULL' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Values are of others: what would steer the terminal, or break the table, is shown as a sign. */
function shown(value: unknown): string {
  const text = cellText(value).replace(/\p{Cc}/gu, '␦');
  return text.length > CELL_CHARACTERS ? `${text.slice(0, CELL_CHARACTERS - 1)}…` : text;
}

function csvCell(value: unknown): string {
  const text = value === null ? '' : cellText(value);
  // A number may begin with a sign; whatever else does is a formula to a spreadsheet.
  return /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? text : csvText(text);
}

export default defineCommand<CliContext>()({
  name: 'sql',
  summary: 'Run one read-only SQL statement over the trace store',
  example: 'plimsoll sql "SELECT feature, sum(requests) FROM rollup_1d GROUP BY feature"',
  options: z.strictObject({
    query: z.string().optional().describe('One SELECT or WITH, DESCRIBE <table>, or SHOW TABLES; left out = list the tables'),
    csv: z.boolean().default(false).describe('Print CSV with a head line'),
  }),
  positionals: ['query'],
  async run({ options: { query = 'SHOW TABLES', csv }, output, context: { client }, signal }) {
    const runId = randomUUID();
    const cancel = (): void => {
      client.call('DELETE', `/api/v1/sql/${runId}`).catch(() => {}); // It may be over already.
    };
    signal.addEventListener('abort', cancel, { once: true });
    const result = await client.call<SqlResult>('POST', '/api/v1/sql', { body: { query, runId } });
    signal.removeEventListener('abort', cancel);
    const { columns, rows, isCut, elapsedMs, rowsRead } = result;
    if (csv && !output.isJson) {
      output.print([columns.map(({ name }) => name), ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n'));
    } else {
      const heads = columns.map(({ name, type }) => ({ title: shown(name), isNumber: /^(Nullable\()?(U?Int|Float|Decimal)/.test(type) }));
      output.print(
        rows.length === 0
          ? 'No rows.'
          : renderTable(
              heads,
              rows.map((row) => row.map(shown)),
            ),
        result,
      );
    }
    output.note(`\n${countOf(rows.length, 'row')} in ${formatMs(elapsedMs)}, ${formatCount(rowsRead)} rows read.`);
    if (isCut) {
      const { limits } = await client.call<SqlConsoleView>('GET', '/api/v1/sql');
      output.note(
        `There are more: only the first ${formatCount(limits.rows)} rows are sent. Narrow the statement, or add LIMIT and OFFSET.`,
      );
    }
    if (signal.aborted) throw new PlimsollError('conflict', 'The query was cancelled.');
    return 0;
  },
});
