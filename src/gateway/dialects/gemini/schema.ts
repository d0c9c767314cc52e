import { isObject, type JsonObject, refuse } from '../../hub/json.ts';

const TYPES: ReadonlySet<string> = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']);
/** Whole numbers that protocol buffers write as text. */
const COUNTS = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties']);
const KEPT = new Set(['title', 'description', 'format', 'enum', 'required', 'default', 'pattern', 'minimum', 'maximum', 'example']);

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function typeOf(type: unknown, isNullable: boolean, param: string): unknown {
  const name = String(type).toLowerCase();
  if (name === 'type_unspecified') return undefined;
  if (!TYPES.has(name)) return refuse(`${param}.type`, `"${String(type)}" is not a type of a schema`);
  return isNullable ? [name, 'null'] : name;
}

function property(schema: JsonObject, name: string, value: unknown, param: string): readonly [string, unknown] | null {
  if (name === 'type') return [name, typeOf(value, schema.nullable === true, param)];
  if (name === 'items') return [name, toJsonSchema(value, `${param}.items`)];
  if (name === 'anyOf') {
    if (!Array.isArray(value)) return refuse(`${param}.anyOf`, 'an array is needed');
    return [name, value.map((entry, index) => toJsonSchema(entry, `${param}.anyOf[${index}]`))];
  }
  if (name === 'properties') {
    if (!isObject(value)) return refuse(`${param}.properties`, 'an object is needed');
    return [
      name,
      Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toJsonSchema(entry, `${param}.properties.${key}`)])),
    ];
  }
  if (COUNTS.has(name)) return [name, Number(value)];
  return KEPT.has(name) ? [name, value] : null;
}

/**
 * Google's Schema (a subset of OpenAPI 3.0: types in capitals, `nullable`, counts as text) → JSON schema. What only orders or decorates is left out.
 * @see https://ai.google.dev/api/caching#Schema
 * @throws PlimsollError `invalid_argument`
 */
export function toJsonSchema(schema: unknown, param: string): JsonObject {
  if (!isObject(schema)) return refuse(param, 'a schema is needed');
  const entries = Object.entries(schema).map(([name, value]) =>
    value === null || value === undefined ? null : property(schema, camelCase(name), value, param),
  );
  return Object.fromEntries(entries.filter((entry) => entry !== null && entry[1] !== undefined) as [string, unknown][]); // nulls are gone
}
