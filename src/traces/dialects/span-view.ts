import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Attributes, AttributeValue, OtlpSpan } from '../otlp/span.ts';
import { ALIASES, type Field } from './alias-table.ts';

/** A name of a field, as a look-up. */
interface Alias {
  readonly name: string;
  /** Place among the names of its field: the lower is believed first. */
  readonly place: number;
  readonly attribute: string;
  /** Members inside the attribute's JSON; empty = the attribute itself. */
  readonly path: readonly string[];
}

/** By attribute: a span has few attributes, and the table has hundreds of names. */
const ALIASES_OF: ReadonlyMap<string, readonly (readonly [Field, Alias])[]> = Map.groupBy(
  Object.entries(ALIASES).flatMap(([field, names]) =>
    names.map((name, place): readonly [Field, Alias] => {
      const [attribute = '', ...path] = name.split('>');
      return [field as Field, { name, place, attribute, path }]; // the keys of the table are its fields
    }),
  ),
  ([, { attribute }]) => attribute,
);
const NO_ALIASES: readonly Alias[] = [];

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
  #present: Map<Field, Alias[]> | null = null;
  #roots: Set<string> | null = null;

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
    return this.#member(name.slice(0, separator), name.slice(separator + 1).split('>'));
  }

  #member(attribute: string, path: readonly string[]): AttributeValue | undefined {
    if (!this.span.attributes.has(attribute)) return undefined;
    let value: unknown = this.json(attribute);
    for (const part of path) value = memberOf(value, part);
    return (value as AttributeValue | undefined) ?? undefined; // parsed JSON has no other types
  }

  /** Names of the field whose attributes are there, in the order in which they are believed. */
  #aliases(field: Field): readonly Alias[] {
    if (this.#present === null) {
      this.#present = new Map();
      for (const name of this.span.attributes.keys())
        for (const [told, alias] of ALIASES_OF.get(name) ?? []) {
          const others = this.#present.get(told);
          if (others === undefined) this.#present.set(told, [alias]);
          else others.push(alias);
        }
      for (const aliases of this.#present.values()) if (aliases.length > 1) aliases.sort((a, b) => a.place - b.place);
    }
    return this.#present.get(field) ?? NO_ALIASES;
  }

  #valueOf({ attribute, path }: Alias): AttributeValue | undefined {
    return path.length === 0 ? (this.span.attributes.get(attribute) ?? undefined) : this.#member(attribute, path);
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

  /** Whether an attribute begins with it. */
  has(prefix: string): boolean {
    if (prefix.indexOf('.') === prefix.length - 1) {
      this.#roots ??= new Set([...this.span.attributes.keys()].map((name) => name.slice(0, name.indexOf('.') + 1)));
      return this.#roots.has(prefix);
    }
    for (const name of this.span.attributes.keys()) if (name.startsWith(prefix)) return true;
    return false;
  }

  /** The first of the field's names that is present, with its value. */
  find(field: Field): { readonly name: string; readonly value: AttributeValue } | null {
    for (const alias of this.#aliases(field)) {
      const value = this.#valueOf(alias);
      if (value !== undefined && value !== '') return { name: alias.name, value };
    }
    return null;
  }

  textOf(field: Field): string | null {
    const value = this.find(field)?.value;
    return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
  }

  /** A count of tokens; what is no whole number of at least 0 is not known. */
  countOf(field: Field): number | null {
    for (const alias of this.#aliases(field)) {
      const count = countFrom(this.#valueOf(alias));
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
