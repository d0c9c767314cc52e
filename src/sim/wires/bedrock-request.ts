import { z } from 'zod';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { type ChatRequest, type ChatTurn, type ToolChoice, type WireFailure, wireFailure } from '../chat-request.ts';
import { isJsonObject } from '../schema-values.ts';
import { countTokens } from '../tokens.ts';
import { fingerprintOf } from '../wire.ts';

const IMAGE_TOKENS = 1_200;
const DOCUMENT_TOKENS = 2_000;

const cachePoint = z.looseObject({ type: z.literal('default'), ttl: z.enum(['5m', '1h']).optional() }).optional();
const block = z.looseObject({
  text: z.string().optional(),
  image: z.unknown().optional(),
  document: z.unknown().optional(),
  toolUse: z.looseObject({ toolUseId: z.string(), name: z.string(), input: z.unknown() }).optional(),
  toolResult: z
    .looseObject({
      toolUseId: z.string(),
      content: z.array(z.looseObject({ text: z.string().optional(), json: z.unknown().optional() })),
      status: z.enum(['success', 'error']).optional(),
    })
    .optional(),
  reasoningContent: z.unknown().optional(),
  cachePoint,
});
const message = z.strictObject({ role: z.enum(['user', 'assistant']), content: z.array(block).min(1) });

/** Like the service, unknown members are refused at the top, in messages and in `inferenceConfig`. */
/** The schema of an answer comes as text. */
const jsonText = z.string().transform((text, context): unknown => {
  try {
    return parseJsonText(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'not valid JSON' });
    return z.NEVER;
  }
});

const body = z.strictObject({
  messages: z.array(message).min(1),
  system: z.array(z.looseObject({ text: z.string().optional(), cachePoint })).optional(),
  inferenceConfig: z
    .strictObject({
      maxTokens: z.int().min(1).optional(),
      temperature: z.number().min(0).max(1).optional(),
      topP: z.number().min(0).max(1).optional(),
      stopSequences: z.array(z.string()).optional(),
    })
    .optional(),
  toolConfig: z
    .strictObject({
      tools: z
        .array(
          z.looseObject({
            toolSpec: z
              .looseObject({
                name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
                description: z.string().min(1).optional(),
                inputSchema: z.looseObject({ json: z.unknown() }),
              })
              .optional(),
            cachePoint,
          }),
        )
        .min(1),
      toolChoice: z
        .looseObject({ auto: z.unknown().optional(), any: z.unknown().optional(), tool: z.looseObject({ name: z.string() }).optional() })
        .optional(),
    })
    .optional(),
  additionalModelRequestFields: z.unknown().optional(),
  additionalModelResponseFieldPaths: z.unknown().optional(),
  guardrailConfig: z.unknown().optional(),
  performanceConfig: z.unknown().optional(),
  promptVariables: z.unknown().optional(),
  requestMetadata: z.unknown().optional(),
  outputConfig: z
    .looseObject({
      textFormat: z.looseObject({
        type: z.literal('json_schema'),
        structure: z.looseObject({ jsonSchema: z.looseObject({ schema: jsonText, name: z.string().optional() }) }),
      }),
    })
    .optional(),
  serviceTier: z.unknown().optional(),
});
type Block = z.output<typeof block>;
type Mark = ChatTurn['cacheMark'];

function markOf(point: z.output<typeof cachePoint>): Mark {
  return point === undefined ? null : (point.ttl ?? '5m');
}

/** One turn for each run of blocks; results of tools become turns of their own, as in the other dialects. */
function turnsOf(role: 'user' | 'assistant', blocks: readonly Block[]): ChatTurn[] {
  const turns: ChatTurn[] = [];
  const texts: string[] = [];
  let extraTokens = 0;
  let cacheMark: Mark = null;
  for (const item of blocks) {
    if (item.toolResult !== undefined) {
      const text = item.toolResult.content.map((piece) => piece.text ?? JSON.stringify(piece.json ?? {})).join('\n');
      turns.push({ role: 'tool', text, extraTokens: 0, cacheMark: null });
    } else if (item.text !== undefined) texts.push(item.text);
    else if (item.toolUse !== undefined)
      extraTokens += countTokens(item.toolUse.name) + countTokens(JSON.stringify(item.toolUse.input ?? {}));
    else if (item.image !== undefined) extraTokens += IMAGE_TOKENS;
    else if (item.document !== undefined) extraTokens += DOCUMENT_TOKENS;
    cacheMark = markOf(item.cachePoint) ?? cacheMark;
  }
  if (texts.length > 0 || extraTokens > 0) turns.push({ role, text: texts.join('\n'), extraTokens, cacheMark });
  return turns;
}

/** Roles alternate, the user begins, and results stand right behind their calls. */
function orderFailure(messages: readonly z.output<typeof message>[]): WireFailure | null {
  let open = new Set<string>();
  for (const [position, { role, content }] of messages.entries()) {
    if (role !== (position % 2 === 0 ? 'user' : 'assistant'))
      return wireFailure(
        400,
        'invalid',
        position === 0
          ? 'A conversation must start with a user message. Try again with a conversation that starts with a user message.'
          : 'A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.',
      );
    const results = content.flatMap((item) => item.toolResult?.toolUseId ?? []);
    const stray = results.find((id) => !open.delete(id));
    if (stray !== undefined || open.size > 0)
      return wireFailure(
        400,
        'invalid',
        `The model returned the following errors: messages.${position}.content: tool_use ids and tool_result blocks do not match: ${stray ?? [...open].join(', ')}.`,
      );
    open = new Set(content.flatMap((item) => item.toolUse?.toolUseId ?? []));
  }
  return null;
}

/** Reasoning is asked for in the fields of the model itself. */
function asksForReasoning(fields: unknown): boolean {
  if (!isJsonObject(fields)) return false;
  const wish = fields.thinking ?? fields.reasoning_config;
  return isJsonObject(wish) && (wish.type === 'enabled' || wish.type === 'adaptive');
}

function toolChoiceOf(choice: { any?: unknown; tool?: { name: string } | undefined } | undefined): ToolChoice {
  if (choice?.tool !== undefined) return { kind: 'named', name: choice.tool.name };
  return { kind: choice?.any === undefined ? 'auto' : 'required' };
}

export type ParsedBedrock = { readonly ok: true; readonly request: ChatRequest } | { readonly ok: false; readonly failure: WireFailure };

/** Reads the body of `Converse` and `ConverseStream`, as strictly as the service does. */
export function parseBedrockRequest(raw: unknown, model: string, isStream: boolean): ParsedBedrock {
  const parsed = body.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const parameter = (issue?.path ?? []).map(String).join('.');
    const why =
      issue?.code === 'unrecognized_keys' ? `extraneous key [${issue.keys.join(', ')}] is not permitted` : (issue?.message ?? 'not valid');
    return {
      ok: false,
      failure: wireFailure(400, 'invalid', `Malformed input request: #/${parameter}: ${why}, please reformat your input and try again.`, {
        parameter,
      }),
    };
  }
  const { messages, system, inferenceConfig, toolConfig, outputConfig, additionalModelRequestFields, requestMetadata } = parsed.data;
  const failure = orderFailure(messages);
  if (failure !== null) return { ok: false, failure };
  const systemText = (system ?? []).flatMap((item) => item.text ?? []).join('\n');
  const systemMark = (system ?? []).reduce<Mark>((mark, item) => markOf(item.cachePoint) ?? mark, null);
  return {
    ok: true,
    request: {
      model,
      turns: [
        ...(systemText === '' ? [] : [{ role: 'system' as const, text: systemText, extraTokens: 0, cacheMark: systemMark }]),
        ...messages.flatMap(({ role, content }) => turnsOf(role, content)),
      ],
      tools: (toolConfig?.tools ?? []).flatMap(({ toolSpec }) =>
        toolSpec === undefined
          ? []
          : [{ name: toolSpec.name, description: toolSpec.description ?? '', parameters: toolSpec.inputSchema.json }],
      ),
      toolChoice: toolChoiceOf(toolConfig?.toolChoice),
      allowsParallelTools: true,
      maxOutputTokens: inferenceConfig?.maxTokens ?? null,
      stop: inferenceConfig?.stopSequences ?? [],
      format:
        outputConfig === undefined
          ? { kind: 'text' }
          : { kind: 'json_schema', schema: outputConfig.textFormat.structure.jsonSchema.schema },
      choiceCount: 1,
      showsThinking: asksForReasoning(additionalModelRequestFields),
      caching: 'marked',
      isStream,
      fingerprint: fingerprintOf({ ...parsed.data, model }),
      metadataFault: isJsonObject(requestMetadata) && typeof requestMetadata.sim_fault === 'string' ? requestMetadata.sim_fault : null,
    },
  };
}
