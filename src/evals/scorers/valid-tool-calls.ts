import { z } from 'zod';
import { JsonSchemas } from '../json/json-schema.ts';
import { toolCallsOf } from '../output-tool-calls.ts';
import { type Score, unmeasured, verdict } from '../score.ts';
import { defineScorer, type OfferedTool, type Subject, type ToolCall } from '../scorer.ts';

const SCHEMAS = new JsonSchemas();

function mistakeOf(call: ToolCall, offered: readonly OfferedTool[]): string | null {
  const tool = offered.find(({ name }) => name === call.name);
  if (tool === undefined) return `${call.name} was not offered`;
  if (typeof call.arguments === 'string') return `the arguments of ${call.name} are no JSON`;
  if (typeof tool.parameters !== 'object' || tool.parameters === null) return null;
  const [mistake] = SCHEMAS.check(tool.parameters, call.arguments);
  return mistake === undefined ? null : `${call.name}: ${mistake.message}`;
}

function check(subject: Subject, most: number): Score {
  const calls = toolCallsOf(subject);
  if (calls.length === 0) return verdict(false, 'The answer calls nothing.');
  if (calls.length > most) return verdict(false, `The answer has ${calls.length} calls.`);
  const { offeredTools } = subject;
  if (offeredTools === undefined || offeredTools === null) return unmeasured('It is not known which tools the model was offered.');
  const mistake = calls.map((call) => mistakeOf(call, offeredTools)).find((each) => each !== null);
  return verdict(mistake === undefined, mistake ?? `${calls.length} valid calls.`);
}

const shared = { direction: 'higher', needs: [], options: z.strictObject({}) } as const;
const SOURCE = 'promptfoo: each call names a tool that was offered, and its arguments keep that tool’s JSON schema.';

export default [
  defineScorer({
    ...shared,
    names: ['is-valid-openai-tools-call'],
    summary: 'The answer calls tools, each that was offered and with arguments that keep its schema.',
    source: `${SOURCE} The text of a finished MCP call passes, that of a failed one does not.`,
    score(subject) {
      if (subject.output.includes('MCP Tool Error')) return verdict(false, 'An MCP tool call failed.');
      if (subject.output.includes('MCP Tool Result')) return verdict(true, 'An MCP tool call succeeded.');
      return check(subject, Number.POSITIVE_INFINITY);
    },
  }),
  defineScorer({
    ...shared,
    names: ['is-valid-openai-function-call', 'is-valid-function-call'],
    summary: 'The answer calls one function that was offered, with arguments that keep its schema.',
    source: SOURCE,
    score: (subject) => check(subject, 1),
  }),
];
