import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { PlimsollError } from '../errors.ts';
import { nearest } from '../suggest.ts';
import { isSecretAt, keysAt } from './schema.ts';
import { secretEnvironmentName } from './secret.ts';

/** One top-level key of plimsoll.yaml, declared by the room that reads it. */
export interface ConfigSection<T extends z.ZodType = z.ZodType> {
  readonly key: string;
  readonly schema: T;
}

export interface ConfigIssue {
  /** 1-based; null when the place is the file as a whole. */
  readonly line: number | null;
  readonly column: number | null;
  /** Dotted path of the value. */
  readonly path: string;
  readonly message: string;
}

type Path = readonly (string | number)[];

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** Strict schema of the whole file: `version` plus the sections of all rooms. */
export function configSchema(sections: readonly ConfigSection[]): z.ZodObject {
  const shape: Record<string, z.ZodType> = { version: z.literal(1).describe('Format of this file; 1 is the only one so far') };
  for (const section of sections) shape[section.key] = section.schema;
  return z.strictObject(shape);
}

/**
 * Parses and validates plimsoll.yaml.
 * @param text the file's content
 * @param fileName only for messages
 * @param environment when given, every `${NAME}` must be set in it
 * @throws PlimsollError `config_invalid`; `details.issues` holds all findings with line, column and the nearest valid key
 */
export function parseConfig<T>(
  text: string,
  fileName: string,
  schema: z.ZodType<T>,
  environment: Readonly<Record<string, string | undefined>> | null,
): T {
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES)
    throw invalid(fileName, [{ line: null, column: null, path: '', message: `The file is larger than ${MAX_CONFIG_BYTES} bytes` }]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, version: '1.2' });
  if (document.errors.length > 0) {
    throw invalid(
      fileName,
      document.errors.map((error) => ({ ...place(lines, error.pos[0]), path: '', message: error.message })),
    );
  }
  const located = locate(document.contents as Node | null);
  const at = (path: Path, key = false): { line: number | null; column: number | null } => {
    for (let length = path.length; length >= 0; length--) {
      const found = located.get(JSON.stringify(path.slice(0, length)));
      if (found) return place(lines, key && length === path.length ? (found.keyOffset ?? found.offset) : found.offset);
    }
    return { line: null, column: null };
  };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw invalid(fileName, [{ line: null, column: null, path: '', message: (error as Error).message }]);
  }
  const issues: ConfigIssue[] = [];
  const parsed = schema.safeParse(value ?? {});
  if (!parsed.success) {
    for (const issue of parsed.error.issues) issues.push(...describeIssue(issue, schema, at));
  }
  issues.push(...secretIssues(value, schema, environment, at));
  if (issues.length > 0 || !parsed.success) throw invalid(fileName, issues);
  return parsed.data;
}

export function invalid(fileName: string, issues: readonly ConfigIssue[]): PlimsollError {
  const sorted = [...issues].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  const text = sorted.map(
    (issue) =>
      `${fileName}${issue.line === null ? '' : `:${issue.line}:${issue.column}`}  ${issue.path ? `${issue.path}: ` : ''}${issue.message}`,
  );
  return new PlimsollError('config_invalid', text.join('\n'), { details: { file: fileName, issues: sorted } });
}

/** An issue with the place of a path of the file that was parsed; for checks across sections. */
export function locateIssue(text: string, path: Path, message: string): ConfigIssue {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const located = locate(document.contents as Node | null);
  for (let length = path.length; length >= 0; length--) {
    const found = located.get(JSON.stringify(path.slice(0, length)));
    if (found) return { ...place(lines, found.offset), path: dotted(path), message };
  }
  return { line: null, column: null, path: dotted(path), message };
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

export function dotted(path: Path): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

/** Offsets of every value, and of its key, by JSON-encoded path. */
function locate(root: Node | null): Map<string, { offset: number; keyOffset: number | null }> {
  const found = new Map<string, { offset: number; keyOffset: number | null }>();
  const visit = (node: unknown, path: Path, keyOffset: number | null): void => {
    const range = (node as Node | null)?.range;
    found.set(JSON.stringify(path), { offset: range?.[0] ?? keyOffset ?? 0, keyOffset });
    if (isMap(node)) {
      for (const item of node.items) {
        if (isPair(item) && isScalar(item.key)) visit(item.value, [...path, String(item.key.value)], item.key.range?.[0] ?? null);
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        visit(item, [...path, index], null);
      });
    } else if (isAlias(node)) {
      return;
    }
  };
  visit(root, [], null);
  return found;
}

type Locator = (path: Path, key?: boolean) => { line: number | null; column: number | null };

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType, at: Locator): ConfigIssue[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => {
      const close = nearest(key, known);
      const hint = close ? `did you mean "${close}"?` : `known keys: ${known.join(', ')}`;
      return { ...at([...path, key], true), path: dotted([...path, key]), message: `unknown key; ${hint}` };
    });
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const [first] = [...issue.errors].sort((a, b) => a.length - b.length);
    if (first && first.length > 0)
      return first.flatMap((inner) => describeIssue({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, schema, at));
  }
  return [{ ...at(path), path: dotted(path), message: issue.message }];
}

/** `${…}` outside a secret field, and names that the environment does not have. */
function secretIssues(
  root: unknown,
  schema: z.ZodType,
  environment: Readonly<Record<string, string | undefined>> | null,
  at: Locator,
): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const visit = (value: unknown, path: Path): void => {
    if (typeof value === 'string') {
      if (!value.includes('${')) return;
      if (!isSecretAt(schema, path)) {
        issues.push({ ...at(path), path: dotted(path), message: '"${…}" is only for secrets (keys, tokens); write the value itself here' });
        return;
      }
      const name = secretEnvironmentName(value);
      if (name === null)
        issues.push({
          ...at(path),
          path: dotted(path),
          message: 'a secret is one whole reference like "${NAME}", nothing before or after it',
        });
      else if (environment !== null && !environment[name])
        issues.push({
          ...at(path),
          path: dotted(path),
          message: `the environment variable ${name} is not set; export it, or remove the entry`,
        });
    } else if (Array.isArray(value)) {
      value.forEach((item, index) => {
        visit(item, [...path, index]);
      });
    } else if (value !== null && typeof value === 'object') {
      for (const [key, item] of Object.entries(value)) visit(item, [...path, key]);
    }
  };
  visit(root, []);
  return issues;
}
