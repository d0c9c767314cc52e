import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { canonicalJson } from '../../datasets/json-value.ts';
import { LinearPattern } from '../../gateway/output/linear-pattern.ts';
import { WorkBudget } from '../../gateway/output/work-budget.ts';
import { PlimsollError } from '../../kernel/errors.ts';

/** Of the patterns and comparisons of one check: half a second. */
const BUDGET_UNITS = 10_000_000;

/** What is wrong with a value; empty when nothing is. Paths are JSON pointers. */
export type SchemaMistakes = readonly { readonly path: string; readonly message: string; readonly missing: string | null }[];

function describe({ instancePath, message, params, keyword }: ErrorObject): SchemaMistakes[number] {
  const missing = keyword === 'required' ? String(params.missingProperty) : null;
  return { path: instancePath, message: `${instancePath === '' ? 'it' : instancePath} ${message ?? keyword}`.slice(0, 300), missing };
}

function isUnique(items: readonly unknown[], budget: WorkBudget): boolean {
  const seen = new Set<string>();
  for (const item of items) {
    const text = canonicalJson(item);
    budget.take(1 + (text.length >> 3));
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
}

/** Whatever the output: patterns in linear time, unique items by a set. */
function compile(schema: object, budget: WorkBudget): ValidateFunction {
  const draft = '$schema' in schema ? String(schema.$schema) : '';
  const regExp = Object.assign((source: string) => new LinearPattern(source, budget), { code: 'linearPattern' });
  const options = { strictSchema: true, allErrors: true, logger: false as const, ownProperties: true, code: { regExp } };
  const ajv = /2020-12|2019-09/.test(draft) ? new Ajv2020(options) : new Ajv(options);
  formats.default(ajv);
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must NOT have duplicate items' },
    validate: (isWanted: boolean, items: readonly unknown[]) => !isWanted || isUnique(items, budget),
  });
  return ajv.compile(schema);
}

/**
 * Checks values against JSON schemas of draft-07 (2020-12 where `$schema` says so) with formats. An unknown keyword is a mistake of the schema, as it
 * is in promptfoo. Compiled schemas are remembered as long as the schema object lives: nothing but the time shows it.
 */
export class JsonSchemas {
  readonly #known = new WeakMap<object, { validate: ValidateFunction; budget: WorkBudget }>();

  /** @throws PlimsollError `invalid_argument` for a schema that is none; TooExpensive or RangeError for a value that costs too much */
  check(schema: object, value: unknown): SchemaMistakes {
    const known = this.#known.get(schema) ?? this.#compile(schema);
    known.budget.refill(BUDGET_UNITS);
    return known.validate(value) ? [] : (known.validate.errors ?? []).slice(0, 1000).map(describe);
  }

  #compile(schema: object): { validate: ValidateFunction; budget: WorkBudget } {
    const budget = new WorkBudget();
    // The schema itself is checked first.
    budget.refill(BUDGET_UNITS);
    try {
      const made = { validate: compile(schema, budget), budget };
      this.#known.set(schema, made);
      return made;
    } catch (thrown) {
      throw new PlimsollError('invalid_argument', `The JSON schema cannot be used: ${(thrown as Error).message.slice(0, 300)}`);
    }
  }
}
