import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Attributes, AttributeValue, OtlpSpan } from '../otlp/span.ts';
import { ALIASES, type Field } from './alias-table.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of its own, whatever it is called. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** JSON where the text looks like it, else the text: SDKs write structures as JSON, as text, or as OTLP's own lists and maps. */
export function looseJson(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{"]/.test(value)) return value;
  try {
    return parseJsonText(value);
  } catch {
    return value;
  }
}

/** A span with the look-ups that readers of dialects need. Nothing is computed before it is asked for. */
export class SpanView {
  readonly span: OtlpSpan;
  readonly resource: Attributes;
  readonly #parsed = new Map<string, unknown>();

  constructor(span: OtlpSpan, resource: Attributes) {
    this.span = span;
    this.resource = resource;
  }

  get scope(): string {
    return this.span.scope.name;
  }

  /** The attribute as it came; `a>b` = the member `b` of the JSON in `a`. Null counts as absent. */
  value(name: string): AttributeValue | undefined {
    const separator = name.indexOf('>');
    if (separator < 0) return this.span.attributes.get(name) ?? undefined;
    const base = name.slice(0, separator);
    if (!this.span.attributes.has(base)) return undefined;
    let value: unknown = this.json(base);
    for (const part of name.slice(separator + 1).split('>')) value = memberOf(value, part);
    return (value as AttributeValue | undefined) ?? undefined; // parsed JSON has no other types
  }

  /** The attribute, parsed where it holds JSON text. */
  json(name: string): unknown {
    if (!this.#parsed.has(name)) this.#parsed.set(name, looseJson(this.span.attributes.get(name)));
    return this.#parsed.get(name);
  }

  text(name: string): string | null {
    const value = this.value(name);
    return typeof value === 'string' && value !== '' ? value : null;
  }

  has(prefix: string): boolean {
    for (const name of this.span.attributes.keys()) if (name.startsWith(prefix)) return true;
    return false;
  }

  /** The first of the field's names that is present, with its value. */
  find(field: Field): { readonly name: string; readonly value: AttributeValue } | null {
    for (const name of ALIASES[field]) {
      const value = this.value(name);
      if (value !== undefined && value !== '') return { name, value };
    }
    return null;
  }

  textOf(field: Field): string | null {
    const value = this.find(field)?.value;
    return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
  }

  /** A count of tokens; what is no whole number of at least 0 is not known. */
  countOf(field: Field): number | null {
    for (const name of ALIASES[field]) {
      const count = countFrom(this.value(name));
      if (count !== null) return count;
    }
    return null;
  }

  /** The list behind numbered names: `p.0.role` and `p.1.role` under `p` are two objects. Undefined when there is none. */
  list(prefix: string): readonly unknown[] | undefined {
    const root = unflatten(this.span.attributes, `${prefix}.`);
    return root === null ? undefined : listFrom(root);
  }
}

export function countFrom(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,15}(\.0+)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

const MAX_LEVELS = 16;

type Branch = Map<string, Branch | AttributeValue>;

function unflatten(attributes: Attributes, prefix: string): Branch | null {
  const root: Branch = new Map();
  for (const [name, value] of attributes) {
    if (!name.startsWith(prefix) || !isPlace(name.slice(prefix.length, prefix.length + 5).split('.', 1)[0] ?? '')) continue;
    const path = name.slice(prefix.length).split('.');
    if (path.length > MAX_LEVELS) continue;
    let branch = root;
    const last = path.pop() ?? '';
    for (const step of path) {
      let next = branch.get(step);
      if (!(next instanceof Map)) {
        next = new Map();
        branch.set(step, next);
      }
      branch = next;
    }
    if (!(branch.get(last) instanceof Map)) branch.set(last, value);
  }
  return root.size === 0 ? null : root;
}

function toJson(branch: Branch): unknown {
  if ([...branch.keys()].every(isPlace)) return listFrom(branch);
  return Object.fromEntries([...branch].map(([name, value]) => [name, value instanceof Map ? toJson(value) : value]));
}

function listFrom(branch: Branch): unknown[] {
  const places = [...branch].sort(([a], [b]) => Number(a) - Number(b));
  return places.map(([, value]) => (value instanceof Map ? toJson(value) : value));
}

function isPlace(name: string): boolean {
  return /^\d{1,4}$/.test(name);
}
