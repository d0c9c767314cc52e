import { isList, isObject, isTruthy, memberOf, type TemplateValue, textOf } from './values.ts';

export interface FilterCall {
  readonly arguments: readonly TemplateValue[];
  readonly named: Readonly<Record<string, TemplateValue>>;
  /** Counts work against the template's cap; a filter says what it is about to build before it builds it. */
  charge(characters: number): void;
  fail(message: string): never;
}

type Filter = (value: TemplateValue, call: FilterCall) => TemplateValue;

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' };

const onText =
  (change: (text: string) => string): Filter =>
  (value) =>
    change(textOf(value));

function toNumber(value: TemplateValue): number {
  return typeof value === 'number' ? value : Number.parseFloat(textOf(value));
}

function toList(value: TemplateValue): readonly TemplateValue[] {
  if (value === undefined || value === null) return [];
  if (isList(value)) return value;
  if (isObject(value)) return Object.entries(value).map(([key, entry]) => ({ key, value: entry }));
  return [...textOf(value)];
}

const numberOr = (value: TemplateValue, fallback: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : fallback;

function round(value: TemplateValue, { arguments: [digits, method] }: FilterCall): TemplateValue {
  const factor = 10 ** Math.min(15, Math.max(0, numberOr(digits, 0)));
  const way = method === 'ceil' ? Math.ceil : method === 'floor' ? Math.floor : Math.round;
  return way(toNumber(value) * factor) / factor;
}

function replace(value: TemplateValue, { arguments: [from, to, most], charge, fail }: FilterCall): TemplateValue {
  const text = textOf(value);
  const wanted = textOf(from);
  const insert = textOf(to);
  if (from === undefined) fail('replace needs what to look for and what to put there.');
  const limit = numberOr(most, Number.POSITIVE_INFINITY);
  if (wanted === '') {
    charge((text.length + 1) * insert.length);
    return limit >= text.length + 1 ? insert + [...text].map((character) => character + insert).join('') : insert + text;
  }
  let out = '';
  let at = 0;
  for (let count = 0; count < limit; count++) {
    const found = text.indexOf(wanted, at);
    if (found < 0) break;
    charge(insert.length + 1);
    out += text.slice(at, found) + insert;
    at = found + wanted.length;
  }
  return out + text.slice(at);
}

function truncate(value: TemplateValue, { arguments: [length, isHard, end] }: FilterCall): TemplateValue {
  const text = textOf(value);
  const most = numberOr(length, 255);
  if (text.length <= most) return text;
  const cut = text.slice(0, most);
  const space = cut.lastIndexOf(' ');
  return (isTruthy(isHard) || space <= 0 ? cut : cut.slice(0, space)) + (end === undefined ? '...' : textOf(end));
}

function indent(value: TemplateValue, { arguments: [width, first], charge }: FilterCall): TemplateValue {
  const text = textOf(value);
  const lines = text.split('\n');
  const by = Math.min(100, Math.max(0, numberOr(width, 4)));
  charge(lines.length * by);
  return lines.map((line, index) => (index === 0 && !isTruthy(first) ? line : ' '.repeat(by) + line)).join('\n');
}

function dump(value: TemplateValue, { arguments: [spaces], charge }: FilterCall): TemplateValue {
  // The length of the compact text bounds the other within the depth that values can have.
  const compact = JSON.stringify(value) ?? '';
  charge(compact.length);
  const by = typeof spaces === 'number' ? Math.min(10, Math.max(0, spaces)) : typeof spaces === 'string' ? spaces.slice(0, 10) : 0;
  return by === 0 || by === '' ? compact : (JSON.stringify(value, null, by) ?? '');
}

function load(value: TemplateValue, { fail }: FilterCall): TemplateValue {
  try {
    return JSON.parse(textOf(value)) as TemplateValue; // JSON is what these values are
  } catch {
    return fail('The text given to "load" is not JSON.');
  }
}

function sort(value: TemplateValue, { arguments: [isReversed, isCaseSensitive, attribute] }: FilterCall): TemplateValue {
  const keyOf = (entry: TemplateValue): TemplateValue => {
    const key = attribute === undefined ? entry : memberOf(entry, attribute);
    return typeof key === 'string' && !isTruthy(isCaseSensitive) ? key.toLowerCase() : key;
  };
  const order = (a: TemplateValue, b: TemplateValue): number => {
    const [left, right] = [keyOf(a), keyOf(b)];
    if (typeof left === 'number' && typeof right === 'number') return left - right;
    const [first, second] = [textOf(left), textOf(right)];
    return first < second ? -1 : first > second ? 1 : 0;
  };
  const sorted = [...toList(value)].sort(order);
  return isTruthy(isReversed) ? sorted.reverse() : sorted;
}

/** The closed set. Names are Nunjucks'; `json` and `tojson` say what `dump` does, `load` is promptfoo's. */
export const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['abs', (value) => Math.abs(toNumber(value))],
  ['capitalize', onText((text) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase())],
  ['default', fallback],
  ['d', fallback],
  ['dump', dump],
  ['json', dump],
  ['tojson', dump],
  ['escape', onText((text) => text.replace(/[&<>"'`]/g, (character) => HTML[character] ?? character))],
  ['e', onText((text) => text.replace(/[&<>"'`]/g, (character) => HTML[character] ?? character))],
  ['first', (value) => toList(value)[0]],
  ['float', (value, { arguments: [otherwise] }) => (Number.isNaN(toNumber(value)) ? (otherwise ?? 0) : toNumber(value))],
  ['indent', indent],
  ['int', (value, { arguments: [otherwise] }) => (Number.isNaN(toNumber(value)) ? (otherwise ?? 0) : Math.trunc(toNumber(value)))],
  [
    'join',
    (value, { arguments: [separator, attribute], charge }) => {
      const items = toList(value).map((entry) => textOf(attribute === undefined ? entry : memberOf(entry, attribute)));
      const between = textOf(separator);
      charge(items.reduce((sum, item) => sum + item.length + between.length, 0));
      return items.join(between);
    },
  ],
  ['last', (value) => toList(value).at(-1)],
  ['length', length],
  ['count', length],
  ['list', (value) => toList(value)],
  ['load', load],
  ['lower', onText((text) => text.toLowerCase())],
  ['nl2br', onText((text) => text.replaceAll(/\r\n|\n/g, '<br />\n'))],
  [
    'reject',
    (value, { arguments: given, fail }) =>
      given.length === 0 ? toList(value).filter((entry) => !isTruthy(entry)) : fail('reject() takes no test here; use a loop.'),
  ],
  ['rejectattr', (value, { arguments: [attribute] }) => toList(value).filter((entry) => !isTruthy(memberOf(entry, attribute)))],
  ['replace', replace],
  ['reverse', (value) => (typeof value === 'string' ? [...value].reverse().join('') : [...toList(value)].reverse())],
  ['round', round],
  ['safe', (value) => textOf(value)],
  [
    'select',
    (value, { arguments: given, fail }) =>
      given.length === 0 ? toList(value).filter(isTruthy) : fail('select() takes no test here; use a loop.'),
  ],
  ['selectattr', (value, { arguments: [attribute] }) => toList(value).filter((entry) => isTruthy(memberOf(entry, attribute)))],
  ['sort', sort],
  ['string', onText((text) => text)],
  [
    'sum',
    (value, { arguments: [attribute, start] }) =>
      toList(value).reduce<number>(
        (sum, entry) => sum + toNumber(attribute === undefined ? entry : memberOf(entry, attribute)),
        numberOr(start, 0),
      ),
  ],
  ['title', onText((text) => text.replace(/[^\s]+/g, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()))],
  ['trim', onText((text) => text.trim())],
  ['truncate', truncate],
  ['upper', onText((text) => text.toUpperCase())],
  ['urlencode', onText((text) => encodeURIComponent(text.toWellFormed()))],
  ['wordcount', (value) => textOf(value).match(/\w+/g)?.length ?? null],
]);

function fallback(value: TemplateValue, { arguments: [otherwise, isForFalsy] }: FilterCall): TemplateValue {
  return (isTruthy(isForFalsy) ? isTruthy(value) : value !== undefined) ? value : otherwise;
}

function length(value: TemplateValue): TemplateValue {
  if (typeof value === 'string' || isList(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}
