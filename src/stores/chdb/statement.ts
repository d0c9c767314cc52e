import { EngineException } from './exception.ts';

/** What the façade does with a statement: stream it, feed it data, run it, or refuse it. */
export type StatementKind = 'select' | 'insert' | 'definition' | 'session';

const LEADING_NOISE = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*\(*/;
const TRAILING_FORMAT = /\sFORMAT\s+([A-Za-z][A-Za-z0-9]*)\s*;?\s*$/i;
const PLACEHOLDER = /\{\s*([A-Za-z_]\w*)\s*:\s*[A-Za-z]/g;
const INSERT_WITH_DATA = /^\s*INSERT\s+INTO\s+(?:TABLE\s+)?([\w.`"]+)\s*(?:\(([^()]*)\))?\s*FORMAT\s+(\w+)\s*$/i;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** First word decides; a leading comment or bracket is skipped. */
export function statementKind(sql: string): StatementKind {
  const word = /^[A-Za-z]*/.exec(sql.replace(LEADING_NOISE, ''))?.[0].toUpperCase() ?? '';
  if (word === 'SELECT' || word === 'WITH') return 'select';
  if (word === 'INSERT') return 'insert';
  if (word === 'SET' || word === 'USE') return 'session';
  return 'definition';
}

/** Takes a trailing `FORMAT X` off, so that settings and the format can be placed by the façade. */
export function splitFormat(sql: string, fallback: string): { body: string; format: string } {
  const match = TRAILING_FORMAT.exec(sql);
  if (!match) return { body: sql.replace(/;\s*$/, ''), format: fallback };
  return { body: sql.slice(0, match.index), format: match[1] ?? fallback };
}

/** Table, columns and format of an `INSERT … FORMAT X` whose data follows apart; null for INSERT … SELECT or VALUES. */
export function parseInsert(sql: string): { table: string; columns: string[] | null; format: string } | null {
  const match = INSERT_WITH_DATA.exec(sql);
  if (!match) return null;
  const unquote = (name: string) => name.trim().replace(/[`"]/g, '');
  const columns = match[2] === undefined ? null : match[2].split(',').map(unquote);
  return { table: unquote(match[1] ?? ''), columns, format: match[3] ?? '' };
}

/** A string as a ClickHouse literal. Backslash and quote are the only characters that could end or bend it. */
export function quoteLiteral(value: string): string {
  return `'${value.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

export function checkIdentifier(name: string, what: string): string {
  if (!IDENTIFIER.test(name)) throw new EngineException(62, 'SYNTAX_ERROR', `Not a ${what}: ${JSON.stringify(name.slice(0, 64))}`);
  return name;
}

/** `a=1, b='x'`, with names checked and values quoted unless they are plain numbers. */
export function renderSettings(settings: ReadonlyMap<string, string>): string {
  return [...settings]
    .map(([name, value]) => `${checkIdentifier(name, 'setting name')}=${/^-?\d{1,20}$/.test(value) ? value : quoteLiteral(value)}`)
    .join(', ');
}

/**
 * `SET` that binds the parameters on one connection, or null when the statement has none.
 * The engine's own parameter call is not isolated between connections; `SET param_x` is. Such a value stays on its connection,
 * therefore a placeholder without a value in this very request is refused here instead of meeting an older one.
 * @throws EngineException 456 for a placeholder without a value
 */
export function renderParameterBinding(sql: string, parameters: ReadonlyMap<string, string>): string | null {
  for (const [, name = ''] of sql.matchAll(PLACEHOLDER)) {
    if (!parameters.has(name)) throw new EngineException(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${name}\` is not set.`);
  }
  if (parameters.size === 0) return null;
  return `SET ${[...parameters].map(([name, value]) => `param_${checkIdentifier(name, 'parameter name')}=${quoteLiteral(value)}`).join(', ')}`;
}
