import { z } from 'zod';
import { type ChatRequest, type ChatTurn, type ToolChoice, type WireFailure, wireFailure } from '../chat-request.ts';
import { countTokens } from '../tokens.ts';
import { fingerprintOf, metadataFaultOf } from '../wire.ts';

const IMAGE_TOKENS = 1_200;
const DOCUMENT_TOKENS = 2_000;

const cacheControl = z.looseObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).nullish() }).nullish();
const block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  id: z.string().optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
  cache_control: cacheControl,
});
const content = z.union([z.string(), z.array(block)]);
const message = z.looseObject({ role: z.enum(['user', 'assistant', 'system']), content });

const bodyShape = {
  model: z.string(),
  messages: z.array(message).min(1),
  system: content.nullish(),
  stream: z.boolean().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  temperature: z.number().min(0).max(1).nullish(),
  tools: z
    .array(
      z.looseObject({
        name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
        description: z.string().nullish(),
        input_schema: z.unknown().optional(),
        cache_control: cacheControl,
      }),
    )
    .nullish(),
  tool_choice: z
    .looseObject({
      type: z.enum(['auto', 'any', 'tool', 'none']),
      name: z.string().optional(),
      disable_parallel_tool_use: z.boolean().nullish(),
    })
    .nullish(),
  thinking: z.looseObject({ type: z.enum(['enabled', 'adaptive', 'disabled']), budget_tokens: z.int().min(1_024).nullish() }).nullish(),
  output_config: z
    .looseObject({ format: z.looseObject({ type: z.literal('json_schema'), schema: z.unknown().optional() }).nullish() })
    .nullish(),
  metadata: z.unknown().optional(),
};
const body = z.looseObject({ ...bodyShape, max_tokens: z.int().min(1) });
/** `count_tokens` takes the same body without `max_tokens`. */
const countBody = z.looseObject({ ...bodyShape, max_tokens: z.int().min(1).nullish() });

type Block = z.output<typeof block>;

function markOf(control: z.output<typeof cacheControl>): ChatTurn['cacheMark'] {
  return control === null || control === undefined ? null : (control.ttl ?? '5m');
}

function resultText(value: unknown): string {
  if (typeof value === 'string') return value;
  const parsed = z.array(block).safeParse(value);
  return parsed.success ? parsed.data.map((item) => item.text ?? '').join('\n') : '';
}

/** One turn for each run of blocks; tool results become turns of their own, as in the other dialect. */
function turnsOf(role: 'user' | 'assistant' | 'system', value: string | readonly Block[]): ChatTurn[] {
  if (typeof value === 'string') return [{ role, text: value, extraTokens: 0, cacheMark: null }];
  const turns: ChatTurn[] = [];
  const texts: string[] = [];
  let extraTokens = 0;
  let cacheMark: ChatTurn['cacheMark'] = null;
  for (const item of value) {
    if (item.type === 'tool_result')
      turns.push({ role: 'tool', text: resultText(item.content), extraTokens: 0, cacheMark: markOf(item.cache_control) });
    else {
      if (item.type === 'text' && item.text !== undefined) texts.push(item.text);
      else if (item.type === 'tool_use') extraTokens += countTokens(item.name ?? '') + countTokens(JSON.stringify(item.input ?? {}));
      else if (item.type === 'image') extraTokens += IMAGE_TOKENS;
      else if (item.type === 'document') extraTokens += DOCUMENT_TOKENS;
      cacheMark = markOf(item.cache_control) ?? cacheMark;
    }
  }
  if (texts.length > 0 || extraTokens > 0) turns.push({ role, text: texts.join('\n'), extraTokens, cacheMark });
  return turns;
}

/** Says a schema's complaint in the provider's words: `messages.0.content: …`. */
function failureOf(error: z.ZodError): WireFailure {
  const [issue] = error.issues;
  const parameter = (issue?.path ?? []).map(String).join('.');
  const isMissing = issue?.code === 'invalid_type' && /received undefined/.test(issue.message);
  const message = isMissing ? 'Field required' : (issue?.message ?? 'not valid');
  return wireFailure(400, isMissing ? 'missing_parameter' : 'invalid', parameter === '' ? message : `${parameter}: ${message}`, {
    parameter,
  });
}

function toolOrderFailure(messages: readonly z.output<typeof message>[]): WireFailure | null {
  let open = new Set<string>();
  for (const [position, item] of messages.entries()) {
    const blocks = typeof item.content === 'string' ? [] : item.content;
    const results = blocks.filter((entry) => entry.type === 'tool_result').map((entry) => entry.tool_use_id ?? '');
    const stray = results.find((id) => !open.delete(id));
    if (stray !== undefined)
      return wireFailure(
        400,
        'invalid',
        `messages.${position}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    if (open.size > 0)
      return wireFailure(
        400,
        'invalid',
        `messages.${position}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${[...open].join(', ')}.`,
      );
    open = new Set(item.role === 'assistant' ? blocks.filter((entry) => entry.type === 'tool_use').map((entry) => entry.id ?? '') : []);
  }
  return null;
}

export type ParsedAnthropic = { readonly ok: true; readonly request: ChatRequest } | { readonly ok: false; readonly failure: WireFailure };

/** Reads the body of `POST /v1/messages` (or of its `count_tokens`), as strictly as the provider does. */
export function parseAnthropicRequest(raw: unknown, isCountOnly = false): ParsedAnthropic {
  const parsed = (isCountOnly ? countBody : body).safeParse(raw);
  if (!parsed.success) return { ok: false, failure: failureOf(parsed.error) };
  const value = parsed.data;
  if (value.messages[0]?.role === 'assistant')
    return { ok: false, failure: wireFailure(400, 'invalid', 'messages: first message must use the "user" role') };
  const orderFailure = toolOrderFailure(value.messages);
  if (orderFailure) return { ok: false, failure: orderFailure };
  const tools = (value.tools ?? []).map((tool) => ({
    name: tool.name,
    description: tool.description ?? '',
    parameters: tool.input_schema ?? { type: 'object' },
  }));
  const choice = value.tool_choice;
  const toolChoice: ToolChoice =
    choice?.type === 'any'
      ? { kind: 'required' }
      : choice?.type === 'tool'
        ? { kind: 'named', name: choice.name ?? '' }
        : { kind: choice?.type ?? 'auto' };
  if (toolChoice.kind === 'named' && !tools.some((tool) => tool.name === toolChoice.name))
    return { ok: false, failure: wireFailure(400, 'invalid', `tool_choice: Tool '${toolChoice.name}' not found in provided tools`) };
  const budget = value.thinking?.type === 'enabled' ? (value.thinking.budget_tokens ?? 1_024) : 0;
  if (value.max_tokens !== null && value.max_tokens !== undefined && budget >= value.max_tokens)
    return { ok: false, failure: wireFailure(400, 'invalid', '`max_tokens` must be greater than `thinking.budget_tokens`.') };
  const format = value.output_config?.format;
  return {
    ok: true,
    request: {
      model: value.model,
      turns: [
        ...(value.system === null || value.system === undefined ? [] : turnsOf('system', value.system)),
        ...value.messages.flatMap((item) => turnsOf(item.role, item.content)),
      ],
      tools,
      toolChoice,
      allowsParallelTools: !(choice?.disable_parallel_tool_use ?? false),
      maxOutputTokens: value.max_tokens ?? null,
      stop: value.stop_sequences ?? [],
      format: format === null || format === undefined ? { kind: 'text' } : { kind: 'json_schema', schema: format.schema },
      choiceCount: 1,
      showsThinking: value.thinking?.type === 'enabled' || value.thinking?.type === 'adaptive',
      caching: 'marked',
      isStream: value.stream ?? false,
      fingerprint: fingerprintOf(value),
      metadataFault: metadataFaultOf(value.metadata),
    },
  };
}
