import { type JsonObject, refuse } from '../../hub/json.ts';
import { readMessages } from '../../hub/messages.ts';
import {
  present,
  readCapped,
  readFormat,
  readNumber,
  readOutputLimit,
  readStop,
  refuseOtherAnswers,
  warnOfUnknown,
} from '../../hub/parameters.ts';
import { type HubTools, readTools } from '../../hub/tools.ts';
import { type ModelTraits, modelTraits } from '../anthropic/model-traits.ts';
import { encodeMessages, isToolLoopWithoutThinking } from './messages.ts';
import { encodeThinking } from './thinking.ts';
import type { BedrockRequest } from './wire.ts';

const PROVIDER = 'Bedrock';
const KNOWN = new Set(['temperature', 'top_p', 'top_k', 'reasoning_effort', 'thinking', 'service_tier']);
const MAX_STOP_SEQUENCES = 2500;
const JSON_INSTRUCTION = 'Answer with one JSON object and nothing else.';
/** Models that are not Claude take sampling as it comes; what they cannot say is refused by Bedrock itself. */
const OTHER_MODEL: ModelTraits = { sampling: 'free', thinking: 'none', hasStructuredOutput: true };

function encodeTools(
  { tools, choice, isParallel }: HubTools,
  hasToolCalls: boolean,
  canBeStrict: boolean,
  warnings: Set<string>,
): Pick<BedrockRequest, 'toolConfig'> {
  if (tools.length === 0) {
    if (hasToolCalls) refuse('tools', 'the conversation holds tool calls: Bedrock then needs the tools that were called');
    return {};
  }
  if (choice === 'none') {
    if (hasToolCalls) refuse('tool_choice', '"none" cannot be said to Bedrock in a conversation that holds tool calls');
    return {};
  }
  if (!isParallel) warnings.add('parallel_tool_calls false is not sent: Bedrock has no counterpart');
  if (!canBeStrict && tools.some((tool) => tool.isStrict))
    warnings.add('tools[].function.strict is not sent: this model has no strict tool arguments');
  return {
    toolConfig: {
      tools: tools.map(({ name, description, parameters, isStrict }) => ({
        toolSpec: {
          name,
          ...(description === null ? {} : { description }),
          inputSchema: { json: { ...parameters, type: 'object' } },
          ...(isStrict && canBeStrict ? { strict: true } : {}),
        },
      })),
      ...(choice === null
        ? {}
        : { toolChoice: choice === 'auto' ? { auto: {} } : choice === 'required' ? { any: {} } : { tool: { name: choice.name } } }),
    },
  };
}

/** `json_schema` → structured output. `json_object` has no counterpart: an instruction is added. */
function encodeFormat(
  body: JsonObject,
  traits: ModelTraits,
  warnings: Set<string>,
): { output: Pick<BedrockRequest, 'outputConfig'>; instruction: string | null } {
  const format = readFormat(body);
  if (format.kind === 'text') return { output: {}, instruction: null };
  if (format.kind === 'json') {
    warnings.add('response_format json_object became an instruction: Bedrock guarantees JSON only for a json_schema');
    return { output: {}, instruction: JSON_INSTRUCTION };
  }
  if (!traits.hasStructuredOutput) return refuse('response_format', 'this model has no structured output at Bedrock; use json_object');
  const { schema, name, description } = format;
  const jsonSchema = { schema: JSON.stringify(schema), name, ...(description === null ? {} : { description }) };
  return { output: { outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema } } } }, instruction: null };
}

function encodeSampling(
  body: JsonObject,
  traits: ModelTraits,
  isThinking: boolean,
  warnings: Set<string>,
): { temperature: number | null; topP: number | null; topK: number | null } {
  const temperature = readCapped(body, 'temperature', 0, 2, 1, warnings);
  const topP = readNumber(body, 'top_p', 0, 1);
  const topK = readNumber(body, 'top_k', 0, Number.MAX_SAFE_INTEGER);
  if (traits.sampling === 'none' || isThinking) {
    if ((temperature ?? 1) !== 1 || (topP ?? 1) !== 1 || (topK ?? 0) !== 0)
      warnings.add(
        `temperature, top_p and top_k are not sent: ${isThinking ? 'the model takes none while it thinks' : 'this model takes none'}`,
      );
    return { temperature: null, topP: null, topK: null };
  }
  if (traits.sampling === 'one' && temperature !== null && topP !== null) {
    if (topP !== 1) warnings.add('top_p is not sent: this model takes temperature or top_p, not both');
    return { temperature, topP: null, topK };
  }
  return { temperature, topP, topK };
}

/** `top_k` is no member of Converse: families take it among their own fields. */
function encodeTopK(topK: number | null, upstreamModel: string, warnings: Set<string>): Readonly<Record<string, unknown>> {
  if (topK === null || topK === 0) return {};
  if (/anthropic\.claude/i.test(upstreamModel)) return { top_k: topK };
  if (/amazon\.nova/i.test(upstreamModel)) return { inferenceConfig: { topK } };
  warnings.add('top_k is not sent: this model has no such setting at Bedrock');
  return {};
}

function encodeServiceTier({ service_tier: tier }: JsonObject, warnings: Set<string>): Pick<BedrockRequest, 'serviceTier'> {
  if (tier === undefined || tier === null || tier === 'auto') return {};
  if (tier === 'priority' || tier === 'default' || tier === 'flex') return { serviceTier: { type: tier } };
  warnings.add(`service_tier ${JSON.stringify(tier)} is not sent: Bedrock has priority, default and flex`);
  return {};
}

/**
 * Hub chat request → body of Converse and ConverseStream; the model and whether it streams stand in the path.
 * @throws PlimsollError `invalid_argument` with `details.param` for what has no counterpart and would change the answer
 */
export function encodeRequest(body: JsonObject, upstreamModel: string): { body: BedrockRequest; warnings: string[] } {
  const warnings = new Set<string>();
  refuseOtherAnswers(body, PROVIDER);
  warnOfUnknown(body, PROVIDER, KNOWN, warnings);
  const isClaude = /anthropic\.claude/i.test(upstreamModel);
  const traits = isClaude ? modelTraits(upstreamModel) : OTHER_MODEL;
  const { system, messages, hasToolCalls } = encodeMessages(
    readMessages(body.messages, warnings),
    isClaude || /amazon\.nova/i.test(upstreamModel),
    warnings,
  );
  const tools = readTools(body);
  const maxTokens = readOutputLimit(body);
  const isForced = tools.choice === 'required' || (typeof tools.choice === 'object' && tools.choice !== null);
  const situation = { outputLimit: maxTokens, isForced, isToolLoopWithoutThinking: isToolLoopWithoutThinking(messages) };
  const thinking = encodeThinking(body, upstreamModel, situation, warnings);
  const { temperature, topP, topK } = encodeSampling(body, traits, 'thinking' in thinking, warnings);
  const { output, instruction } = encodeFormat(body, traits, warnings);
  const stopSequences = readStop(body, MAX_STOP_SEQUENCES);
  const inferenceConfig = present({ maxTokens, temperature, topP, stopSequences: stopSequences.length > 0 ? stopSequences : null });
  const fields = { ...thinking, ...encodeTopK(topK, upstreamModel, warnings) };
  const prompt = instruction === null ? system : [...system, { text: instruction }];
  const encoded: BedrockRequest = {
    messages,
    ...(prompt.length > 0 ? { system: prompt } : {}),
    ...(Object.keys(inferenceConfig).length > 0 ? { inferenceConfig } : {}),
    ...encodeTools(tools, hasToolCalls, traits.hasStructuredOutput, warnings),
    ...output,
    ...encodeServiceTier(body, warnings),
    ...(Object.keys(fields).length > 0 ? { additionalModelRequestFields: fields } : {}),
  };
  return { body: encoded, warnings: [...warnings] };
}
