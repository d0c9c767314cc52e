import { z } from 'zod';
import { PlimsollError } from './errors.ts';
import { nearest } from './suggest.ts';

export type InputPlace = 'path' | 'query' | 'body';

export interface FieldIssue {
  /** Place and path, e.g. `body.models[0]`. */
  readonly field: string;
  readonly message: string;
  /** The nearest valid word, when something was misspelt. */
  readonly suggestion: string | null;
}

const MOST_ISSUES = 20;
const SECRET_FIELD = /key|secret|token|password/i;

function fieldName(place: InputPlace, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}.${String(step)}`), place);
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** The value as a person typed it, cut; never one that may be a secret. */
function shown(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return 'nothing';
  if (path.some((step) => typeof step === 'string' && SECRET_FIELD.test(step))) return 'a value that is not shown here';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Keys that an object schema takes at a path, through optional, default, nullable and array wrappers. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const bare = unwrap(schema);
  const [step, ...rest] = path;
  if (bare instanceof z.ZodUnion) return bare.options.flatMap((option) => keysAt(option, path));
  if (step === undefined) return bare instanceof z.ZodObject ? Object.keys(bare.shape) : [];
  if (bare instanceof z.ZodObject && typeof step === 'string' && Object.hasOwn(bare.shape, step))
    return keysAt(bare.shape[step] as z.core.$ZodType, rest);
  if (bare instanceof z.ZodArray) return keysAt(bare.element, rest);
  if (bare instanceof z.ZodRecord) return keysAt(bare.valueType, rest);
  return [];
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(schema.unwrap());
  }
  return schema instanceof z.ZodPipe ? unwrap(schema.in) : schema;
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType, input: unknown, place: InputPlace): FieldIssue[] {
  const field = fieldName(place, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => {
      const suggestion = nearest(key, known);
      const list = known.length > 0 ? `known here: ${known.join(', ')}` : 'nothing is taken here';
      return {
        field: fieldName(place, [...issue.path, key]),
        message: `is not known; ${suggestion === null ? list : `did you mean "${suggestion}"?`}`,
        suggestion,
      };
    });
  }
  const value = valueAt(input, issue.path);
  if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union')) {
    return [{ field, message: 'is missing', suggestion: null }];
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const suggestion = typeof value === 'string' ? nearest(value, values) : null;
    const hint = suggestion === null ? '' : `; did you mean "${suggestion}"?`;
    return [{ field, message: `is ${shown(value, issue.path)}; takes ${values.join(', ')}${hint}`, suggestion }];
  }
  return [{ field, message: `is ${shown(value, issue.path)}: ${issue.message}`, suggestion: null }];
}

/**
 * Parses one part of a request.
 * @throws PlimsollError `invalid_argument`: the message names every field, its value and what it takes; `details.issues` has them apart
 */
export function parseInput(schema: z.ZodType, input: unknown, place: InputPlace): unknown {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues.flatMap((issue) => describe(issue, schema, input, place)).slice(0, MOST_ISSUES);
  throw new PlimsollError('invalid_argument', issues.map(({ field, message }) => `${field} ${message}`).join('\n'), {
    details: { param: issues[0]?.field ?? place, issues },
  });
}

/**
 * Query parameters as an object; one that is given several times becomes an array (and then needs a schema that takes one).
 * @throws PlimsollError `invalid_argument` for an empty value, which number schemas would read as 0
 */
export function queryObject(search: URLSearchParams): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null);
  for (const [key, value] of search) {
    if (value === '') {
      throw new PlimsollError('invalid_argument', `query.${key.slice(0, 80)} is empty; leave it out or give it a value`, {
        details: { param: `query.${key.slice(0, 80)}` },
      });
    }
    const before = query[key];
    query[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return { ...query };
}
