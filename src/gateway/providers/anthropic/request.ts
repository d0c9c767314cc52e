import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { encodeMessages } from './messages.ts';
import { type ModelTraits, modelTraits } from './model-traits.ts';
import { encodeThinking } from './thinking.ts';
import { encodeTools } from './tools.ts';
import type { AnthropicRequest, OutputConfig, Sampling, TextBlock } from './wire.ts';

/** Handled below, or without a meaning for the answer. */
const KNOWN = new Set([
  ...['model', 'messages', 'stream', 'stream_options', 'tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call'],
  ...['max_tokens', 'max_completion_tokens', 'reasoning_effort', 'thinking', 'temperature', 'top_p', 'top_k', 'stop', 'response_format'],
  ...['n', 'modalities', 'audio', 'user', 'safety_identifier', 'service_tier', 'metadata', 'store', 'plimsoll'],
]);

/** Values that ask for nothing, so that leaving them out is no loss. */
function isNeutral(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 0) return true;
  return isObject(value) && Object.keys(value).length === 0;
}

function refuseImpossible(body: JsonObject): void {
  if (body.n !== undefined && body.n !== null && body.n !== 1)
    refuse('n', `${JSON.stringify(body.n)} answers cannot be had from an Anthropic model, only 1`);
  if (isObject(body.audio) || (Array.isArray(body.modalities) && body.modalities.includes('audio')))
    refuse('modalities', 'an Anthropic model cannot answer with audio');
}

function number(body: JsonObject, name: string, minimum: number, maximum: number): number | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' || !(value >= minimum && value <= maximum))
    return refuse(name, `a number from ${minimum} to ${maximum} is needed`);
  return value;
}

function encodeSampling(body: JsonObject, traits: ModelTraits, isThinking: boolean, warnings: Set<string>): Sampling {
  let temperature = number(body, 'temperature', 0, 2);
  let topP = number(body, 'top_p', 0, 1);
  let topK = number(body, 'top_k', 0, Number.MAX_SAFE_INTEGER);
  const isAsked = temperature !== null || topP !== null || topK !== null;
  if (isAsked && (traits.sampling === 'none' || isThinking)) {
    const why = traits.sampling === 'none' ? 'this model takes none' : 'Anthropic takes none together with thinking';
    if ((temperature ?? 1) !== 1 || (topP ?? 1) !== 1 || topK !== null) warnings.add(`temperature, top_p and top_k are not sent: ${why}`);
    return {};
  }
  if (temperature !== null && temperature > 1) {
    warnings.add(`temperature ${temperature} was lowered to 1, Anthropic's highest`);
    temperature = 1;
  }
  if (traits.sampling === 'one' && temperature !== null && topP !== null) {
    if (topP !== 1) warnings.add('top_p is not sent: this model takes temperature or top_p, not both');
    topP = null;
  }
  if (topK === 0) topK = null;
  return {
    ...(temperature !== null ? { temperature } : {}),
    ...(topP !== null ? { top_p: topP } : {}),
    ...(topK !== null ? { top_k: topK } : {}),
  };
}

function encodeStop(stop: unknown, warnings: Set<string>): Pick<AnthropicRequest, 'stop_sequences'> {
  if (stop === undefined || stop === null) return {};
  const sequences: unknown[] = Array.isArray(stop) ? stop : [stop];
  const texts = sequences.map((text) => (typeof text === 'string' ? text : refuse('stop', 'a string or an array of strings is needed')));
  const usable = texts.filter((text) => text.trim() !== '');
  if (usable.length < texts.length) warnings.add('stop sequences of white space only are not sent: Anthropic refuses them');
  return usable.length > 0 ? { stop_sequences: usable } : {};
}

/** Anthropic wants every object of a schema closed; OpenAI's strict mode does too, its other mode leaves it open. */
function closeObjects(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closeObjects);
  if (!isObject(schema)) return schema;
  const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closeObjects(value)]));
  return schema.type === 'object' && isObject(schema.properties) && schema.additionalProperties === undefined
    ? { ...closed, additionalProperties: false }
    : closed;
}

/** `json_schema` → Anthropic's structured output. `json_object` has no counterpart: an instruction is added. */
function encodeFormat(
  format: unknown,
  traits: ModelTraits,
  warnings: Set<string>,
): { format: NonNullable<OutputConfig['format']> | null; instruction: TextBlock[] } {
  if (format === undefined || format === null || (isObject(format) && format.type === 'text')) return { format: null, instruction: [] };
  if (isObject(format) && format.type === 'json_object') {
    warnings.add('response_format json_object became an instruction: Anthropic guarantees JSON only for a json_schema');
    return { format: null, instruction: [{ type: 'text', text: 'Answer with one JSON object and nothing else.' }] };
  }
  if (!isObject(format) || format.type !== 'json_schema')
    return refuse('response_format.type', 'one of text, json_object, json_schema is needed');
  if (!traits.hasStructuredOutput)
    return refuse('response_format', 'this Anthropic model has no structured output; use claude-sonnet-4-5 or newer, or json_object');
  const schema = isObject(format.json_schema) ? format.json_schema.schema : undefined;
  if (!isObject(schema)) return refuse('response_format.json_schema.schema', 'a JSON schema is needed');
  return { format: { type: 'json_schema', schema: closeObjects(schema) as Record<string, unknown> }, instruction: [] };
}

function encodeServiceTier(tier: unknown, warnings: Set<string>): Pick<AnthropicRequest, 'service_tier'> {
  if (tier === undefined || tier === null || tier === 'auto') return {};
  if (tier === 'default') return { service_tier: 'standard_only' };
  warnings.add(`service_tier ${JSON.stringify(tier)} is not sent: Anthropic has only auto and default`);
  return {};
}

function systemPrompt(blocks: TextBlock[]): Pick<AnthropicRequest, 'system'> {
  if (blocks.length === 0) return {};
  const isPlain = blocks.every((block) => block.cache_control === undefined);
  return { system: isPlain ? blocks.map((block) => block.text).join('\n\n') : blocks };
}

/**
 * OpenAI chat request → body for `POST /v1/messages` (anthropic-version 2023-06-01).
 * @returns `warnings`: what was left out or changed, in words for the caller
 * @throws PlimsollError `invalid_argument` with `details.param` for what has no counterpart and would change the answer
 */
export function encodeRequest(body: JsonObject, upstreamModel: string): { body: AnthropicRequest; warnings: string[] } {
  const warnings = new Set<string>();
  refuseImpossible(body);
  for (const [name, value] of Object.entries(body))
    if (!KNOWN.has(name) && !isNeutral(value)) warnings.add(`${name} is not sent: Anthropic has no counterpart`);
  const traits = modelTraits(upstreamModel);
  const conversation = encodeMessages(body.messages, warnings);
  const tools = encodeTools(body, conversation.calledTools, traits.hasStructuredOutput, warnings);
  const { maxTokens, thinking, effort } = encodeThinking(body, traits, conversation.messages, tools.tool_choice, warnings);
  const { format, instruction } = encodeFormat(body.response_format, traits, warnings);
  const user = body.safety_identifier ?? body.user;
  const outputConfig: OutputConfig = { ...(effort !== null ? { effort } : {}), ...(format !== null ? { format } : {}) };
  const encoded: AnthropicRequest = {
    model: upstreamModel,
    max_tokens: maxTokens,
    ...systemPrompt([...conversation.system, ...instruction]),
    messages: conversation.messages,
    ...tools,
    ...(thinking !== null ? { thinking } : {}),
    ...encodeSampling(body, traits, thinking !== null && thinking.type !== 'disabled', warnings),
    ...encodeStop(body.stop, warnings),
    ...(Object.keys(outputConfig).length > 0 ? { output_config: outputConfig } : {}),
    ...(typeof user === 'string' && user !== '' ? { metadata: { user_id: user } } : {}),
    ...encodeServiceTier(body.service_tier, warnings),
    ...(body.stream === true ? { stream: true } : {}),
  };
  return { body: encoded, warnings: [...warnings] };
}
