import { z } from 'zod';
import { type AnswerFormat, type ChatRequest, type ChatTurn, type ToolChoice, type WireFailure, wireFailure } from '../chat-request.ts';
import type { ResponseMemory } from '../response-memory.ts';
import { countTokens } from '../tokens.ts';
import { fingerprintOf, metadataFaultOf } from '../wire.ts';

const IMAGE_TOKENS = 85;
const FILE_TOKENS = 400;

const part = z.looseObject({ type: z.string(), text: z.string().optional(), refusal: z.string().optional() });
const content = z.union([z.string(), z.array(part)]);
const item = z.union([
  z.looseObject({ type: z.literal('message').optional(), role: z.enum(['user', 'assistant', 'system', 'developer']), content }),
  z.looseObject({ type: z.literal('function_call'), call_id: z.string(), name: z.string(), arguments: z.string() }),
  z.looseObject({ type: z.literal('function_call_output'), call_id: z.string(), output: content }),
  z.looseObject({ type: z.literal('reasoning') }),
]);
const format = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({ type: z.literal('json_schema'), name: z.string(), schema: z.unknown() }),
]);
const tool = z.union([
  z.looseObject({
    type: z.literal('function'),
    name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
    description: z.string().nullish(),
    parameters: z.unknown().optional(),
  }),
  z.looseObject({
    type: z.enum(['web_search', 'web_search_preview', 'file_search', 'code_interpreter', 'image_generation', 'mcp', 'custom']),
  }),
]);
const body = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(item)]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
  max_output_tokens: z.int().min(16).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: z.union([z.enum(['auto', 'none', 'required']), z.looseObject({ type: z.literal('function'), name: z.string() })]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.looseObject({ format: format.nullish() }).nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish(), summary: z.string().nullish() }).nullish(),
  metadata: z.unknown().optional(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
});
export type ResponsesBody = z.output<typeof body>;
type Item = z.output<typeof item>;

/** Members of the Chat Completions API that this one does not have: the provider refuses them. */
const FOREIGN = [
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'stop',
  'n',
  'response_format',
  'stream_options.include_usage',
  'functions',
];

function textOf(value: z.output<typeof content>): { readonly text: string; readonly extraTokens: number } {
  if (typeof value === 'string') return { text: value, extraTokens: 0 };
  const texts = value.flatMap((piece) => piece.text ?? piece.refusal ?? []);
  const extraTokens = value.reduce(
    (sum, { type }) => sum + (type === 'input_image' ? IMAGE_TOKENS : type === 'input_file' ? FILE_TOKENS : 0),
    0,
  );
  return { text: texts.join('\n'), extraTokens };
}

function turnsOf(items: readonly Item[]): ChatTurn[] {
  return items.flatMap((entry): ChatTurn[] => {
    if ('role' in entry && entry.content !== undefined) {
      const role = entry.role === 'developer' ? 'system' : entry.role;
      return [{ role: role as ChatTurn['role'], ...textOf(entry.content as z.output<typeof content>), cacheMark: null }]; // a loose object hides what its schema checked
    }
    switch (entry.type) {
      case 'function_call':
        return [
          { role: 'assistant', text: '', extraTokens: countTokens(`${entry.name}`) + countTokens(`${entry.arguments}`), cacheMark: null },
        ];
      case 'function_call_output':
        return [{ role: 'tool', ...textOf(entry.output as z.output<typeof content>), cacheMark: null }]; // as above
      default:
        return []; // reasoning that comes back is not read again
    }
  });
}

/** Every result must answer a call of the input or of the stored conversation. */
function unanswered(items: readonly Item[], known: ReadonlySet<string>): string | null {
  const calls = new Set(known);
  for (const entry of items) {
    if (entry.type === 'function_call') calls.add(`${entry.call_id}`);
    else if (entry.type === 'function_call_output' && !calls.has(`${entry.call_id}`)) return `${entry.call_id}`;
  }
  return null;
}

function formatOf(value: z.output<typeof format> | null | undefined): AnswerFormat {
  return value?.type === 'json_schema' ? { kind: 'json_schema', schema: value.schema } : { kind: value?.type ?? 'text' };
}

function failure(message: string, parameter: string): { readonly ok: false; readonly failure: WireFailure } {
  return { ok: false, failure: wireFailure(400, 'invalid', message, { parameter }) };
}

export type ParsedResponses =
  | { readonly ok: true; readonly request: ChatRequest; readonly value: ResponsesBody }
  | { readonly ok: false; readonly failure: WireFailure };

/** Reads the body of `POST /v1/responses`, with the conversation that `previous_response_id` names before it. */
export function parseResponsesRequest(raw: unknown, memory: ResponseMemory): ParsedResponses {
  const parsed = body.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const parameter = (issue?.path ?? []).map(String).join('.');
    const isMissing = issue?.code === 'invalid_type' && /received undefined/.test(issue.message);
    return isMissing
      ? { ok: false, failure: wireFailure(400, 'missing_parameter', `Missing required parameter: '${parameter}'.`, { parameter }) }
      : failure(`Invalid value for '${parameter}': ${issue?.message ?? 'not valid'}.`, parameter);
  }
  const value = parsed.data;
  const foreign = FOREIGN.find((name) => value[name] !== undefined);
  if (foreign !== undefined)
    return failure(`Unsupported parameter: '${foreign}'. In the Responses API, this parameter has moved or does not exist.`, foreign);
  const previousId = value.previous_response_id ?? null;
  const previous = previousId === null ? null : memory.get(previousId);
  if (previousId !== null && previous === null)
    return {
      ok: false,
      failure: wireFailure(400, 'not_found', `Previous response with id '${previousId}' not found.`, { parameter: 'previous_response_id' }),
    };
  const items: Item[] = typeof value.input === 'string' ? [{ role: 'user', content: value.input }] : value.input;
  const stray = unanswered(items, previous?.callIds ?? new Set());
  if (stray !== null) return failure(`No tool call found for function call output with call_id ${stray}.`, 'input');
  const tools = (value.tools ?? []).flatMap((entry) =>
    entry.type === 'function' && 'name' in entry
      ? [{ name: `${entry.name}`, description: `${entry.description ?? ''}`, parameters: entry.parameters ?? { type: 'object' } }]
      : [],
  );
  const choice = value.tool_choice;
  const toolChoice: ToolChoice =
    choice === null || choice === undefined
      ? { kind: 'auto' }
      : typeof choice === 'string'
        ? { kind: choice }
        : { kind: 'named', name: choice.name };
  if (toolChoice.kind === 'named' && !tools.some(({ name }) => name === toolChoice.name))
    return failure(`Tool choice '${toolChoice.name}' not found in 'tools' parameter.`, 'tool_choice');
  const instructions: ChatTurn[] =
    value.instructions === null || value.instructions === undefined
      ? []
      : [{ role: 'system', text: value.instructions, extraTokens: 0, cacheMark: null }];
  return {
    ok: true,
    value,
    request: {
      model: value.model,
      // Instructions of earlier answers do not carry over.
      turns: [...instructions, ...(previous?.turns ?? []), ...turnsOf(items)],
      tools,
      toolChoice,
      allowsParallelTools: value.parallel_tool_calls ?? true,
      maxOutputTokens: value.max_output_tokens ?? null,
      stop: [],
      format: formatOf(value.text?.format),
      choiceCount: 1,
      showsThinking: false,
      caching: 'automatic',
      isStream: value.stream ?? false,
      // The same words after another conversation are another request.
      fingerprint: fingerprintOf({ ...value, previous: previous?.turns.map(({ text }) => text) ?? null, previous_response_id: null }),
      metadataFault: metadataFaultOf(value.metadata),
    },
  };
}

/** The turns that this request and its answer add to the conversation. */
export function addedTurns(value: ResponsesBody, request: ChatRequest, answer: ChatTurn): readonly ChatTurn[] {
  return [...request.turns.slice(value.instructions === null || value.instructions === undefined ? 0 : 1), answer];
}
