import { z } from 'zod';
import { type ChatRequest, type ChatTurn, type ToolChoice, type WireFailure, wireFailure } from '../chat-request.ts';
import { isJsonObject } from '../schema-values.ts';
import { countTokens } from '../tokens.ts';
import { fingerprintOf, metadataFaultOf } from '../wire.ts';

/** What low-detail images and a second of sound cost at the real provider, in tokens. */
const IMAGE_TOKENS = 85;
const FILE_TOKENS = 400;

const part = z.looseObject({ type: z.string(), text: z.string().optional() });
const content = z.union([z.string(), z.array(part)]);
const toolCall = z.looseObject({
  id: z.string(),
  type: z.literal('function').optional(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});

const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('system'), content }),
  z.looseObject({ role: z.literal('developer'), content }),
  z.looseObject({ role: z.literal('user'), content }),
  z.looseObject({ role: z.literal('assistant'), content: content.nullish(), tool_calls: z.array(toolCall).nullish() }),
  z.looseObject({ role: z.literal('tool'), content, tool_call_id: z.string() }),
]);

const body = z.looseObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish(), continuous_usage_stats: z.boolean().nullish() }).nullish(),
  n: z.int().min(1).max(128).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function'),
        function: z.looseObject({
          name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
          description: z.string().nullish(),
          parameters: z.unknown().optional(),
        }),
      }),
    )
    .max(128)
    .nullish(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string() }) }),
    ])
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.looseObject({ type: z.literal('text') }),
      z.looseObject({ type: z.literal('json_object') }),
      z.looseObject({ type: z.literal('json_schema'), json_schema: z.looseObject({ name: z.string(), schema: z.unknown().optional() }) }),
    ])
    .nullish(),
  metadata: z.unknown().optional(),
});

export interface OpenAiOptions {
  readonly includesUsage: boolean;
  /** Usage so far on every chunk, as vLLM does when `stream_options.continuous_usage_stats` asks for it. */
  readonly continuousUsage: boolean;
  /** Alternatives for each token; null = no log probabilities. */
  readonly topLogprobs: number | null;
}

type Message = z.output<typeof message>;

function textOf(value: z.output<typeof content> | null | undefined): { text: string; extraTokens: number } {
  if (typeof value === 'string') return { text: value, extraTokens: 0 };
  let extraTokens = 0;
  const texts: string[] = [];
  for (const item of value ?? []) {
    if (item.text !== undefined) texts.push(item.text);
    else extraTokens += item.type === 'image_url' ? IMAGE_TOKENS : FILE_TOKENS;
  }
  return { text: texts.join('\n'), extraTokens };
}

function turnOf(item: Message): ChatTurn {
  const { text, extraTokens } = textOf(item.content);
  const calls = item.role === 'assistant' ? (item.tool_calls ?? []) : [];
  const callTokens = calls.reduce((sum, call) => sum + countTokens(call.function.name) + countTokens(call.function.arguments), 0);
  return { role: item.role === 'developer' ? 'system' : item.role, text, extraTokens: extraTokens + callTokens, cacheMark: null };
}

/** Says a schema's complaint in the provider's words. */
function failureOf(error: z.ZodError): WireFailure {
  const [issue] = error.issues;
  const parameter = (issue?.path ?? []).reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );
  if (issue?.code === 'invalid_type' && issue.input === undefined && /received undefined/.test(issue.message))
    return wireFailure(400, 'missing_parameter', `Missing required parameter: '${parameter}'.`, { parameter });
  if (parameter === '') return wireFailure(400, 'invalid', 'We could not parse the JSON body of your request: an object was expected.');
  return wireFailure(400, 'invalid', `Invalid value for '${parameter}': ${issue?.message ?? 'not valid'}.`, { parameter });
}

/** Each tool message must answer a call of an assistant message before it. */
function toolOrderFailure(messages: readonly Message[]): WireFailure | null {
  const open = new Set<string>();
  for (const [position, item] of messages.entries()) {
    if (item.role === 'assistant') for (const call of item.tool_calls ?? []) open.add(call.id);
    else if (item.role === 'tool') {
      if (!open.delete(item.tool_call_id))
        return wireFailure(
          400,
          'invalid',
          "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
          {
            parameter: `messages.[${position}].role`,
          },
        );
    } else if (open.size > 0)
      return wireFailure(
        400,
        'invalid',
        `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...open].join(', ')}`,
        {
          parameter: 'messages',
        },
      );
  }
  return null;
}

export type ParsedOpenAi =
  | { readonly ok: true; readonly request: ChatRequest; readonly options: OpenAiOptions }
  | { readonly ok: false; readonly failure: WireFailure };

/**
 * Reads the body of `POST /chat/completions`, as strictly as the provider does.
 * @param deployment the model that the path names (Azure); null = the body names it
 */
export function parseOpenAiRequest(raw: unknown, deployment: string | null): ParsedOpenAi {
  const parsed = body.safeParse(deployment !== null && isJsonObject(raw) ? { ...raw, model: deployment } : raw);
  if (!parsed.success) return { ok: false, failure: failureOf(parsed.error) };
  const value = parsed.data;
  const orderFailure = toolOrderFailure(value.messages);
  if (orderFailure) return { ok: false, failure: orderFailure };
  if (value.response_format?.type === 'json_object' && !/json/i.test(JSON.stringify(value.messages)))
    return {
      ok: false,
      failure: wireFailure(
        400,
        'invalid',
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        { parameter: 'messages' },
      ),
    };
  const tools = (value.tools ?? []).map(({ function: tool }) => ({
    name: tool.name,
    description: tool.description ?? '',
    parameters: tool.parameters ?? { type: 'object' },
  }));
  const choice = value.tool_choice;
  const toolChoice: ToolChoice =
    choice === null || choice === undefined
      ? { kind: 'auto' }
      : typeof choice === 'string'
        ? { kind: choice }
        : { kind: 'named', name: choice.function.name };
  if (toolChoice.kind !== 'auto' && toolChoice.kind !== 'none' && tools.length === 0)
    return {
      ok: false,
      failure: wireFailure(400, 'invalid', "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.", {
        parameter: 'tool_choice',
      }),
    };
  if (toolChoice.kind === 'named' && !tools.some((tool) => tool.name === toolChoice.name))
    return {
      ok: false,
      failure: wireFailure(400, 'invalid', `Tool choice '${toolChoice.name}' not found in 'tools' parameter.`, {
        parameter: 'tool_choice',
      }),
    };
  const format = value.response_format;
  return {
    ok: true,
    request: {
      model: value.model,
      turns: value.messages.map(turnOf),
      tools,
      toolChoice,
      allowsParallelTools: value.parallel_tool_calls ?? true,
      maxOutputTokens: value.max_completion_tokens ?? value.max_tokens ?? null,
      stop: typeof value.stop === 'string' ? [value.stop] : (value.stop ?? []),
      format:
        format?.type === 'json_schema'
          ? { kind: 'json_schema', schema: format.json_schema.schema ?? { type: 'object' } }
          : { kind: format?.type ?? 'text' },
      choiceCount: value.n ?? 1,
      showsThinking: false,
      caching: 'automatic',
      isStream: value.stream ?? false,
      fingerprint: fingerprintOf(value),
      metadataFault: metadataFaultOf(value.metadata),
    },
    options: {
      includesUsage: value.stream_options?.include_usage ?? false,
      continuousUsage: value.stream_options?.continuous_usage_stats ?? false,
      topLogprobs: value.logprobs ? (value.top_logprobs ?? 0) : null,
    },
  };
}
