import { z } from 'zod';
import { findsPattern } from '../regular-expression.ts';
import { failed, type Score, verdict } from '../score.ts';
import { defineScorer } from '../scorer.ts';
import { readSql } from '../sql/statement.ts';

const Value = z
  .strictObject({
    databaseType: z.string().optional(),
    allowedTables: z.array(z.string()).optional(),
  })
  .optional()
  .describe(
    '{ databaseType, allowedTables: ["select::null::orders"] } as `action::database::table`, regular expressions as in promptfoo; `allowedColumns` is not supported',
  );

type Options = z.infer<typeof Value>;

/** The whole of it, in capitals or not. A pattern with a backslash keeps its capitals: \D is not \d. */
function isAllowed(table: string, allowed: readonly string[]): boolean {
  return allowed.some((each) => findsPattern(`^(?:${each.includes('\\') ? each : each.toLowerCase()})$`, table.toLowerCase()));
}

function judge(sql: string, value: Options): Score {
  const reading = readSql(sql);
  switch (reading.kind) {
    case 'invalid':
      return verdict(false, `No SQL: ${reading.reason}.`);
    case 'unknown':
      return failed(`It cannot be told here whether this is SQL: ${reading.reason}.`);
    case 'valid': {
      const foreign =
        value?.allowedTables === undefined ? [] : reading.tables.filter((table) => !isAllowed(table, value.allowedTables ?? []));
      return verdict(
        foreign.length === 0,
        foreign.length === 0 ? 'A statement of SQL.' : `Tables that are not allowed: ${foreign.join(', ').slice(0, 300)}.`,
      );
    }
  }
}

/** Inside of fences that say sql or nothing; the whole output when there are none. */
function candidates(output: string): string[] {
  const blocks: string[] = [];
  let fence: { mark: string; isSql: boolean; lines: string[] } | null = null;
  for (const line of output.split(/\r\n?|\n/)) {
    const found = /^[ \t]{0,3}(`{3,}|~{3,})[ \t]*(.*)$/.exec(line);
    if (fence === null) {
      const language = found?.[2]?.trim().toLowerCase();
      if (found?.[1] !== undefined) fence = { mark: found[1], isSql: language === '' || language === 'sql', lines: [] };
    } else if (found?.[1]?.startsWith(fence.mark) && found[2]?.trim() === '') {
      if (fence.isSql) blocks.push(fence.lines.join('\n'));
      fence = null;
    } else fence.lines.push(line);
  }
  return blocks.length > 0 ? blocks : [output];
}

const SOURCE =
  'promptfoo asks a parser of 60 MB; this is a small one of our own, for SELECT, INSERT, UPDATE and DELETE as all databases have them. What is surely wrong does not pass; what it cannot read is a failed score that says why, never a guess.';

export default [
  defineScorer({
    names: ['is-sql'],
    summary: 'The whole output is one statement of SQL, on tables that are allowed.',
    source: SOURCE,
    direction: 'higher',
    needs: [],
    options: z.strictObject({ value: Value }),
    score: ({ output }, { value }) => judge(output, value),
  }),
  defineScorer({
    names: ['contains-sql'],
    summary: 'A fenced block of the output is SQL; without fences, the whole output is.',
    source: `promptfoo: fences that say \`sql\` or nothing. ${SOURCE}`,
    direction: 'higher',
    needs: [],
    options: z.strictObject({ value: Value }),
    score({ output }, { value }) {
      const scores = candidates(output.slice(0, 1_000_000)).map((sql) => judge(sql, value));
      const passed = scores.find((score) => score.state === 'measured' && score.passed === true);
      return passed ?? scores.find(({ state }) => state === 'failed') ?? scores[0] ?? verdict(false, 'No SQL.');
    },
  }),
];
