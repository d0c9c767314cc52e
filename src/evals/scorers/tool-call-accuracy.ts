import { z } from 'zod';
import { canonicalJson } from '../../datasets/json-value.ts';
import { toolCallsOf } from '../output-tool-calls.ts';
import { measured } from '../score.ts';
import { defineScorer, type JsonValue, type ToolCall } from '../scorer.ts';
import { ExpectedCalls } from './tool-call-f1.ts';

function members(value: JsonValue): Map<string, JsonValue> {
  return new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
}

/** Share of the expected arguments that were given so; all right where none is expected and none given. */
function argumentShare(actual: ToolCall, expected: ToolCall): number {
  const [given, wanted] = [members(actual.arguments), members(expected.arguments)];
  if (wanted.size === 0) return given.size === 0 ? 1 : 0;
  const right = [...wanted].filter(([name, value]) => given.has(name) && canonicalJson(given.get(name)) === canonicalJson(value)).length;
  return right / wanted.size;
}

function sorted(calls: readonly ToolCall[]): ToolCall[] {
  const key = ({ name, arguments: given }: ToolCall): string => `${name}\n${canonicalJson(given)}`;
  return [...calls].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

export default defineScorer({
  names: ['tool-call-accuracy'],
  summary: 'The right tools were called in the right order; and then, how many of the arguments are right.',
  source:
    'ragas ToolCallAccuracy: 0 unless the names are the expected ones in their order; else the mean over the expected calls of the share of expected arguments that are equal. Arguments beyond the expected ones cost nothing. No call where none is expected is 1.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({
    value: ExpectedCalls.describe('Calls that should be made: [{ name, arguments }]'),
    strictOrder: z.boolean().default(true).describe('Whether the order of the calls counts'),
    threshold: z.number().min(0).max(1).optional().describe('Least accuracy that passes; without one nothing is demanded'),
  }),
  score(subject, { value, strictOrder, threshold }) {
    const actual = strictOrder ? toolCallsOf(subject) : sorted(toolCallsOf(subject));
    const expected = strictOrder ? value : sorted(value);
    const isAligned = actual.length === expected.length && expected.every(({ name }, index) => actual[index]?.name === name);
    const shares = expected.map((call, index) => argumentShare(actual[index] ?? { name: '', arguments: {} }, call));
    const score = !isAligned ? 0 : shares.length === 0 ? 1 : shares.reduce((sum, each) => sum + each, 0) / shares.length;
    const called =
      actual
        .map(({ name }) => name)
        .join(', ')
        .slice(0, 300) || 'nothing';
    return measured(
      score,
      threshold === undefined ? null : score >= threshold,
      isAligned ? `The expected calls; arguments right: ${score.toFixed(4)}.` : `Other calls than expected: ${called}.`,
    );
  },
});
