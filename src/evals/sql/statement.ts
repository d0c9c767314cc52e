import { readTokens, type SqlToken } from './tokens.ts';

/** What is known of a text: a statement, none, or more than this reader understands. */
export type SqlReading =
  | { readonly kind: 'valid'; readonly tables: readonly string[] }
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

const STATEMENTS = new Set(
  'select insert update delete with create alter drop truncate replace merge grant revoke show explain describe use set begin commit rollback call values pragma'.split(
    ' ',
  ),
);
const RESERVED = new Set(
  'select from where group having order limit offset union intersect except on join left right inner outer full cross natural using and or not in is like between as set values into case when then else end by distinct all exists'.split(
    ' ',
  ),
);
const MAX_CHARACTERS = 100_000;
const MAX_DEPTH = 100;

class Unread extends Error {}

/** Select, insert, update and delete in the forms that all databases share. What it reads is valid; what it does not read may be, too. */
class Reader {
  readonly tables = new Set<string>();
  readonly #tokens: readonly SqlToken[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly SqlToken[]) {
    this.#tokens = tokens;
  }

  statement(): void {
    if (this.#takes('select', false)) this.#query();
    else if (this.#takes('insert')) this.#insert();
    else if (this.#takes('update')) this.#update();
    else if (this.#takes('delete')) this.#delete();
    else throw new Unread(`a statement that begins with ${this.#shown()}`);
    this.#takes(';');
    if (this.#at < this.#tokens.length) throw new Unread(this.#shown());
  }

  #shown(): string {
    return `"${this.#tokens[this.#at]?.text ?? 'its end'}"`;
  }

  #takes(text: string, isTaken = true): boolean {
    const token = this.#tokens[this.#at];
    const isHere = token !== undefined && token.text === text && (token.kind === 'word' || token.kind === 'sign');
    if (isHere && isTaken) this.#at++;
    return isHere;
  }

  #needs(...words: string[]): void {
    for (const word of words) if (!this.#takes(word)) throw new Unread(`${this.#shown()} where "${word}" should be`);
  }

  #list(read: () => void): void {
    do read();
    while (this.#takes(','));
  }

  #name(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined || !(token.kind === 'quoted' || (token.kind === 'word' && !RESERVED.has(token.text))))
      throw new Unread(`${this.#shown()} where a name should be`);
    this.#at++;
    return token.text;
  }

  #alias(): void {
    const token = this.#tokens[this.#at];
    const isName = token?.kind === 'quoted' || (token?.kind === 'word' && !RESERVED.has(token.text));
    if (this.#takes('as') || isName) this.#name();
  }

  #table(action: string): void {
    const parts = [this.#name()];
    while (this.#takes('.')) parts.push(this.#name());
    const table = parts.pop() ?? '';
    this.tables.add(`${action}::${parts.pop() ?? 'null'}::${table}`);
  }

  #query(): void {
    this.#select();
    while (this.#takes('union')) {
      this.#takes('all');
      this.#select();
    }
    if (this.#takes('order')) {
      this.#needs('by');
      this.#list(() => {
        this.#expression();
        if (!this.#takes('asc')) this.#takes('desc');
      });
    }
    if (this.#takes('limit')) {
      this.#number();
      if (this.#takes('offset') || this.#takes(',')) this.#number();
    }
  }

  #number(): void {
    if (this.#tokens[this.#at]?.kind !== 'number') throw new Unread(`${this.#shown()} where a number should be`);
    this.#at++;
  }

  #select(): void {
    this.#needs('select');
    if (!this.#takes('distinct')) this.#takes('all');
    this.#list(() => {
      if (this.#takes('*')) return;
      this.#expression();
      this.#alias();
    });
    if (!this.#takes('from')) return;
    this.#list(() => this.#source());
    if (this.#takes('where')) this.#expression();
    if (this.#takes('group')) {
      this.#needs('by');
      this.#list(() => this.#expression());
      if (this.#takes('having')) this.#expression();
    }
  }

  #source(): void {
    this.#sourceItem();
    for (;;) {
      const isCross = this.#takes('cross');
      const isSided = !isCross && (this.#takes('left') || this.#takes('right') || this.#takes('full'));
      const isInner = !isCross && !isSided && this.#takes('inner');
      if (isSided) this.#takes('outer');
      if (isCross || isSided || isInner) this.#needs('join');
      else if (!this.#takes('join')) return;
      this.#sourceItem();
      if (isCross) continue;
      this.#needs('on');
      this.#expression();
    }
  }

  #sourceItem(): void {
    if (this.#takes('(')) {
      this.#query();
      this.#needs(')');
    } else this.#table('select');
    this.#alias();
  }

  #insert(): void {
    this.#needs('into');
    this.#table('insert');
    if (this.#takes('(')) {
      this.#list(() => this.#name());
      this.#needs(')');
    }
    if (this.#takes('select', false)) {
      this.#query();
      return;
    }
    this.#needs('values');
    this.#list(() => {
      this.#needs('(');
      this.#list(() => this.#expression());
      this.#needs(')');
    });
  }

  #update(): void {
    this.#table('update');
    this.#needs('set');
    this.#list(() => {
      this.#name();
      while (this.#takes('.')) this.#name();
      this.#needs('=');
      this.#expression();
    });
    if (this.#takes('where')) this.#expression();
  }

  #delete(): void {
    this.#needs('from');
    this.#table('delete');
    if (this.#takes('where')) this.#expression();
  }

  /** Which operator binds more tightly changes nothing of whether it is valid. */
  #expression(): void {
    if (++this.#depth > MAX_DEPTH) throw new Unread('expressions inside of one another');
    this.#operand();
    for (;;) {
      if (
        ['+', '-', '*', '/', '%', '=', '<>', '!=', '<', '>', '<=', '>=', '||', 'and', 'or', 'like'].some((operator) =>
          this.#takes(operator),
        )
      ) {
        this.#operand();
        continue;
      }
      if (this.#takes('is')) {
        this.#takes('not');
        this.#needs('null');
        continue;
      }
      const isNegated = this.#takes('not');
      if (this.#takes('in')) this.#inParentheses();
      else if (this.#takes('between')) {
        this.#operand();
        this.#needs('and');
        this.#operand();
      } else if (isNegated) {
        this.#needs('like');
        this.#operand();
      } else break;
    }
    this.#depth--;
  }

  #inParentheses(): void {
    this.#needs('(');
    if (this.#takes('select', false)) this.#query();
    else this.#list(() => this.#expression());
    this.#needs(')');
  }

  #operand(): void {
    while (this.#takes('not') || this.#takes('-') || this.#takes('+'));
    const token = this.#tokens[this.#at];
    if (this.#takes('exists') || this.#takes('(', false)) {
      this.#inParentheses();
      return;
    }
    if (token?.kind === 'number' || token?.kind === 'text') {
      this.#at++;
      return;
    }
    if (this.#takes('case')) {
      if (!this.#takes('when', false)) this.#expression();
      while (this.#takes('when')) {
        this.#expression();
        this.#needs('then');
        this.#expression();
      }
      if (this.#takes('else')) this.#expression();
      this.#needs('end');
      return;
    }
    this.#name();
    while (this.#takes('.')) {
      if (this.#takes('*')) return;
      this.#name();
    }
    if (!this.#takes('(')) return;
    if (this.#takes(')')) return;
    if (!this.#takes('*')) {
      this.#takes('distinct');
      this.#list(() => this.#expression());
    }
    this.#needs(')');
  }
}

/** Mistakes that no database forgives. */
function plainMistake(tokens: readonly SqlToken[]): string | null {
  const [first, second] = tokens;
  if (first === undefined) return 'it is empty';
  if (first.text !== '(' && !(first.kind === 'word' && STATEMENTS.has(first.text)))
    return `no statement begins with "${first.text.slice(0, 40)}"`;
  if (first.text === 'select' && (second === undefined || second.text === 'from' || second.text === 'where')) return 'nothing is selected';
  let open = 0;
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind === 'sign') open += text === '(' ? 1 : text === ')' ? -1 : 0;
    if (open < 0) return 'a ")" closes nothing';
    const next = tokens[index + 1];
    const isComma = kind === 'sign' && text === ',';
    if (
      isComma &&
      (next === undefined || next.text === ',' || next.text === ')' || (next.kind === 'word' && ['from', 'where'].includes(next.text)))
    )
      return 'nothing follows a comma';
    if (kind === 'word' && ['from', 'where', 'by', 'having'].includes(text) && (next === undefined || next.text === ';'))
      return `nothing follows "${text}"`;
  }
  if (open > 0) return 'a "(" is not closed';
  // promptfoo's rule: two words before FROM are a comma that is missing.
  const [, a, b, from] = tokens;
  const isName = (token: SqlToken | undefined): boolean => token?.kind === 'word' && !RESERVED.has(token.text);
  if (first.text === 'select' && isName(a) && isName(b) && from?.text === 'from') return 'a comma is missing between two columns';
  return null;
}

/** @param sql one statement */
export function readSql(sql: string): SqlReading {
  if (sql.length > MAX_CHARACTERS) return { kind: 'unknown', reason: 'it is too long' };
  const tokens = readTokens(sql);
  if (tokens === null) {
    // A prose text has apostrophes: what begins no statement is none, quoted well or not.
    const first = /^\s*([\p{L}]+)/u.exec(sql)?.[1]?.toLowerCase();
    if (first === undefined || !STATEMENTS.has(first)) return { kind: 'invalid', reason: 'no statement begins so' };
    const isOdd = (sign: string): boolean => sql.split(sign).length % 2 === 0;
    return isOdd('`') || isOdd("'") || isOdd('"')
      ? { kind: 'invalid', reason: 'a quote is not closed' }
      : { kind: 'unknown', reason: 'it has signs of one database' };
  }
  const mistake = plainMistake(tokens);
  if (mistake !== null) return { kind: 'invalid', reason: mistake };
  const reader = new Reader(tokens);
  try {
    reader.statement();
    return { kind: 'valid', tables: [...reader.tables] };
  } catch (thrown) {
    if (thrown instanceof Unread) return { kind: 'unknown', reason: `it has ${thrown.message}` };
    throw thrown;
  }
}
