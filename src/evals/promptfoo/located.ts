import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { PlimsollError } from '../../kernel/errors.ts';
import type { JsonValue } from '../scorer.ts';

/** A value of a file, and where it stands there. */
export type Located =
  | { readonly kind: 'scalar'; readonly value: null | boolean | number | string; readonly place: string }
  | { readonly kind: 'list'; readonly items: readonly Located[]; readonly place: string }
  | { readonly kind: 'map'; readonly members: ReadonlyMap<string, LocatedMember>; readonly place: string };

export type LocatedMap = Extract<Located, { kind: 'map' }>;

export interface LocatedMember {
  readonly key: string;
  readonly keyPlace: string;
  readonly value: Located;
}

/** Anchors may be used many times over: what they stand for is bounded. */
const MAX_NODES = 2_000_000;
const MAX_DEPTH = 100;

/**
 * Reads YAML or JSON with the place of each value as `file:line:column`. Anchors, aliases and merge keys are resolved, as promptfoo does.
 * @throws PlimsollError `invalid_argument` with the place
 */
export function readLocated(text: string, file: string): Located {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false, uniqueKeys: true });
  const placeAt = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error !== undefined) throw new PlimsollError('invalid_argument', `${placeAt(error.pos[0])}: ${error.message}`);
  // One walk: an alias stands for the last node of its name before it, and asking the document each time walks all of it.
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  visit(document, {
    Alias: (_, alias) => void targets.set(alias, anchors.get(alias.source)),
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  let nodes = 0;
  const read = (node: unknown, depth: number, fallback: string): Located => {
    nodes++;
    const at = (node as Node | null)?.range?.[0];
    const place = at === undefined ? fallback : placeAt(at);
    if (depth > MAX_DEPTH) throw new PlimsollError('invalid_argument', `${place}: nested deeper than ${MAX_DEPTH} levels`);
    if (nodes > MAX_NODES) throw new PlimsollError('invalid_argument', `${place}: more than ${MAX_NODES} values, aliases counted`);
    if (isAlias(node)) {
      const target = targets.get(node);
      if (target === undefined) throw new PlimsollError('invalid_argument', `${place}: nothing is anchored as "${node.source}"`);
      return read(target, depth + 1, place);
    }
    if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => read(item, depth + 1, place)), place };
    if (isMap(node)) {
      const members = new Map<string, LocatedMember>();
      const merged = new Map<string, LocatedMember>();
      for (const { key, value } of node.items) {
        const keyPlace = (key as Node | null)?.range?.[0];
        const name = isScalar(key) ? String(key.value) : String(key);
        const member = { key: name, keyPlace: keyPlace === undefined ? place : placeAt(keyPlace), value: read(value, depth + 1, place) };
        if (name !== '<<') members.set(name, member);
        else
          for (const part of member.value.kind === 'list' ? member.value.items : [member.value])
            if (part.kind === 'map') for (const [inner, entry] of part.members) if (!merged.has(inner)) merged.set(inner, entry);
      }
      for (const [name, member] of merged) if (!members.has(name)) members.set(name, member);
      return { kind: 'map', members, place };
    }
    const value = isScalar(node) ? node.value : null;
    if (value === null || value === undefined) return { kind: 'scalar', value: null, place };
    if (typeof value === 'string' || typeof value === 'boolean') return { kind: 'scalar', value, place };
    if (typeof value === 'number' && Number.isFinite(value)) return { kind: 'scalar', value, place };
    return { kind: 'scalar', value: String(value), place };
  };
  return read(document.contents, 0, `${file}:1:1`);
}

/** JSON read elsewhere (a line of JSONL, a row of CSV): every part stands at the place of the whole. */
export function locate(value: JsonValue, place: string): Located {
  if (typeof value !== 'object' || value === null) return { kind: 'scalar', value, place };
  if (Array.isArray(value)) return { kind: 'list', items: value.map((item: JsonValue) => locate(item, place)), place };
  const members = Object.entries(value).map(([key, entry]) => [key, { key, keyPlace: place, value: locate(entry, place) }] as const);
  return { kind: 'map', members: new Map(members), place };
}

export function plain(node: Located): JsonValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  const object: Record<string, JsonValue> = {};
  for (const { key, value } of node.members.values())
    Object.defineProperty(object, key, { value: plain(value), enumerable: true, writable: true, configurable: true });
  return object;
}

export function member(node: Located, key: string): Located | undefined {
  return node.kind === 'map' ? node.members.get(key)?.value : undefined;
}

export function textOf(node: Located | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

export function numberOf(node: Located | undefined): number | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'number' ? node.value : undefined;
}

/**
 * Puts what `$ref: '#/…'` names in its place; members beside `$ref` stand over those of the target.
 * @throws PlimsollError `invalid_argument` for a reference to nothing, to itself, or to another file
 */
export function dereference(root: Located): Located {
  const walk = (node: Located, open: readonly string[]): Located => {
    if (node.kind === 'list') return { ...node, items: node.items.map((item) => walk(item, open)) };
    if (node.kind !== 'map') return node;
    const reference = node.members.get('$ref');
    const path = textOf(reference?.value);
    if (reference === undefined || path === undefined) return withMembers(node, [...node.members.values()], open);
    if (!path.startsWith('#/'))
      throw new PlimsollError('invalid_argument', `${reference.keyPlace}: $ref "${path}" is not supported; only '#/…' within the file is`);
    if (open.includes(path)) throw new PlimsollError('invalid_argument', `${reference.keyPlace}: $ref "${path}" refers to itself`);
    let target: Located | undefined = root;
    for (const part of path.slice(2).split('/'))
      target = target && member(target, decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'));
    if (target === undefined) throw new PlimsollError('invalid_argument', `${reference.keyPlace}: $ref "${path}" refers to nothing`);
    const found = walk(target, [...open, path]);
    const own = [...node.members.values()].filter(({ key }) => key !== '$ref');
    if (found.kind !== 'map') return found;
    const members = new Map(found.members);
    for (const entry of own) members.set(entry.key, { ...entry, value: walk(entry.value, open) });
    return { kind: 'map', members, place: node.place };
  };
  const withMembers = (node: LocatedMap, entries: readonly LocatedMember[], open: readonly string[]): Located => ({
    ...node,
    members: new Map(entries.map((entry) => [entry.key, { ...entry, value: walk(entry.value, open) }])),
  });
  return walk(root, []);
}
