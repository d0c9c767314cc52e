import { parse } from 'yaml';
import { z } from 'zod';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { embeddedObjects } from '../json/embedded-json.ts';
import { JsonSchemas, type SchemaMistakes } from '../json/json-schema.ts';
import { failed, measured, type Score, verdict } from '../score.ts';
import { defineScorer } from '../scorer.ts';

const MAX_CHARACTERS = 10_000_000;
const SCHEMAS = new JsonSchemas();

const Schema = z
  .union([z.looseObject({}), z.string().min(1)])
  .transform((value, context): object => {
    const schema: unknown = typeof value === 'string' ? readYaml(value) : value;
    if (typeof schema === 'object' && schema !== null) return schema;
    context.addIssue({ code: 'custom', message: 'a JSON schema, as an object or as YAML' });
    return z.NEVER;
  })
  .describe('JSON schema, as an object or as text in YAML or JSON; without one any JSON will do');

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return null;
  }
}

function readJson(text: string): { readonly value: unknown } | null {
  try {
    return { value: parseJsonText(text) };
  } catch {
    return null;
  }
}

function listed(mistakes: SchemaMistakes): string {
  return mistakes
    .slice(0, 3)
    .map(({ message }) => message)
    .join('; ');
}

const FORMATS =
  'Schemas of draft-07, or of 2020-12 where `$schema` says so, with formats; an unknown keyword is an error. Patterns are matched in linear time, those with look-around are refused.';

/** Values inside of a JSON value, the value itself included. Without recursion: outputs may be deep. */
function countNodes(value: unknown): number {
  const open = [value];
  let count = 0;
  while (open.length > 0) {
    const next = open.pop();
    count++;
    if (typeof next === 'object' && next !== null) for (const each of Object.values(next)) open.push(each);
  }
  return count;
}

export default [
  defineScorer({
    names: ['is-json'],
    summary: 'The whole output is JSON, and keeps the schema where there is one.',
    source: `promptfoo. ${FORMATS}`,
    direction: 'higher',
    needs: [],
    options: z.strictObject({ value: Schema.optional() }),
    score({ output }, { value }) {
      if (output.length > MAX_CHARACTERS) return failed('The output is too long to be checked.');
      const read = readJson(output);
      if (read === null) return verdict(false, 'The output is no JSON.');
      const mistakes = value === undefined ? [] : SCHEMAS.check(value, read.value);
      return verdict(mistakes.length === 0, mistakes.length === 0 ? 'JSON as wanted.' : `JSON, but ${listed(mistakes)}.`);
    },
  }),
  defineScorer({
    names: ['contains-json'],
    summary: 'Some object in the output is JSON, and keeps the schema where there is one.',
    source: `promptfoo: objects only, and as loosely as YAML reads them (names without quotes, comments, an end that is cut off). ${FORMATS}`,
    direction: 'higher',
    needs: [],
    options: z.strictObject({ value: Schema.optional() }),
    score({ output }, { value }): Score {
      if (output.length > MAX_CHARACTERS) return failed('The output is too long to be searched.');
      const objects = embeddedObjects(output);
      if (objects === null) return failed('The output has more braces than can be tried.');
      if (objects.length === 0) return verdict(false, 'No object in the output.');
      if (value === undefined) return verdict(true, 'There is an object.');
      let last: SchemaMistakes = [];
      for (const object of objects) {
        last = SCHEMAS.check(value, object);
        if (last.length === 0) return verdict(true, 'An object keeps the schema.');
      }
      return verdict(false, `None of ${objects.length} objects keeps the schema; the last: ${listed(last)}.`);
    },
  }),
  defineScorer({
    names: ['json-schema'],
    summary: 'How much of a JSON output keeps the schema: the share of its values, and of those it must have, without a mistake.',
    source: `Ours, for progress where is-json only says no: 1 − wrong or missing values / (values + missing ones). No JSON is 0. ${FORMATS}`,
    direction: 'higher',
    needs: [],
    options: z.strictObject({
      value: Schema,
      threshold: z.number().min(0).max(1).default(1).describe('Least share that passes'),
    }),
    score({ output }, { value, threshold }) {
      if (output.length > MAX_CHARACTERS) return failed('The output is too long to be checked.');
      const read = readJson(output);
      if (read === null) return measured(0, threshold <= 0, 'The output is no JSON.');
      const mistakes = SCHEMAS.check(value, read.value);
      const missing = new Set(mistakes.flatMap(({ path, missing: name }) => (name === null ? [] : [`${path}/${name}`]))).size;
      const wrong = new Set(mistakes.flatMap(({ path, missing: name }) => (name === null ? [path] : []))).size;
      const total = countNodes(read.value) + missing;
      const share = Math.max(0, 1 - (wrong + missing) / total);
      return measured(share, share >= threshold, mistakes.length === 0 ? 'It keeps the schema.' : `${listed(mistakes)}.`, [
        { name: 'wrong', value: wrong },
        { name: 'missing', value: missing },
      ]);
    },
  }),
];
