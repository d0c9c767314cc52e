import { lexSql, refuseAt, type Token } from './lexer.ts';

/** What somebody wants of the console. */
export type Statement =
  | {
      readonly kind: 'select';
      /** The text, without a closing semicolon. */
      readonly sql: string;
      /** Names that `WITH name AS (…)` gives to subqueries. */
      readonly subqueries: ReadonlySet<string>;
      readonly tokens: readonly Token[];
    }
  | { readonly kind: 'describe'; readonly table: string; readonly offset: number }
  | { readonly kind: 'tables' };

/** Words that may follow `FORMAT` as the name of a column may: then it is a column itself. */
const AFTER_COLUMN = /^(?:FROM|AS|ASC|DESC|AND|OR|IN|NOT|IS|LIKE|ILIKE|BETWEEN|THEN|ELSE|END|GROUP|ORDER|WHERE|LIMIT|HAVING|UNION)$/i;

/**
 * Reads one statement of those that the console knows: SELECT or WITH, DESCRIBE or SHOW COLUMNS FROM a table, SHOW TABLES.
 * What ends or bends a SELECT from outside (a second statement, SETTINGS, FORMAT, INTO OUTFILE) is refused, wherever it stands.
 * @throws PlimsollError `invalid_argument` with line and column
 */
export function readStatement(text: string): Statement {
  const all = lexSql(text);
  let end = text.length;
  while (all.at(-1)?.text === ';' && all.at(-1)?.kind === 'sign') end = all.pop()?.offset ?? end;
  const tokens = all;
  const first = tokens[0];
  if (first === undefined) refuseAt(text, 0, 'There is no statement.');
  const semicolon = tokens.find(({ kind, text: sign }) => kind === 'sign' && sign === ';');
  if (semicolon) refuseAt(text, semicolon.offset, 'One statement at a time: text follows after ";".');
  const lead = tokens.find(({ text: sign }) => sign !== '(');
  const keyword = lead?.kind === 'word' ? lead.text.toUpperCase() : '';
  if (keyword === 'SELECT' || keyword === 'WITH') return readSelect(text, text.slice(0, end), tokens);
  if (first === lead && (keyword === 'DESCRIBE' || keyword === 'DESC' || keyword === 'SHOW'))
    return readSchemaQuestion(text, keyword, tokens);
  return refuseAt(text, first.offset, 'Only SELECT, WITH, DESCRIBE <table>, SHOW TABLES and SHOW COLUMNS FROM <table> may be run here.');
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const MAX_NESTING = 100;

/** A statement stands in brackets of ours when it is run: it must not close them. */
function checkBrackets(text: string, tokens: readonly Token[]): void {
  const open: Token[] = [];
  for (const token of tokens) {
    if (token.kind !== 'sign') continue;
    if (Object.hasOwn(CLOSING, token.text)) {
      open.push(token);
      if (open.length > MAX_NESTING) refuseAt(text, token.offset, `Brackets are nested more than ${MAX_NESTING} deep.`);
    } else if (/[)\]}]/.test(token.text)) {
      const opened = open.pop();
      if (opened === undefined || CLOSING[opened.text] !== token.text) refuseAt(text, token.offset, `"${token.text}" closes nothing.`);
    }
  }
  const last = open.at(-1);
  if (last) refuseAt(text, last.offset, `"${last.text}" is not closed.`);
}

function readSelect(text: string, sql: string, tokens: readonly Token[]): Statement {
  checkBrackets(text, tokens);
  const subqueries = new Set<string>();
  tokens.forEach((token, place) => {
    const next = tokens[place + 1];
    if (token.kind === 'sign' && token.text === '{' && next?.kind === 'word')
      refuseAt(text, token.offset, 'Placeholders {name:Type} have no values here: write the value itself.');
    if (token.kind !== 'word') return;
    const word = token.text.toUpperCase();
    const isAfterDot = tokens[place - 1]?.text === '.';
    if (word === 'OUTFILE' && !isAfterDot) refuseAt(text, token.offset, 'INTO OUTFILE is not allowed: download the result instead.');
    if (word === 'SETTINGS' && !isAfterDot) refuseAt(text, token.offset, 'SETTINGS is not allowed: the limits of the console are fixed.');
    if (word === 'FORMAT' && !isAfterDot && next?.kind === 'word' && !AFTER_COLUMN.test(next.text))
      refuseAt(text, token.offset, 'FORMAT is not allowed: download the result as CSV or JSON instead.');
    if (next?.kind === 'word' && next.text.toUpperCase() === 'AS' && tokens[place + 2]?.text === '(') subqueries.add(token.text);
  });
  return { kind: 'select', sql, subqueries, tokens };
}

function readSchemaQuestion(text: string, keyword: string, tokens: readonly Token[]): Statement {
  const rest = tokens.slice(1);
  const is = (place: number, ...words: string[]): boolean =>
    rest[place]?.kind === 'word' && words.includes(rest[place]?.text.toUpperCase() ?? '');
  if (keyword === 'SHOW' && is(0, 'TABLES') && rest.length === 1) return { kind: 'tables' };
  const skipped =
    keyword === 'SHOW' ? (is(0, 'COLUMNS', 'FIELDS') && is(1, 'FROM', 'IN') ? 2 : -1) : is(0, 'TABLE') && rest.length > 1 ? 1 : 0;
  const named = rest[skipped];
  if (skipped >= 0 && rest.length === skipped + 1 && (named?.kind === 'word' || named?.kind === 'quoted'))
    return { kind: 'describe', table: named.text, offset: named.offset };
  return refuseAt(
    text,
    tokens[1]?.offset ?? text.length,
    `After ${keyword} ${keyword === 'SHOW' ? 'come TABLES or COLUMNS FROM <table>' : 'comes the name of a table'}.`,
  );
}
