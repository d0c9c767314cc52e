import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { contentHash } from '../../kernel/ids.ts';
import { LinearPattern } from './linear-pattern.ts';
import { PatternRefused } from './pattern-parser.ts';
import { guardSchema, type SchemaLimits, SchemaRefused, STEP_KEYWORD } from './schema-guard.ts';
import { TooExpensive, WorkBudget } from './work-budget.ts';

/** Work of one check, about a tenth of a second at the most. */
const BUDGET_UNITS = 1_000_000;
const MAX_SCHEMAS = 128;
/** Longer texts are not what these formats are for; their expressions are not asked. */
const MAX_FORMAT_CHARACTERS = 2048;
const FORMATS = [
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uuid',
  'json-pointer',
] as const;

/** A compiled schema. */
export interface OutputSchema {
  /**
   * @returns what is wrong first, null when nothing is. Says where and which rule; never what the answer says there
   * @throws TooExpensive
   */
  check(value: unknown): string | null;
}

/** Numbers, strings and the rest, so that equal values have equal texts whatever the order of their members. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

function hasOnlyUniqueItems(isWanted: boolean, items: readonly unknown[], budget: WorkBudget): boolean {
  if (!isWanted) return true;
  const seen = new Set<string>();
  for (const item of items) {
    const text = canonical(item);
    budget.take(1 + (text.length >> 3));
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
}

/** Why ajv says no: the place, then the rule. The values of an answer are not repeated: an error may be kept where answers are not. */
function describe({ instancePath, message, keyword, params }: ErrorObject): string {
  const place = instancePath === '' ? 'the answer' : instancePath.slice(0, 200);
  // Both names come from the schema, not from the answer.
  if (keyword === 'enum') return `${place} must be one of ${JSON.stringify(params.allowedValues).slice(0, 200)}`;
  return `${place} ${(message ?? `breaks "${keyword}"`).slice(0, 300)}`;
}

/**
 * Compiles JSON schemas and keeps the last of them. Neither a schema nor an answer can make a check run long: patterns are matched in linear
 * time, every step is charged, equal items are found by a set.
 */
export class OutputSchemas {
  readonly #budget = new WorkBudget();
  readonly #ajv: Ajv2020;
  /** By content, the least recently used first; a refusal is kept too. */
  readonly #known = new Map<string, OutputSchema | SchemaRefused>();
  /** Schemas of features keep their identity as long as their snapshot lives. */
  readonly #byIdentity = new WeakMap<object, OutputSchema | SchemaRefused>();

  constructor() {
    const budget = this.#budget;
    const regExp = Object.assign((source: string) => new LinearPattern(source, budget), { code: 'linearPattern' });
    this.#ajv = new Ajv2020({
      strict: false,
      logger: false,
      validateSchema: false,
      // Else a few references would be copied into each other without end.
      inlineRefs: false,
      ownProperties: true,
      // Optimising the code costs more than it saves here, and grows with the square of the schema.
      code: { regExp, optimize: false },
    });
    formats.default(this.#ajv, { mode: 'fast', formats: [...FORMATS] });
    for (const name of FORMATS) this.#boundFormat(name);
    this.#ajv.removeKeyword('uniqueItems');
    this.#ajv.addKeyword({
      keyword: 'uniqueItems',
      type: 'array',
      schemaType: 'boolean',
      error: { message: 'must NOT have duplicate items' },
      validate: (isWanted: boolean, items: readonly unknown[]) => hasOnlyUniqueItems(isWanted, items, budget),
    });
    this.#ajv.addKeyword({
      keyword: STEP_KEYWORD,
      before: '$ref',
      schemaType: 'number',
      errors: false,
      validate: (weight: number, data: unknown) => {
        const size = typeof data === 'string' ? data.length >> 6 : Array.isArray(data) ? data.length >> 3 : 0;
        budget.take(weight + size);
        return true;
      },
    });
  }

  #boundFormat(name: string): void {
    const format = this.#ajv.formats[name];
    const test = format instanceof RegExp ? (text: string) => format.test(text) : format;
    const validate = typeof test === 'object' && test !== null && 'validate' in test ? test.validate : test;
    const isGood = validate instanceof RegExp ? (text: string) => validate.test(text) : (validate as (text: string) => boolean); // string formats only
    this.#ajv.addFormat(name, (text: string) => {
      if (text.length > MAX_FORMAT_CHARACTERS) throw new TooExpensive();
      return isGood(text);
    });
  }

  /** @throws SchemaRefused */
  get(schema: unknown, limits: SchemaLimits): OutputSchema {
    const known = typeof schema === 'object' && schema !== null ? this.#byIdentity.get(schema) : undefined;
    const found = known ?? this.#byContent(schema, limits);
    if (known === undefined && typeof schema === 'object' && schema !== null) this.#byIdentity.set(schema, found);
    if (found instanceof SchemaRefused) throw found;
    return found;
  }

  #byContent(schema: unknown, limits: SchemaLimits): OutputSchema | SchemaRefused {
    const key = `${limits.maxBytes}:${contentHash(JSON.stringify(schema) ?? '')}`;
    const found = this.#known.get(key) ?? this.#compile(schema, limits);
    this.#known.delete(key);
    this.#known.set(key, found);
    const oldest = this.#known.size > MAX_SCHEMAS ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
    return found;
  }

  #compile(schema: unknown, limits: SchemaLimits): OutputSchema | SchemaRefused {
    try {
      const guarded = guardSchema(schema, limits);
      const validate: ValidateFunction = this.#ajv.compile(guarded);
      // Ajv keeps what it compiled for ever; we keep it.
      this.#ajv.removeSchema(guarded);
      return { check: (value) => this.#check(validate, value) };
    } catch (thrown) {
      if (thrown instanceof SchemaRefused) return thrown;
      if (thrown instanceof PatternRefused) return new SchemaRefused(`a pattern is refused: ${thrown.message}`);
      return new SchemaRefused(`it cannot be compiled: ${(thrown as Error).message.slice(0, 300)}`);
    }
  }

  #check(validate: ValidateFunction, value: unknown): string | null {
    this.#budget.refill(BUDGET_UNITS);
    try {
      if (validate(value)) return null;
    } catch (thrown) {
      // Too deep for the stack is too expensive, too.
      if (thrown instanceof RangeError) throw new TooExpensive();
      throw thrown;
    }
    const [first] = validate.errors ?? [];
    return first === undefined ? 'the answer is not valid' : describe(first);
  }
}
