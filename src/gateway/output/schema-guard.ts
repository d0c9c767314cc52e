/** A schema that is not checked, with the reason. */
export class SchemaRefused extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'SchemaRefused';
  }
}

export interface SchemaLimits {
  /** Of its JSON text. */
  readonly maxBytes: number;
  readonly maxSubschemas: number;
}

/** Our own configuration may be large; what comes with a request is compiled while others wait. */
export const FEATURE_SCHEMA_LIMITS: SchemaLimits = { maxBytes: 256 * 1024, maxSubschemas: 1000 };
export const REQUEST_SCHEMA_LIMITS: SchemaLimits = { maxBytes: 32 * 1024, maxSubschemas: 200 };

/** Stands in every subschema and charges the work budget; the value is its weight. */
export const STEP_KEYWORD = 'x-plimsoll-step';

const MAX_DEPTH = 64;
const SCHEMA_KEYWORDS = [
  'additionalProperties',
  'contains',
  'not',
  'if',
  'then',
  'else',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
];
const LIST_KEYWORDS = ['allOf', 'anyOf', 'oneOf', 'prefixItems'];
const MAP_KEYWORDS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];
const PLAIN_KEYWORDS = [
  'type',
  'enum',
  'const',
  'multipleOf',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'maxContains',
  'minContains',
  'maxProperties',
  'minProperties',
  'required',
  'dependentRequired',
  'format',
];
/** Left out, they would make an answer valid that is not. */
const UNSUPPORTED = ['$dynamicRef', '$recursiveRef', 'dependencies', 'additionalItems', '$data'];

type Schema = Record<string, unknown>;

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A copy of a JSON schema (2020-12, and what OpenAI's structured outputs use of it) that is safe to compile: only keywords that check
 * something, references only into itself, bounded in size, and a charge in every subschema. Titles, examples and ids are left behind.
 * @throws SchemaRefused
 */
export function guardSchema(schema: unknown, limits: SchemaLimits): Schema {
  if (!isObject(schema)) throw new SchemaRefused('it is not an object');
  if (Buffer.byteLength(JSON.stringify(schema)) > limits.maxBytes) throw new SchemaRefused(`it is larger than ${limits.maxBytes} bytes`);
  let count = 0;

  function copy(value: unknown, depth: number): unknown {
    if (typeof value === 'boolean') return value;
    if (!isObject(value)) throw new SchemaRefused('a part of it that should be a schema is not');
    if (++count > limits.maxSubschemas) throw new SchemaRefused(`it has more than ${limits.maxSubschemas} subschemas`);
    if (depth > MAX_DEPTH) throw new SchemaRefused(`it is nested deeper than ${MAX_DEPTH}`);
    const result: Schema = {};
    for (const name of UNSUPPORTED) if (Object.hasOwn(value, name)) throw new SchemaRefused(`"${name}" is not supported`);
    if (Object.hasOwn(value, '$ref')) {
      if (typeof value.$ref !== 'string' || !/^#(\/|$)/.test(value.$ref))
        throw new SchemaRefused('"$ref" must point into the schema itself, as #/…');
      result.$ref = value.$ref;
    }
    for (const name of PLAIN_KEYWORDS) if (Object.hasOwn(value, name)) result[name] = value[name];
    for (const name of SCHEMA_KEYWORDS) if (Object.hasOwn(value, name)) result[name] = copy(value[name], depth + 1);
    for (const name of LIST_KEYWORDS) if (Object.hasOwn(value, name)) result[name] = copyList(name, value[name], depth);
    for (const name of MAP_KEYWORDS) if (Object.hasOwn(value, name)) result[name] = copyMap(name, value[name], depth);
    // Draft 7's list of items is prefixItems since 2020.
    if (Array.isArray(value.items)) result.prefixItems = copyList('items', value.items, depth);
    else if (Object.hasOwn(value, 'items')) result.items = copy(value.items, depth + 1);
    result[STEP_KEYWORD] = weightOf(result);
    return result;
  }

  function copyList(name: string, value: unknown, depth: number): unknown[] {
    if (!Array.isArray(value)) throw new SchemaRefused(`"${name}" must be a list of schemas`);
    return value.map((each) => copy(each, depth + 1));
  }

  function copyMap(name: string, value: unknown, depth: number): Schema {
    if (!isObject(value)) throw new SchemaRefused(`"${name}" must be an object of schemas`);
    const entries = Object.entries(value).filter(([key]) => key !== '__proto__');
    return Object.fromEntries(entries.map(([key, each]) => [key, copy(each, depth + 1)]));
  }

  return copy(schema, 0) as Schema; // an object gives an object
}

function sizeOf(value: unknown): number {
  return Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0;
}

/** What one look at a value costs beside its own size. */
function weightOf({ enum: values, required, properties, patternProperties }: Schema): number {
  return 1 + sizeOf(values) + sizeOf(required) + sizeOf(properties) + 4 * sizeOf(patternProperties);
}
