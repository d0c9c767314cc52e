import { isAllowedFunction, isAllowedTableFunction } from './functions.ts';
import { refuseAt, type Token } from './lexer.ts';

/** What the engine has, in lower case. */
export interface EngineNames {
  readonly functions: ReadonlySet<string>;
  /** Databases other than ours. */
  readonly foreignDatabases: ReadonlySet<string>;
}

/** Words behind which a bracket opens that is no call. */
const KEYWORDS: ReadonlySet<string> = new Set(
  `ALL AND ANTI ANY ARRAY AS ASC ASOF BETWEEN BY CASE COLUMNS CROSS CUBE DESC DISTINCT ELSE END EXCEPT FILTER FINAL FROM FULL GLOBAL GROUP HAVING
  ILIKE IN INNER INTERPOLATE INTERSECT INTERVAL IS JOIN LEFT LIKE LIMIT NOT NULL OFFSET ON OR ORDER OVER PARTITION PREWHERE QUALIFY REPLACE RIGHT ROLLUP
  SELECT SEMI SETS THEN TOTALS UNION USING VALUES WHEN WHERE WITH`
    .toLowerCase()
    .split(/\s+/),
);
/** Types with parameters, as in `CAST(x AS Decimal(18, 2))`. */
const TYPES =
  /^(?:array|tuple|map|nullable|lowcardinality|decimal\d*|datetime(?:64)?|date32|time64|fixedstring|enum(?:8|16)?|varchar|char|simpleaggregatefunction|aggregatefunction)$/;

/**
 * Looks at every word of a statement, because the engine's tree leaves some out (what stands behind OVER): calls, functions that stand where a column
 * could (`arrayMap(file, …)`), and other databases.
 * @throws PlimsollError `invalid_argument` with line and column
 */
export function checkNames(text: string, tokens: readonly Token[], { functions, foreignDatabases }: EngineNames): void {
  tokens.forEach((token, place) => {
    if (token.kind !== 'word' && token.kind !== 'quoted') return;
    const name = token.text.toLowerCase();
    const next = tokens[place + 1]?.text;
    const isPart = tokens[place - 1]?.kind === 'sign' && tokens[place - 1]?.text === '.';
    const isKeyword = token.kind === 'word' && KEYWORDS.has(name);
    const isAllowed = isAllowedFunction(name) || isAllowedTableFunction(name);
    if (next === '.' && !isPart && foreignDatabases.has(name))
      refuseAt(text, token.offset, `The database ${token.text} is not open to the console.`);
    if (next === '(' && !isAllowed && !isKeyword && !TYPES.test(name))
      refuseAt(text, token.offset, `The function ${token.text} is not allowed in the console.`);
    if (!isPart && !isKeyword && !isAllowed && next !== '.' && functions.has(name))
      refuseAt(
        text,
        token.offset,
        `${token.text} is the name of a function that is not allowed; give the column another one, or write table.${token.text}.`,
      );
    if (token.kind !== 'word') return;
    if (name === 'apply') refuseAt(text, token.offset, 'APPLY is not allowed: write the columns.');
    if (name === 'window' && next !== '(' && tokens[place + 2]?.text.toLowerCase() === 'as')
      refuseAt(text, token.offset, 'Write the window behind OVER, not in a WINDOW clause.');
    if (name === 'over') checkWindow(text, tokens, place + 1);
  });
}

/** A window is made of columns and functions: no subquery, no IN. */
function checkWindow(text: string, tokens: readonly Token[], start: number): void {
  if (tokens[start]?.text !== '(') return;
  let depth = 0;
  for (const token of tokens.slice(start)) {
    if (token.kind === 'sign' && token.text === '(') depth++;
    else if (token.kind === 'sign' && token.text === ')' && --depth === 0) return;
    else if (token.kind === 'word' && /^(?:select|with|from|in)$/i.test(token.text))
      refuseAt(text, token.offset, 'A window must not hold a subquery or IN: compute the column in a subquery before.');
  }
}
