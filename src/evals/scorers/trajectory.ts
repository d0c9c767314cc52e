import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { isObject } from '../../datasets/json-value.ts';
import { Json } from '../option-schemas.ts';
import { type Score, unmeasured, verdict } from '../score.ts';
import { defineScorer, type JsonValue, type Subject } from '../scorer.ts';
import { listed, matchesGlob, matchesStep, type Step, type StepMatcher, stepsOf } from '../trajectory.ts';

const Type = z.enum(['tool', 'command', 'search', 'reasoning', 'message', 'span']);
const Types = z.union([Type, z.array(Type)]);
const matcherFields = {
  name: z.string().min(1).optional(),
  pattern: z.string().min(1).optional(),
  type: Types.optional(),
};
const isNamed = ({ name, pattern }: { name?: string | undefined; pattern?: string | undefined }): boolean =>
  name !== undefined || pattern !== undefined;
const NAMED = 'give a name or a pattern';
const bounds = { min: z.number().optional(), max: z.number().optional() };

const Matcher = z.union([
  z
    .string()
    .min(1)
    .transform((pattern): StepMatcher => ({ pattern })),
  z.strictObject(matcherFields).refine(isNamed, NAMED),
]);

function withSteps(subject: Subject, judge: (steps: readonly Step[]) => Score): Score {
  const steps = stepsOf(subject);
  return steps === null ? unmeasured('There is no trace of the run.') : judge(steps);
}

function withTools(subject: Subject, judge: (tools: readonly Step[]) => Score): Score {
  return withSteps(subject, (steps) => judge(steps.filter(({ type }) => type === 'tool')));
}

/** Steps of another type than a tool are looked for only where the matcher says so; promptfoo's tool assertions see tools alone. */
function asTool(matcher: StepMatcher): StepMatcher {
  return { ...matcher, type: matcher.type ?? 'tool' };
}

const labelOf = ({ pattern, name }: StepMatcher): string => pattern ?? name ?? '*';
const isCounted = (count: number, min: number | undefined, max: number | undefined): boolean =>
  count >= (min ?? 0) && count <= (max ?? Number.POSITIVE_INFINITY);

const Used = z.union([
  z
    .string()
    .min(1)
    .transform((pattern) => [{ pattern }]),
  z
    .array(
      z
        .string()
        .min(1)
        .transform((pattern) => ({ pattern })),
    )
    .min(1),
  z.strictObject({ ...matcherFields, ...bounds }).refine(isNamed, NAMED),
]);

/** Whether all that is expected is there; lists in full, objects may have more. */
function includesArguments(actual: JsonValue | undefined, expected: JsonValue): boolean {
  if (actual === undefined) return false;
  if (Array.isArray(expected))
    return (
      Array.isArray(actual) && actual.length === expected.length && expected.every((item, index) => includesArguments(actual[index], item))
    );
  if (!isObject(expected)) return isDeepStrictEqual(actual, expected);
  return (
    isObject(actual) &&
    Object.entries(expected).every(([name, value]) => Object.hasOwn(actual, name) && includesArguments(actual[name], value))
  );
}

function without(value: JsonValue, isLeftOut: (name: string, member: JsonValue) => boolean): JsonValue {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name, member]) => !isLeftOut(name, member)));
}

const Arguments = z
  .strictObject({
    ...matcherFields,
    args: Json.optional(),
    arguments: Json.optional(),
    mode: z.enum(['partial', 'exact']).default('partial'),
    defaults: z.record(z.string(), Json).default({}),
    ignore: z
      .union([z.string().min(1), z.array(z.string().min(1))])
      .default([])
      .transform((value) => (typeof value === 'string' ? [value] : value)),
  })
  .refine(isNamed, NAMED)
  .refine((value) => value.args !== undefined || value.arguments !== undefined, 'give args');

const SOURCE =
  'promptfoo: spans in the order in which they began; a span with a tool’s name is a tool, one of a shell or named `exec …` a command. Names by patterns with * and ?, in capitals or not.';

export default [
  defineScorer({
    names: ['trajectory:tool-used'],
    summary: 'The run used these tools: all of a list, or one so many times.',
    source: `${SOURCE} \`not-\` with a list passes when none of them was used.`,
    direction: 'higher',
    needs: ['spans'],
    options: z.strictObject({ value: Used.describe('Name or pattern, a list of them, or { name or pattern, min = 1, max }') }),
    score: (subject, { value }) =>
      withTools(subject, (tools) => {
        if (!Array.isArray(value)) {
          const count = tools.filter((step) => matchesStep(step, asTool(value))).length;
          return verdict(isCounted(count, value.min ?? 1, value.max), `${labelOf(value)} used ${count} times; used: ${listed(tools)}.`);
        }
        const missing = value.filter((matcher) => !tools.some((step) => matchesStep(step, matcher)));
        return verdict(
          missing.length === 0,
          missing.length === 0 ? 'All were used.' : `Not used: ${missing.map(labelOf).join(', ')}; used: ${listed(tools)}.`,
        );
      }),
    scoreNegated: (subject, { value }) =>
      withTools(subject, (tools) => {
        if (!Array.isArray(value)) {
          const count = tools.filter((step) => matchesStep(step, asTool(value))).length;
          return verdict(!isCounted(count, value.min ?? 1, value.max), `${labelOf(value)} used ${count} times.`);
        }
        const used = value.filter((matcher) => tools.some((step) => matchesStep(step, matcher)));
        return verdict(used.length === 0, used.length === 0 ? 'None was used.' : `Used: ${used.map(labelOf).join(', ')}.`);
      }),
  }),
  defineScorer({
    names: ['trajectory:tool-sequence'],
    summary: 'The run used these tools in this order; others between them unless `mode` is `exact`.',
    source: SOURCE,
    direction: 'higher',
    needs: ['spans'],
    options: z.strictObject({
      value: z
        .union([
          z.array(Matcher).min(1),
          z.strictObject({ mode: z.enum(['in_order', 'exact']).default('in_order'), steps: z.array(Matcher).min(1) }),
        ])
        .transform((value) => (Array.isArray(value) ? { mode: 'in_order' as const, steps: value } : value))
        .describe('The steps, or { mode: in_order or exact, steps }'),
    }),
    score: (subject, { value: { mode, steps } }) =>
      withTools(subject, (tools) => {
        const wanted = steps.map(asTool);
        let next = 0;
        for (const tool of tools) {
          const matcher = wanted[next];
          if (matcher !== undefined && matchesStep(tool, matcher)) next++;
          else if (mode === 'exact') break;
        }
        const passed = next === wanted.length && (mode !== 'exact' || tools.length === wanted.length);
        return verdict(passed, `${passed ? 'As wanted' : `${next} of ${wanted.length} in order`}; used: ${listed(tools)}.`);
      }),
  }),
  defineScorer({
    names: ['trajectory:tool-args-match'],
    summary: 'Some call of this tool had these arguments: at least these, or exactly.',
    source: `${SOURCE} Arguments of \`ignore\` (patterns) are left out on both sides, those that equal \`defaults\` on the run’s.`,
    direction: 'higher',
    needs: ['spans'],
    options: z.strictObject({ value: Arguments.describe('{ name or pattern, args, mode: partial or exact, defaults, ignore }') }),
    score: (subject, { value }) =>
      withTools(subject, (tools) => {
        const isIgnored = (name: string): boolean =>
          value.ignore.some((entry) => entry === name || (/[*?]/.test(entry) && matchesGlob(name, entry)));
        const defaults = new Map(Object.entries(value.defaults));
        const isLeftOut = (name: string, member: JsonValue): boolean =>
          isIgnored(name) || (defaults.has(name) && isDeepStrictEqual(member, defaults.get(name)));
        const expected = without(value.args ?? value.arguments ?? null, isIgnored);
        const calls = tools.filter((step) => matchesStep(step, asTool(value)));
        const found = calls.some((step) => {
          if (step.arguments === null) return false;
          const actual = without(step.arguments, isLeftOut);
          return value.mode === 'exact' ? isDeepStrictEqual(actual, expected) : includesArguments(actual, expected);
        });
        const seen = calls
          .map((step) => JSON.stringify(step.arguments))
          .join(', ')
          .slice(0, 300);
        return verdict(
          found,
          found ? 'A call matches.' : calls.length === 0 ? `${labelOf(value)} was not called.` : `Arguments were: ${seen}.`,
        );
      }),
  }),
  defineScorer({
    names: ['trajectory:step-count'],
    summary: 'The run had so many steps, of all kinds or of one.',
    source: SOURCE,
    direction: 'higher',
    needs: ['spans'],
    options: z.strictObject({
      value: z
        .strictObject({ ...matcherFields, ...bounds })
        .refine(({ min, max }) => min !== undefined || max !== undefined, 'give min, max or both')
        .describe('{ min, max, and type, name or pattern to count only some }'),
    }),
    score: (subject, { value }) =>
      withSteps(subject, (steps) => {
        const count = steps.filter((step) => matchesStep(step, value)).length;
        return verdict(isCounted(count, value.min, value.max), `${count} steps.`);
      }),
  }),
];
