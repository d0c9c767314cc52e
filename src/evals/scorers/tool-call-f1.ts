import { z } from 'zod';
import { canonicalJson } from '../../datasets/json-value.ts';
import { Json } from '../option-schemas.ts';
import { toolCallsOf } from '../output-tool-calls.ts';
import { measured, type Score, unmeasured } from '../score.ts';
import { defineScorer, type ToolCall } from '../scorer.ts';
import { f1 } from '../text/word-overlap.ts';

function compare(expected: ReadonlySet<string>, actual: ReadonlySet<string>, threshold: number | undefined): Score {
  const shared = [...expected].filter((each) => actual.has(each)).length;
  const precision = actual.size === 0 ? 0 : shared / actual.size;
  const recall = shared / expected.size;
  const score = f1(precision, recall);
  const called = [...actual].sort().join(', ').slice(0, 300) || 'nothing';
  return measured(score, threshold === undefined ? null : score >= threshold, `F1 ${score.toFixed(4)}; called: ${called}.`, [
    { name: 'precision', value: precision },
    { name: 'recall', value: recall },
  ]);
}

const Names = z.union([
  z.array(z.unknown()).min(1),
  z
    .string()
    .min(1)
    .transform((text) => text.split(',').map((name) => name.trim())),
]);

export const ExpectedCalls = z.array(
  z
    .strictObject({ name: z.string(), arguments: Json.optional(), args: Json.optional() })
    .transform(({ name, arguments: given, args }): ToolCall => ({ name, arguments: given ?? args ?? {} })),
);

function keyOf({ name, arguments: given }: ToolCall): string {
  return `${name}(${canonicalJson(given)})`;
}

const names = {
  needs: [],
  direction: 'higher',
  options: z.strictObject({
    value: Names.describe('Names of the tools that should be called, as a list or between commas'),
    threshold: z.number().default(1).describe('Least F1 that passes'),
  }),
} as const;

export default [
  defineScorer({
    ...names,
    names: ['tool-call-f1'],
    summary: 'Which tools were called against which should be, by name, whatever the order: F1 of precision and recall.',
    source: 'promptfoo; van Rijsbergen 1979. Each name counts once. `not-` turns the verdict and leaves the number, as there.',
    score(subject, { value, threshold }) {
      return compare(new Set(value.map(String)), new Set(toolCallsOf(subject).map(({ name }) => name)), threshold);
    },
    scoreNegated(subject, { value, threshold }) {
      const plain = compare(new Set(value.map(String)), new Set(toolCallsOf(subject).map(({ name }) => name)), threshold);
      return plain.state === 'measured' ? { ...plain, passed: !plain.passed } : plain;
    },
  }),
  defineScorer({
    names: ['tool-call-argument-f1'],
    summary: 'Which calls were made against which should be, by name and arguments, whatever the order: F1 of precision and recall.',
    source: 'ragas ToolCallF1, without its rounding to two or four places. Each call counts once.',
    direction: 'higher',
    needs: [],
    options: z.strictObject({
      value: ExpectedCalls.describe('Calls that should be made: [{ name, arguments }]'),
      threshold: z.number().min(0).max(1).optional().describe('Least F1 that passes; without one nothing is demanded'),
    }),
    score(subject, { value, threshold }) {
      if (value.length === 0) return unmeasured('No call is expected: there is no recall of nothing.');
      return compare(new Set(value.map(keyOf)), new Set(toolCallsOf(subject).map(keyOf)), threshold);
    },
  }),
];
