import { nearest } from '../../kernel/suggest.ts';
import { FILTERS } from './filters.ts';
import type { Token } from './lexer.ts';
import type { BinaryOperator, Expression } from './syntax.ts';
import { templateError } from './template-error.ts';
import { TESTS } from './value-tests.ts';

/** Deeper than any person writes; the walker recurses once per level. */
const MAX_DEPTH = 60;
const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '===', '!==', '<', '<=', '>', '>=']);
/** Nunjucks' own order, loosest first; each level is one loop. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [['~'], ['+'], ['-'], ['*'], ['/'], ['//'], ['%'], ['**']];

/** Reads one `{{ … }}` or the words of one tag. Every name of a filter and test is known when it ends. */
export class ExpressionParser {
  readonly #name: string;
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #next = 0;
  #depth = 0;

  constructor(name: string, source: string, tokens: readonly Token[], end: number) {
    this.#name = name;
    this.#source = source;
    this.#tokens = tokens;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#next >= this.#tokens.length;
  }

  /** Offset of what comes next. */
  get at(): number {
    return this.#tokens[this.#next]?.at ?? this.#end;
  }

  fail(message: string, at = this.at): never {
    throw templateError(this.#name, this.#source, at, message);
  }

  isNext(text: string): boolean {
    const token = this.#tokens[this.#next];
    return token !== undefined && token.kind !== 'string' && token.text === text;
  }

  takeIf(text: string): boolean {
    if (!this.isNext(text)) return false;
    this.#next++;
    return true;
  }

  expect(text: string): void {
    if (!this.takeIf(text)) this.fail(`"${text}" is missing${this.isAtEnd ? '' : ` before "${this.#tokens[this.#next]?.text}"`}.`);
  }

  takeName(what: string): string {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'name') return this.fail(`${what} is missing.`);
    this.#next++;
    return token.text;
  }

  end(): void {
    if (!this.isAtEnd) this.fail(`"${this.#tokens[this.#next]?.text}" is not expected here.`);
  }

  expression(): Expression {
    this.#depth++;
    if (this.#depth > MAX_DEPTH) this.fail(`The expression is nested deeper than ${MAX_DEPTH} levels.`);
    const { at } = this;
    let body = this.#or();
    if (this.takeIf('if')) {
      const condition = this.#or();
      body = { kind: 'choice', condition, chosen: body, otherwise: this.takeIf('else') ? this.expression() : null, at };
    }
    this.#depth--;
    return body;
  }

  /** `name`, `name(…)` of a filter; the value it applies to comes from elsewhere. */
  filterCall(): { name: string; arguments: Expression[]; named: Record<string, Expression>; at: number } {
    const { at } = this;
    const name = this.takeName('The name of a filter');
    if (!FILTERS.has(name)) {
      const close = nearest(name, FILTERS.keys());
      this.fail(
        `There is no filter "${name}"${close === null ? '' : `; did you mean "${close}"?`} Known: ${[...FILTERS.keys()].sort().join(', ')}.`,
        at,
      );
    }
    return { name, at, ...(this.takeIf('(') ? this.#arguments() : { arguments: [], named: {} }) };
  }

  #arguments(): { arguments: Expression[]; named: Record<string, Expression> } {
    const given: Expression[] = [];
    const named: Record<string, Expression> = {};
    while (!this.takeIf(')')) {
      const token = this.#tokens[this.#next];
      const equals = this.#tokens[this.#next + 1];
      if (token?.kind === 'name' && equals?.kind === 'symbol' && equals.text === '=') {
        this.#next += 2;
        Object.defineProperty(named, token.text, { value: this.expression(), enumerable: true });
      } else given.push(this.expression());
      if (!this.takeIf(',') && !this.isNext(')')) this.fail('"," or ")" is missing.');
    }
    return { arguments: given, named };
  }

  #or(): Expression {
    let left = this.#and();
    for (let { at } = this; this.takeIf('or'); { at } = this) left = { kind: 'binary', operator: 'or', left, right: this.#and(), at };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    for (let { at } = this; this.takeIf('and'); { at } = this) left = { kind: 'binary', operator: 'and', left, right: this.#not(), at };
    return left;
  }

  #not(): Expression {
    const { at } = this;
    if (!this.takeIf('not')) return this.#membership();
    this.#depth++;
    if (this.#depth > MAX_DEPTH) this.fail(`The expression is nested deeper than ${MAX_DEPTH} levels.`);
    const of = this.#not();
    this.#depth--;
    return { kind: 'unary', operator: 'not', of, at };
  }

  #membership(): Expression {
    let left = this.#test();
    for (;;) {
      const { at } = this;
      const isNegated = this.isNext('not') && this.#tokens[this.#next + 1]?.text === 'in';
      if (isNegated) this.#next++;
      if (!this.takeIf('in')) return left;
      const within: Expression = { kind: 'binary', operator: 'in', left, right: this.#test(), at };
      left = isNegated ? { kind: 'unary', operator: 'not', of: within, at } : within;
    }
  }

  #test(): Expression {
    const of = this.#comparison();
    const { at } = this;
    if (!this.takeIf('is')) return of;
    const isNegated = this.takeIf('not');
    const nameAt = this.at;
    const name = this.takeName('The name of a test');
    if (!TESTS.has(name)) this.fail(`There is no test "is ${name}". Known: ${[...TESTS.keys()].sort().join(', ')}.`, nameAt);
    const test: Expression = { kind: 'test', name, of, arguments: this.takeIf('(') ? this.#arguments().arguments : [], at };
    return isNegated ? { kind: 'unary', operator: 'not', of: test, at } : test;
  }

  #comparison(): Expression {
    let left = this.#level(0);
    for (;;) {
      const token = this.#tokens[this.#next];
      if (token?.kind !== 'symbol' || !COMPARISONS.has(token.text)) return left;
      this.#next++;
      // The set above holds operators only.
      left = { kind: 'binary', operator: token.text as BinaryOperator, left, right: this.#level(0), at: token.at };
    }
  }

  #level(index: number): Expression {
    const operators = LEVELS[index];
    if (operators === undefined) return this.#filtered();
    let left = this.#level(index + 1);
    for (;;) {
      const token = this.#tokens[this.#next];
      const operator = token?.kind === 'symbol' ? operators.find((candidate) => candidate === token.text) : undefined;
      if (operator === undefined || token === undefined) return left;
      this.#next++;
      left = { kind: 'binary', operator, left, right: this.#level(index + 1), at: token.at };
    }
  }

  #filtered(): Expression {
    let value = this.#unary();
    while (this.takeIf('|')) value = { kind: 'filter', of: value, ...this.filterCall() };
    return value;
  }

  #unary(): Expression {
    const { at } = this;
    for (const operator of ['-', '+'] as const) {
      if (!this.takeIf(operator)) continue;
      this.#depth++;
      if (this.#depth > MAX_DEPTH) this.fail(`The expression is nested deeper than ${MAX_DEPTH} levels.`);
      const of = this.#unary();
      this.#depth--;
      return { kind: 'unary', operator, of, at };
    }
    return this.#postfix(this.#primary());
  }

  #postfix(start: Expression): Expression {
    let value = start;
    for (;;) {
      const { at } = this;
      if (this.takeIf('.')) {
        const name = this.takeName('A name after "."');
        if (this.isNext('('))
          this.fail(`Calls of methods are not supported: ".${name}()"; use a filter (${[...FILTERS.keys()].sort().join(', ')}).`, at);
        value = { kind: 'member', of: value, key: { kind: 'literal', value: name, at }, at };
      } else if (this.takeIf('[')) {
        const from = this.isNext(':') ? null : this.expression();
        if (this.takeIf(':')) {
          const to = this.isNext(']') ? null : this.expression();
          this.expect(']');
          value = { kind: 'slice', of: value, from, to, at };
        } else {
          this.expect(']');
          if (from === null) this.fail('An index is missing.', at);
          value = { kind: 'member', of: value, key: from, at };
        }
      } else if (this.isNext('(')) {
        this.fail('Calls of functions are not supported, but for range().', at);
      } else return value;
    }
  }

  #primary(): Expression {
    const token = this.#tokens[this.#next];
    if (token === undefined) return this.fail('A value is missing.');
    this.#next++;
    const { at, text, kind } = token;
    if (kind === 'string') return { kind: 'literal', value: text, at };
    if (kind === 'number') return { kind: 'literal', value: Number(text), at };
    if (kind === 'name') return this.#word(text, at);
    if (text === '(') {
      const first = this.expression();
      if (this.takeIf(')')) return first;
      const items = [first];
      while (this.takeIf(',') && !this.isNext(')')) items.push(this.expression());
      this.expect(')');
      return { kind: 'list', items, at };
    }
    if (text === '[') {
      const items: Expression[] = [];
      while (!this.takeIf(']')) {
        items.push(this.expression());
        if (!this.takeIf(',') && !this.isNext(']')) this.fail('"," or "]" is missing.');
      }
      return { kind: 'list', items, at };
    }
    if (text === '{') return this.#object(at);
    return this.fail(`"${text}" is not expected here.`, at);
  }

  #word(text: string, at: number): Expression {
    switch (text) {
      case 'true':
      case 'True':
        return { kind: 'literal', value: true, at };
      case 'false':
      case 'False':
        return { kind: 'literal', value: false, at };
      case 'none':
      case 'None':
      case 'null':
        return { kind: 'literal', value: null, at };
      default:
        break;
    }
    if (text === 'range' && this.takeIf('(')) return { kind: 'range', arguments: this.#arguments().arguments, at };
    if (this.isNext('(')) this.fail(`"${text}()" is not supported: templates call no functions, but for range().`, at);
    return { kind: 'name', name: text, at };
  }

  #object(at: number): Expression {
    const members: { key: Expression; value: Expression }[] = [];
    while (!this.takeIf('}')) {
      const token = this.#tokens[this.#next];
      if (token === undefined || token.kind === 'symbol') return this.fail('The name of a member is missing.');
      this.#next++;
      this.expect(':');
      members.push({ key: { kind: 'literal', value: token.text, at: token.at }, value: this.expression() });
      if (!this.takeIf(',') && !this.isNext('}')) this.fail('"," or "}" is missing.');
    }
    return { kind: 'object', members, at };
  }
}
