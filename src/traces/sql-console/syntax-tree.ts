import { isAllowedFunction, isAllowedTableFunction } from './functions.ts';

/** A node of the tree that the engine's own parser made of a statement (`EXPLAIN AST`). */
export interface TreeNode {
  /** E.g. `Function`, `TableIdentifier`. */
  readonly kind: string;
  /** Behind the kind: name of a function, a table or a column; without the alias. */
  readonly name: string;
  readonly children: TreeNode[];
}

/**
 * Kinds of nodes that can do nothing but read. A kind that is not here is refused, so that what a later version adds is closed first.
 * `Set` (SETTINGS) is not here, and neither is `ColumnsApplyTransformer`, which calls a function by a name that the tree does not show.
 */
const ALLOWED_KINDS: ReadonlySet<string> = new Set([
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'ExpressionList',
  'Function',
  'Identifier',
  'TableIdentifier',
  'Literal',
  'Asterisk',
  'QualifiedAsterisk',
  'ColumnsTransformerList',
  'ColumnsExceptTransformer',
  'ColumnsReplaceTransformer',
  'ColumnsReplaceTransformer::Replacement',
  'ColumnsListMatcher',
  'ColumnsRegexpMatcher',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'TableExpression',
  'TableJoin',
  'ArrayJoin',
  'Subquery',
  'WithElement',
  'OrderByElement',
  'InterpolateElement',
  'SampleRatio',
]);

/** Functions whose second argument may be the name of a table. */
const IN_FUNCTIONS: ReadonlySet<string> = new Set(
  ['', 'not', 'global', 'globalNot', 'null', 'notNull', 'globalNull', 'globalNotNull'].flatMap((prefix) => {
    const name = prefix === '' ? 'in' : `${prefix}In`;
    return [name.toLowerCase(), `${name}IgnoreSet`.toLowerCase()];
  }),
);

/** @param lines of `EXPLAIN AST`, in order; depth is told by leading spaces */
export function readTree(lines: readonly string[]): TreeNode[] {
  const roots: TreeNode[] = [];
  const open: TreeNode[] = [];
  for (const line of lines) {
    const depth = line.length - line.trimStart().length;
    const [, kind = '', rest = ''] = /^([A-Za-z:_]+)(?: ([\s\S]*))?$/.exec(line.trim()) ?? [];
    const name = rest
      .replace(/ ?\(children \d+\)$/, '')
      .replace(/ ?\(alias [\s\S]*\)$/, '')
      .trim();
    const node: TreeNode = { kind, name, children: [] };
    const parent = depth === 0 ? undefined : open[depth - 1];
    (parent?.children ?? roots).push(node);
    open[depth] = node;
    open.length = depth + 1;
  }
  return roots;
}

/**
 * The statement inside of `SELECT * FROM (…)`, as the runner wraps it. What stands beside that select, format and settings, is the runner's own.
 * Null when the tree has another form: then the text has reached out of its brackets.
 */
export function wrappedStatement(roots: readonly TreeNode[]): TreeNode | null {
  const [outer, ...others] = roots;
  const list = outer?.children[0];
  const [select, ...more] = list?.children ?? [];
  const isOurs =
    others.length === 0 &&
    more.length === 0 &&
    outer?.kind === 'SelectWithUnionQuery' &&
    list?.kind === 'ExpressionList' &&
    select?.kind === 'SelectQuery';
  const [columns, tables, ...rest] = select?.children ?? [];
  if (!isOurs || rest.length > 0 || columns?.children.length !== 1 || columns.children[0]?.kind !== 'Asterisk') return null;
  const source = tables?.children[0]?.children[0]?.children[0];
  return tables?.children.length === 1 && source?.kind === 'Subquery' ? source : null;
}

export interface Allowed {
  readonly tables: ReadonlySet<string>;
  readonly database: string;
  /** Names of subqueries of the statement itself. */
  readonly subqueries: ReadonlySet<string>;
  /** Every function that the engine has, in lower case: where one takes another, that one is named as a column would be. */
  readonly engineFunctions: ReadonlySet<string>;
}

/** What a SELECT without FROM reads: one row that says nothing. */
const NO_TABLE = 'system.one';

/** Why a statement must not run: the name at fault, for its place in the text, and the reason. Null = it may. */
export interface Refusal {
  readonly name: string;
  readonly reason: string;
}

/** Looks at every node: kinds, functions and tables must all be on their lists. */
export function findRefusal(statement: TreeNode | null, allowed: Allowed): Refusal | null {
  const isTable = (name: string): boolean => {
    const [database, table, ...more] = name.split('.');
    const isQualified = database === allowed.database && table !== undefined && more.length === 0 && allowed.tables.has(table);
    return name === NO_TABLE || allowed.tables.has(name) || allowed.subqueries.has(name) || isQualified;
  };
  const tableRefusal = (name: string): Refusal => ({
    name: name.split('.').at(-1) ?? name,
    reason: `${name} is no table of the console. There are: ${[...allowed.tables].join(', ')}.`,
  });
  if (statement === null) return { name: '', reason: 'This is no statement that stands by itself.' };
  const waiting = [{ node: statement, isBelowTable: false }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { kind, name, children } = next.node;
    const { isBelowTable } = next;
    if (!ALLOWED_KINDS.has(kind)) return { name, reason: `${kind || 'this'} is not allowed in the console` };
    if (kind === 'TableIdentifier' && !isTable(name)) return tableRefusal(name);
    if (kind === 'Function') {
      const isAllowed = isBelowTable ? isAllowedTableFunction(name) : isAllowedFunction(name);
      if (!isAllowed) return { name, reason: `The function ${name} is not allowed in the console` };
      if (IN_FUNCTIONS.has(name.toLowerCase())) {
        const right = children.find((child) => child.kind === 'ExpressionList')?.children[1];
        if (right?.kind === 'Identifier' && !isTable(right.name)) return tableRefusal(right.name);
      }
    }
    // `arrayMap(file, …)` calls the function file.
    if (kind === 'Identifier' && allowed.engineFunctions.has(name.toLowerCase()) && !isAllowedFunction(name))
      return { name, reason: `${name} is the name of a function that is not allowed; give the column another one, or write table.${name}` };
    waiting.push(...children.map((child) => ({ node: child, isBelowTable: kind === 'TableExpression' })));
  }
  return null;
}
