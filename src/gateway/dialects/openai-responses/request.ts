import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { decodeInput } from './input.ts';
import { decodeTools } from './tools.ts';

/** Handled below, or without a meaning for the answer. */
const KNOWN = new Set([
  ...['model', 'input', 'instructions', 'stream', 'stream_options', 'tools', 'tool_choice', 'parallel_tool_calls', 'text', 'reasoning'],
  ...[
    'max_output_tokens',
    'temperature',
    'top_p',
    'metadata',
    'user',
    'safety_identifier',
    'service_tier',
    'store',
    'truncation',
    'include',
  ],
  ...['prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options', 'max_tool_calls', 'top_logprobs', 'background', 'plimsoll'],
]);

/** State and tools that live at OpenAI. */
const REFUSED: Readonly<Record<string, string>> = {
  previous_response_id: 'the conversation it continues is kept by the provider that answered before; send the earlier items in "input"',
  conversation: 'conversations are kept by OpenAI; send the earlier items in "input"',
  prompt: 'stored prompts are kept by OpenAI',
  context_management: 'OpenAI compacts the conversation itself; shorten "input" instead',
  moderation: 'OpenAI moderates itself',
};

/** Taken over under the same name. */
const SAME = ['temperature', 'top_p', 'metadata', 'user', 'safety_identifier', 'service_tier', 'prompt_cache_key'] as const;

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function refuseImpossible(body: JsonObject, warnings: Set<string>): void {
  for (const [name, value] of Object.entries(body)) {
    if (isAbsent(value)) continue;
    const why = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
    if (why !== undefined) refuse(name, `this can only be sent to a provider that speaks the Responses API: ${why}`);
    if (!KNOWN.has(name)) warnings.add(`${name} is not sent: the provider that answers has no counterpart`);
  }
  if (body.truncation === 'auto') warnings.add('truncation "auto" is not done: input that is too long is refused');
  if (body.store === true) warnings.add('the response is not stored: the provider that answers keeps none');
  if (typeof body.top_logprobs === 'number' && body.top_logprobs > 0)
    warnings.add('top_logprobs is not sent: log probabilities are not translated');
  if (Array.isArray(body.include))
    for (const wanted of body.include)
      if (wanted !== 'reasoning.encrypted_content') warnings.add(`include ${JSON.stringify(wanted)} is not in the answer`);
}

function decodeFormat(text: unknown): Record<string, unknown> {
  if (isAbsent(text)) return {};
  if (!isObject(text)) return refuse('text', 'an object is needed');
  const { format, verbosity } = text;
  const decoded: Record<string, unknown> = isAbsent(verbosity) ? {} : { verbosity };
  if (isAbsent(format)) return decoded;
  if (!isObject(format)) return refuse('text.format', 'an object is needed');
  if (format.type === 'text') return decoded;
  if (format.type === 'json_object') return { ...decoded, response_format: { type: 'json_object' } };
  if (format.type !== 'json_schema')
    return refuse('text.format.type', `"${String(format.type)}" is not one of text, json_object, json_schema`);
  const { type: _, ...schema } = format;
  if (!isObject(schema.schema)) return refuse('text.format.schema', 'a JSON schema is needed');
  return { ...decoded, response_format: { type: 'json_schema', json_schema: schema } };
}

function decodeReasoning(reasoning: unknown): Record<string, unknown> {
  if (isAbsent(reasoning)) return {};
  if (!isObject(reasoning)) return refuse('reasoning', 'an object is needed');
  return isAbsent(reasoning.effort) ? {} : { reasoning_effort: reasoning.effort };
}

/**
 * Body of `POST /v1/responses` → hub chat request.
 * @throws PlimsollError `invalid_argument` with `details.param` for what only a provider of the Responses API can do
 */
export function decodeRequest(body: JsonObject): { body: Record<string, unknown>; warnings: string[] } {
  const warnings = new Set<string>();
  refuseImpossible(body, warnings);
  const decoded: Record<string, unknown> = {
    model: body.model,
    messages: decodeInput(body, warnings),
    ...decodeTools(body),
    ...decodeFormat(body.text),
    ...decodeReasoning(body.reasoning),
  };
  if (!isAbsent(body.max_output_tokens)) decoded.max_completion_tokens = body.max_output_tokens;
  for (const name of SAME) if (!isAbsent(body[name])) decoded[name] = body[name];
  if (body.stream === true) decoded.stream = true;
  return { body: decoded, warnings: [...warnings] };
}
