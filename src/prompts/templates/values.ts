/** What a template computes with: JSON and `undefined`. Nothing of the host: no functions, no prototypes. */
export type TemplateValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | readonly TemplateValue[]
  | { readonly [name: string]: TemplateValue };

export type TemplateObject = { readonly [name: string]: TemplateValue };

export function isObject(value: TemplateValue): value is TemplateObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: TemplateValue): value is readonly TemplateValue[] {
  return Array.isArray(value);
}

/** JavaScript's, as in Nunjucks: an empty list is true. */
export function isTruthy(value: TemplateValue): boolean {
  return Boolean(value);
}

/** Names under which JavaScript keeps what is not data. */
const NO_DATA: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Own members only; `length` of texts and lists. Everything else is `undefined`. */
export function memberOf(value: TemplateValue, key: TemplateValue): TemplateValue {
  if (typeof key !== 'string' && typeof key !== 'number') return undefined;
  if (typeof value === 'string' || isList(value)) {
    if (key === 'length') return value.length;
    const index = typeof key === 'number' ? key : /^\d{1,9}$/.test(key) ? Number(key) : Number.NaN;
    if (!Number.isInteger(index)) return undefined;
    // Nunjucks in JavaScript knows no negative index; Jinja does, and people write it.
    return value[index < 0 ? value.length + index : index];
  }
  if (!isObject(value) || NO_DATA.has(`${key}`) || !Object.hasOwn(value, key)) return undefined;
  return value[key];
}

/** A value as it stands in the output: nothing for null and undefined, lists joined by commas as in Nunjucks, objects as JSON (Nunjucks: `[object Object]`). */
export function textOf(value: TemplateValue): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (isList(value)) return value.map(textOf).join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
