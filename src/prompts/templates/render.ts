import { FILTERS } from './filters.ts';
import type { BinaryOperator, Expression, TemplateNode } from './syntax.ts';
import { templateError } from './template-error.ts';
import { MAX_VALUE_DEPTH, ValueSizes } from './value-size.ts';
import { TESTS } from './value-tests.ts';
import { isList, isObject, isTruthy, memberOf, type TemplateObject, type TemplateValue, textOf } from './values.ts';

/** All work is counted, so a template ends after a known time whatever it says; no clock is needed. */
export interface TemplateLimits {
  readonly maxOutputCharacters: number;
  /** Nodes walked, plus one for each 64 characters that were built or searched. */
  readonly maxSteps: number;
}

export const DEFAULT_LIMITS: TemplateLimits = { maxOutputCharacters: 2_000_000, maxSteps: 500_000 };

const CHARACTERS_PER_STEP = 64;

/** Variables of one block, and of those around it. */
class Frame {
  readonly #values = new Map<string, TemplateValue>();
  readonly #parent: Frame | null;

  constructor(parent: Frame | null) {
    this.#parent = parent;
  }

  child(): Frame {
    return new Frame(this);
  }

  find(name: string): { readonly value: TemplateValue } | null {
    if (this.#values.has(name)) return { value: this.#values.get(name) };
    return this.#parent === null ? null : this.#parent.find(name);
  }

  declare(name: string, value: TemplateValue): void {
    this.#values.set(name, value);
  }

  /** Where the name is known, else here: a loop may count in a variable that was set before it. */
  assign(name: string, value: TemplateValue): void {
    for (let frame: Frame | null = this; frame !== null; frame = frame.#parent) {
      if (frame.#values.has(name)) {
        frame.#values.set(name, value);
        return;
      }
    }
    this.#values.set(name, value);
  }
}

/** Walks a template once. */
export class Renderer {
  readonly #name: string;
  readonly #source: string;
  readonly #variables: TemplateObject;
  readonly #limits: TemplateLimits;
  readonly #sizes = new ValueSizes();
  #steps = 0;
  #length = 0;
  /** Names that were asked for and are not there, in order. */
  readonly missing = new Set<string>();

  constructor(name: string, source: string, variables: TemplateObject, limits: TemplateLimits) {
    this.#name = name;
    this.#source = source;
    this.#variables = variables;
    this.#limits = limits;
  }

  render(nodes: readonly TemplateNode[]): string {
    return this.#nodes(nodes, new Frame(null));
  }

  #fail(message: string, at: number): never {
    throw templateError(this.#name, this.#source, at, message);
  }

  #step(at: number, characters = 0): void {
    this.#steps += 1 + characters / CHARACTERS_PER_STEP;
    if (this.#steps > this.#limits.maxSteps) this.#fail(`The template does more than ${this.#limits.maxSteps} steps.`, at);
  }

  #emitted(text: string, at: number): string {
    this.#length += text.length;
    if (this.#length > this.#limits.maxOutputCharacters)
      this.#fail(`The template writes more than ${this.#limits.maxOutputCharacters} characters.`, at);
    this.#step(at, text.length);
    return text;
  }

  #nodes(nodes: readonly TemplateNode[], frame: Frame): string {
    let out = '';
    for (const node of nodes) out += this.#node(node, frame);
    return out;
  }

  #node(node: TemplateNode, frame: Frame): string {
    switch (node.kind) {
      case 'text':
        return this.#emitted(node.text, 0);
      case 'output':
        return this.#emitted(textOf(this.#value(node.expression, frame)), node.at);
      case 'if': {
        for (const { condition, body } of node.branches) if (isTruthy(this.#value(condition, frame))) return this.#nodes(body, frame);
        return this.#nodes(node.otherwise, frame);
      }
      case 'for':
        return this.#for(node, frame);
      case 'set': {
        const value = 'kind' in node.value ? this.#value(node.value, frame) : this.#nodes(node.value, frame);
        for (const name of node.names) frame.assign(name, value);
        return '';
      }
      case 'filtered':
        return this.#emitted(textOf(this.#filter(node.name, this.#nodes(node.body, frame), node.arguments, {}, node.at, frame)), node.at);
      default:
        return node satisfies never;
    }
  }

  #for({ names, over, body, otherwise, at }: Extract<TemplateNode, { kind: 'for' }>, frame: Frame): string {
    const value = this.#value(over, frame);
    const isPairs = isObject(value);
    const items: readonly TemplateValue[] = isObject(value)
      ? Object.entries(value)
      : isList(value)
        ? value
        : typeof value === 'string'
          ? [...value]
          : [];
    if (items.length === 0) return this.#nodes(otherwise, frame);
    if (isPairs && names.length !== 2) this.#fail('A loop over an object has two variables: "for key, value in …".', at);
    let out = '';
    for (const [index, item] of items.entries()) {
      this.#step(at);
      const inner = frame.child();
      if (names.length === 1) inner.declare(names[0] ?? '', item);
      else for (const [position, name] of names.entries()) inner.declare(name, memberOf(item, position));
      inner.declare('loop', {
        index: index + 1,
        index0: index,
        revindex: items.length - index,
        revindex0: items.length - index - 1,
        first: index === 0,
        last: index === items.length - 1,
        length: items.length,
      });
      out += this.#nodes(body, inner);
    }
    return out;
  }

  #value(expression: Expression, frame: Frame): TemplateValue {
    this.#step(expression.at);
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'name': {
        const value = this.#variable(expression.name, frame, expression.at);
        if (value === undefined) this.missing.add(expression.name);
        return value;
      }
      case 'list':
        return this.#bounded(
          expression.items.map((item) => this.#value(item, frame)),
          expression.at,
        );
      case 'object': {
        const made: Record<string, TemplateValue> = Object.create(null) as Record<string, TemplateValue>; // no prototype to reach
        for (const { key, value } of expression.members) made[textOf(this.#value(key, frame))] = this.#value(value, frame);
        return this.#bounded(made, expression.at);
      }
      case 'member':
        return memberOf(this.#value(expression.of, frame), this.#value(expression.key, frame));
      case 'slice': {
        const of = this.#value(expression.of, frame);
        const bound = (end: Expression | null): number | undefined => {
          const value = end === null ? undefined : this.#value(end, frame);
          return typeof value === 'number' ? value : undefined;
        };
        return typeof of === 'string' || isList(of) ? of.slice(bound(expression.from), bound(expression.to)) : undefined;
      }
      case 'range':
        return this.#range(expression, frame);
      case 'unary': {
        const value = this.#value(expression.of, frame);
        if (expression.operator === 'not') return !isTruthy(value);
        return expression.operator === '-' ? -Number(value) : Number(value);
      }
      case 'binary':
        return this.#binary(expression, frame);
      case 'choice':
        if (isTruthy(this.#value(expression.condition, frame))) return this.#value(expression.chosen, frame);
        return expression.otherwise === null ? undefined : this.#value(expression.otherwise, frame);
      case 'filter': {
        const { name, of, arguments: given, named, at } = expression;
        const value = name === 'default' || name === 'd' ? this.#asked(of, frame) : this.#value(of, frame);
        return this.#filter(name, value, given, named, at, frame);
      }
      case 'test': {
        const [argument] = expression.arguments;
        const value = this.#asked(expression.of, frame);
        // The parser knows all names.
        return TESTS.get(expression.name)?.(value, argument === undefined ? undefined : this.#value(argument, frame)) ?? false;
      }
      default:
        return expression satisfies never;
    }
  }

  #filter(
    name: string,
    value: TemplateValue,
    given: readonly Expression[],
    named: Readonly<Record<string, Expression>>,
    at: number,
    frame: Frame,
  ): TemplateValue {
    if (typeof value === 'string') this.#step(at, value.length);
    else if (isList(value)) this.#step(at, value.length * CHARACTERS_PER_STEP);
    const result = FILTERS.get(name)?.(value, {
      arguments: given.map((argument) => this.#value(argument, frame)),
      named: Object.fromEntries(Object.entries(named).map(([key, argument]) => [key, this.#value(argument, frame)])),
      charge: (characters) => this.#charge(characters, at),
      fail: (message) => this.#fail(message, at),
    });
    return name === 'load' ? this.#bounded(result, at) : result;
  }

  #variable(name: string, frame: Frame, at: number): TemplateValue {
    const found = frame.find(name);
    return found === null ? this.#bounded(memberOf(this.#variables, name), at) : found.value;
  }

  /** A value of which only is asked whether it is there: not to miss it. */
  #asked(of: Expression, frame: Frame): TemplateValue {
    return of.kind === 'name' ? this.#variable(of.name, frame, of.at) : this.#value(of, frame);
  }

  /** All values come through here or are made of such: what is written of them is bounded. */
  #bounded(value: TemplateValue, at: number): TemplateValue {
    const { characters, depth } = this.#sizes.of(value);
    if (depth > MAX_VALUE_DEPTH) this.#fail(`The value is nested deeper than ${MAX_VALUE_DEPTH} levels.`, at);
    if (characters > this.#limits.maxOutputCharacters)
      this.#fail(`The value takes more than ${this.#limits.maxOutputCharacters} characters.`, at);
    return value;
  }

  /** Before a text is built: neither steps nor characters beyond what may be written at all. */
  #charge(characters: number, at: number): void {
    if (characters > this.#limits.maxOutputCharacters)
      this.#fail(`The template builds a text of more than ${this.#limits.maxOutputCharacters} characters.`, at);
    this.#step(at, characters);
  }

  #range({ arguments: given, at }: Extract<Expression, { kind: 'range' }>, frame: Frame): TemplateValue {
    const numbers = given.map((argument) => Number(this.#value(argument, frame)));
    const [start = 0, stop = 0, step = 1] = numbers.length === 1 ? [0, numbers[0], 1] : numbers;
    if (numbers.length === 0 || numbers.some((number) => !Number.isFinite(number)) || step === 0)
      this.#fail('range() takes one to three numbers, with a step that is not 0.', at);
    const count = Math.max(0, Math.ceil((stop - start) / step));
    this.#charge(count * CHARACTERS_PER_STEP, at);
    return Array.from({ length: count }, (_, index) => start + index * step);
  }

  #binary({ operator, left, right, at }: Extract<Expression, { kind: 'binary' }>, frame: Frame): TemplateValue {
    const a = this.#value(left, frame);
    if (operator === 'and') return isTruthy(a) ? this.#value(right, frame) : a;
    if (operator === 'or') return isTruthy(a) ? a : this.#value(right, frame);
    const b = this.#value(right, frame);
    if (typeof a === 'string') this.#charge(a.length, at);
    if (typeof b === 'string') this.#charge(b.length, at);
    if (operator === 'in') return this.#contains(b, a, at);
    return apply(operator, a, b);
  }

  #contains(holder: TemplateValue, item: TemplateValue, at: number): boolean {
    if (isList(holder)) {
      this.#step(at, holder.length * CHARACTERS_PER_STEP);
      return holder.includes(item);
    }
    if (typeof holder === 'string') return holder.includes(textOf(item));
    if (isObject(holder)) return memberOf(holder, item) !== undefined;
    return this.#fail('The right side of "in" must be a list, a text or an object.', at);
  }
}

function isLooselyEqual(a: TemplateValue, b: TemplateValue): boolean {
  if (a === b) return true;
  if (a === null || a === undefined || b === null || b === undefined)
    return (a === null || a === undefined) && (b === null || b === undefined);
  if (typeof a === 'object' || typeof b === 'object') return false;
  return typeof a === typeof b ? false : Number(a) === Number(b);
}

/** JavaScript's operators on texts and numbers; lists and objects are texts here, as they are written. */
function apply(operator: Exclude<BinaryOperator, 'and' | 'or' | 'in'>, a: TemplateValue, b: TemplateValue): TemplateValue {
  switch (operator) {
    case '==':
      return isLooselyEqual(a, b);
    case '!=':
      return !isLooselyEqual(a, b);
    case '===':
      return a === b;
    case '!==':
      return a !== b;
    case '~':
      return textOf(a) + textOf(b);
    case '+':
      return typeof a === 'string' || typeof b === 'string' || typeof a === 'object' || typeof b === 'object'
        ? textOf(a) + textOf(b)
        : Number(a) + Number(b);
    default:
      break;
  }
  if (typeof a === 'string' && typeof b === 'string') {
    if (operator === '<') return a < b;
    if (operator === '<=') return a <= b;
    if (operator === '>') return a > b;
    if (operator === '>=') return a >= b;
  }
  const [left, right] = [Number(a ?? Number.NaN), Number(b ?? Number.NaN)];
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '//':
      return Math.floor(left / right);
    case '%':
      return left % right;
    case '**':
      return left ** right;
    default:
      return operator satisfies never;
  }
}
