import { z } from 'zod';
import { type AnswerFormat, type ChatRequest, type ChatTurn, type ToolChoice, type WireFailure, wireFailure } from '../chat-request.ts';
import { countTokens } from '../tokens.ts';
import { fingerprintOf, metadataFaultOf } from '../wire.ts';

const IMAGE_TOKENS = 256;

const part = z.looseObject({
  type: z.enum(['text', 'image_url', 'document', 'thinking']),
  text: z.string().optional(),
  thinking: z.string().optional(),
  document: z.unknown().optional(),
});
const content = z.union([z.string(), z.array(part)]);
const toolCall = z.looseObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});
const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('system'), content }),
  z.looseObject({ role: z.literal('user'), content }),
  z.looseObject({
    role: z.literal('assistant'),
    content: content.nullish(),
    tool_plan: z.string().nullish(),
    tool_calls: z.array(toolCall).nullish(),
  }),
  z.looseObject({ role: z.literal('tool'), content, tool_call_id: z.string() }),
]);
const body = z.looseObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  max_tokens: z.int().min(1).nullish(),
  stop_sequences: z.array(z.string()).max(5).nullish(),
  temperature: z.number().min(0).max(1).nullish(),
  p: z.number().min(0.01).max(0.99).nullish(),
  k: z.int().min(0).max(500).nullish(),
  seed: z.int().nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function'),
        function: z.looseObject({ name: z.string(), description: z.string().nullish(), parameters: z.unknown().optional() }),
      }),
    )
    .nullish(),
  tool_choice: z.enum(['REQUIRED', 'NONE']).nullish(),
  response_format: z
    .looseObject({ type: z.enum(['text', 'json_object']), json_schema: z.unknown().optional(), schema: z.unknown().optional() })
    .nullish(),
  thinking: z.looseObject({ type: z.enum(['enabled', 'disabled']), token_budget: z.int().nullish() }).nullish(),
  metadata: z.unknown().optional(),
});
type Message = z.output<typeof message>;

function turnOf(item: Message): ChatTurn {
  let extraTokens = 0;
  const texts: string[] = [];
  if (typeof item.content === 'string') texts.push(item.content);
  else
    for (const piece of item.content ?? []) {
      if (piece.type === 'text') texts.push(piece.text ?? '');
      else if (piece.type === 'document') texts.push(JSON.stringify(piece.document ?? {}));
      else if (piece.type === 'image_url') extraTokens += IMAGE_TOKENS;
    }
  if (item.role === 'assistant') {
    extraTokens += countTokens(item.tool_plan ?? '');
    for (const call of item.tool_calls ?? []) extraTokens += countTokens(call.function.name) + countTokens(call.function.arguments);
  }
  return { role: item.role, text: texts.join('\n'), extraTokens, cacheMark: null };
}

/** Results of tools must answer calls of the assistant before them. */
function toolOrderFailure(messages: readonly Message[]): WireFailure | null {
  const open = new Set<string>();
  for (const item of messages) {
    if (item.role === 'assistant') for (const call of item.tool_calls ?? []) open.add(call.id);
    else if (item.role === 'tool' && !open.delete(item.tool_call_id))
      return wireFailure(400, 'invalid', `invalid tool message: tool_call_id '${item.tool_call_id}' not found in the previous tool calls`);
    else if (item.role === 'user' && open.size > 0)
      return wireFailure(400, 'invalid', `tool calls found without tool results: ${[...open].join(', ')}`);
  }
  return null;
}

function formatOf(format: z.output<typeof body>['response_format']): AnswerFormat {
  if (format?.type !== 'json_object') return { kind: 'text' };
  const schema = format.json_schema ?? format.schema;
  return schema === undefined ? { kind: 'json_object' } : { kind: 'json_schema', schema };
}

export type ParsedCohere = { readonly ok: true; readonly request: ChatRequest } | { readonly ok: false; readonly failure: WireFailure };

/** Reads the body of `POST /v2/chat`. */
export function parseCohereRequest(raw: unknown): ParsedCohere {
  const parsed = body.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const parameter = (issue?.path ?? []).map(String).join('.');
    return {
      ok: false,
      failure: wireFailure(400, 'invalid', `invalid request: ${parameter}: ${issue?.message ?? 'not valid'}`, { parameter }),
    };
  }
  const value = parsed.data;
  const orderFailure = toolOrderFailure(value.messages);
  if (orderFailure !== null) return { ok: false, failure: orderFailure };
  const toolChoice: ToolChoice = { kind: value.tool_choice === 'REQUIRED' ? 'required' : value.tool_choice === 'NONE' ? 'none' : 'auto' };
  if (toolChoice.kind === 'required' && (value.tools ?? []).length === 0)
    return {
      ok: false,
      failure: wireFailure(400, 'invalid', 'invalid request: tool_choice can only be specified when tools are provided'),
    };
  return {
    ok: true,
    request: {
      model: value.model,
      turns: value.messages.map(turnOf),
      tools: (value.tools ?? []).map(({ function: tool }) => ({
        name: tool.name,
        description: tool.description ?? '',
        parameters: tool.parameters ?? { type: 'object' },
      })),
      toolChoice,
      allowsParallelTools: true,
      maxOutputTokens: value.max_tokens ?? null,
      stop: value.stop_sequences ?? [],
      format: formatOf(value.response_format),
      choiceCount: 1,
      showsThinking: value.thinking?.type === 'enabled',
      caching: 'automatic',
      isStream: value.stream ?? false,
      fingerprint: fingerprintOf(value),
      metadataFault: metadataFaultOf(value.metadata),
    },
  };
}
