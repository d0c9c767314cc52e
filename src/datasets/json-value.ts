import { PlimsollError } from '../kernel/errors.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue };

export const JSON_CAPS = { depth: 32, nodes: 50_000 } as const;

/**
 * Says that a value of others is JSON within our caps. No recursion: depth costs no stack.
 * @param place where it stands, for the message: `line 12`
 * @throws PlimsollError `invalid_argument` that names place, member and fix
 */
export function assertJson(value: unknown, place: string): asserts value is JsonValue {
  const refuse = (path: string, why: string): never => {
    throw new PlimsollError('invalid_argument', `${place}${path === '' ? '' : `, ${path}`}: ${why}`, { details: { place, path } });
  };
  const open: { value: unknown; path: string; depth: number }[] = [{ value, path: '', depth: 0 }];
  let nodes = 0;
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value: each, path, depth } = at;
    if (++nodes > JSON_CAPS.nodes) refuse('', `has more than ${JSON_CAPS.nodes} values; split it, or keep the large part in a file`);
    if (each === null || typeof each === 'boolean') continue;
    if (typeof each === 'string') {
      if (!each.isWellFormed()) refuse(path, 'has half of a surrogate pair, which no UTF-8 file can hold; repair the text');
      continue;
    }
    if (typeof each === 'number') {
      if (!Number.isFinite(each)) refuse(path, `${each} is no JSON number; write it as a text`);
      continue;
    }
    if (typeof each !== 'object') refuse(path, `a ${typeof each} is no JSON value`);
    if (depth >= JSON_CAPS.depth) refuse(path, `is nested deeper than ${JSON_CAPS.depth} levels; flatten it`);
    if (Array.isArray(each)) {
      for (const [index, item] of each.entries()) open.push({ value: item, path: `${path}[${index}]`, depth: depth + 1 });
      continue;
    }
    const prototype: unknown = Object.getPrototypeOf(each);
    if (prototype !== Object.prototype && prototype !== null)
      refuse(path, `a ${each?.constructor?.name ?? 'value'} is no JSON value; write it as a text in quotes`);
    for (const [name, item] of Object.entries(each as object)) {
      if (!name.isWellFormed()) refuse(path, 'has a name with half of a surrogate pair; repair it');
      if (name === '__proto__') refuse(path, 'the name __proto__ is not allowed; rename it');
      open.push({ value: item, path: path === '' ? name : `${path}.${name}`, depth: depth + 1 });
    }
  }
}

/**
 * JSON with members ordered by name (UTF-16 code units, as RFC 8785) and without spaces: equal values give equal text.
 * @param value JSON as it was parsed; what JSON cannot say counts as null
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value === 0 ? 0 : value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = value as Readonly<Record<string, unknown>>; // neither an array nor null
  return `{${Object.keys(members)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name])}`)
    .join(',')}}`;
}

export function isObject(value: JsonValue | undefined): value is { readonly [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
