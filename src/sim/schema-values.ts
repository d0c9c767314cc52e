import { firstSentence } from './answer-style.ts';
import { detectLanguage, topicOf } from './general-answers.ts';
import type { SeededRandom } from './seeded-random.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** What a value may be taken from. */
export interface ValueSource {
  readonly question: string;
  /** A text that answers the question; its sentences fill descriptions and reasons. */
  readonly answer: string;
  readonly random: SeededRandom;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const DEEPEST = 12;
/** Bounds against schemas that would grow without end. */
const MOST_NODES = 5_000;
const LONGEST_TEXT = 10_000;
const LONGEST_LIST = 200;
/** A longer question is searched for values in its beginning only. */
const COMPARED_CHARACTERS = 4_000;

/** Finds what a name promises: an order number, a path, a mail address of the question; else a text that fits the name. */
function textFor(name: string, source: ValueSource): string {
  const { question, answer, random } = source;
  const key = name.toLowerCase();
  const inQuestion = (pattern: RegExp): string | undefined => pattern.exec(question)?.[0];
  if (/mail/.test(key)) return inQuestion(/[\w.+-]+@[\w-]+\.[\w.]+/) ?? 'jonas.keller@tidemark.example';
  if (/url|link|website/.test(key)) return inQuestion(/https?:\/\/\S+/) ?? 'https://tidemark.example/help';
  if (/path|file/.test(key)) return inQuestion(/[\w./-]+\.\w{1,4}\b/) ?? 'src/index.ts';
  if (/(^|_)id$|number|order|code|sku/.test(key))
    return inQuestion(/\b[A-Z]{1,4}-?\d{3,}\b|\b\d{4,}\b/) ?? `TS-${100_000 + random.integer(20_000)}`;
  if (/time|date|day/.test(key)) return inQuestion(/\d{4}-\d{2}-\d{2}/) ?? '2026-03-12';
  if (/language|locale/.test(key)) return detectLanguage(question);
  if (/currency/.test(key)) return 'EUR';
  if (/country/.test(key)) return 'DE';
  if (/city|location|place/.test(key)) return inQuestion(/(?<=\b(?:in|at|for|from|near) )\p{Lu}[\p{L}-]+(?: \p{Lu}[\p{L}-]+)*/u) ?? 'Kiel';
  if (/sentiment|tone|mood/.test(key)) return random.pick(['neutral', 'positive', 'negative']);
  if (/priority|severity|risk|level/.test(key)) return random.pick(['low', 'normal', 'high']);
  if (/status|state/.test(key)) return 'open';
  if (/category|label|intent|class|type|topic|query|search|title|subject|tag|keyword/.test(key))
    return topicOf(question, detectLanguage(question));
  if (/name|company|customer|author|person|contact/.test(key))
    return (
      inQuestion(/(?<!^)(?<![.!?]\s)\p{Lu}[\p{L}-]+(?: \p{Lu}[\p{L}-]+)+/u) ??
      random.pick(['Ingrid Solberg', 'Jonas Keller', 'Lucía Navarro'])
    );
  return firstSentence(answer);
}

function stringFor(schema: JsonObject, name: string, source: ValueSource): string {
  switch (schema.format) {
    case 'date':
      return '2026-03-12';
    case 'date-time':
      return '2026-03-12T09:30:00Z';
    case 'time':
      return '09:30:00';
    case 'email':
      return 'jonas.keller@tidemark.example';
    case 'uri':
    case 'url':
      return 'https://tidemark.example/help';
    case 'uuid':
      return `${source.random.hex(8)}-${source.random.hex(4)}-4${source.random.hex(3)}-a${source.random.hex(3)}-${source.random.hex(12)}`;
    default:
  }
  let text = textFor(name, source);
  const { minLength, maxLength } = schema;
  if (typeof minLength === 'number')
    while (text.length < Math.min(minLength, LONGEST_TEXT)) text = `${text} ${firstSentence(source.answer)}`.padEnd(text.length + 2, '.');
  return typeof maxLength === 'number' ? text.slice(0, maxLength) : text;
}

function numberFor(schema: JsonObject, name: string, isInteger: boolean, random: SeededRandom): number {
  const isFraction = !isInteger && /confidence|score|probability|ratio|share/i.test(name);
  const bound = (inclusive: unknown, exclusive: unknown, step: number): number | null =>
    typeof inclusive === 'number' ? inclusive : typeof exclusive === 'number' ? exclusive + step : null;
  const step = isInteger ? 1 : 0.01;
  const least = bound(schema.minimum, schema.exclusiveMinimum, step);
  const most = bound(schema.maximum, schema.exclusiveMaximum, -step);
  const low = least ?? Math.min(isFraction ? 0.5 : 1, most ?? 1);
  const high = most ?? Math.max(isFraction ? 1 : 10, low + (isFraction ? 0 : 9));
  if (typeof schema.multipleOf === 'number' && schema.multipleOf > 0) return Math.ceil(low / schema.multipleOf) * schema.multipleOf;
  const raw = low + random.next() * (high - low);
  return isInteger ? Math.floor(raw) : Math.min(high, Math.max(low, Math.round(raw * 100) / 100));
}

function resolve(schema: unknown, root: JsonObject): JsonObject {
  if (!isJsonObject(schema)) return {};
  if (typeof schema.$ref !== 'string' || !schema.$ref.startsWith('#')) return schema;
  let target: unknown = root;
  for (const key of schema.$ref.split('/').slice(1))
    target = isJsonObject(target) ? target[key.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  return isJsonObject(target) ? target : {};
}

interface Build {
  readonly root: JsonObject;
  readonly source: ValueSource;
  nodes: number;
}

function build(rawSchema: unknown, name: string, context: Build, depth: number): unknown {
  const { root, source } = context;
  if (++context.nodes > MOST_NODES) return null;
  const { random } = source;
  let schema = resolve(rawSchema, root);
  if (Array.isArray(schema.allOf)) schema = Object.assign({}, schema, ...schema.allOf.map((part) => resolve(part, root)));
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return random.pick(schema.enum);
  const branches = Array.isArray(schema.anyOf) ? schema.anyOf : Array.isArray(schema.oneOf) ? schema.oneOf : null;
  if (branches !== null && branches.length > 0) {
    const resolved = branches.map((branch) => resolve(branch, root));
    // A recursive type ends at its null branch.
    const chosen = depth > 4 ? resolved.find((branch) => branch.type === 'null') : resolved.find((branch) => branch.type !== 'null');
    return build(chosen ?? resolved[0], name, context, depth + 1);
  }
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  const type = depth > DEEPEST && types.includes('null') ? 'null' : (types.find((candidate) => candidate !== 'null') ?? types[0]);
  switch (type) {
    case 'string':
      return stringFor(schema, name, source);
    case 'integer':
      return numberFor(schema, name, true, random);
    case 'number':
      return numberFor(schema, name, false, random);
    case 'boolean':
      return random.chance(0.5);
    case 'null':
      return null;
    case 'array': {
      const least = typeof schema.minItems === 'number' ? schema.minItems : 1;
      const most = typeof schema.maxItems === 'number' ? schema.maxItems : Math.max(least, 3);
      const length = Math.min(depth > 4 ? Math.min(least, most) : least + random.integer(Math.max(0, most - least) + 1), LONGEST_LIST);
      return Array.from({ length }, () => build(schema.items, name.replace(/s$/, ''), context, depth + 1));
    }
    default: {
      if (type !== 'object' && !isJsonObject(schema.properties)) return type === undefined ? textFor(name, source) : null;
      if (depth > DEEPEST) return {};
      const required = Array.isArray(schema.required) ? schema.required : [];
      const value: Record<string, unknown> = {};
      for (const [key, property] of Object.entries(isJsonObject(schema.properties) ? schema.properties : {})) {
        if (!required.includes(key) && (depth > 4 || random.chance(0.3))) continue;
        value[key] = build(property, key, context, depth + 1);
      }
      return value;
    }
  }
}

/**
 * A value that conforms to a JSON schema, filled from the question where a name allows it.
 * Understands types, enum, const, $ref into the same document, anyOf, oneOf, allOf, bounds, formats; not `pattern` and conditionals.
 */
export function valueForSchema(schema: unknown, source: ValueSource, name = 'answer'): unknown {
  const bounded = { ...source, question: source.question.slice(0, COMPARED_CHARACTERS) };
  return build(schema, name, { root: isJsonObject(schema) ? schema : {}, source: bounded, nodes: 0 }, 0);
}

/** The object of `response_format: json_object`, where no schema is given. */
export function freeJsonObject(source: ValueSource): JsonObject {
  return {
    answer: firstSentence(source.answer),
    topic: topicOf(source.question, detectLanguage(source.question)),
    language: detectLanguage(source.question),
    confidence: Math.round((0.7 + source.random.next() * 0.29) * 100) / 100,
  };
}
