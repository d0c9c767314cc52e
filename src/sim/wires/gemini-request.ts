import { z } from 'zod';
import { type AnswerFormat, type ChatRequest, type ChatTurn, type ToolChoice, type WireFailure, wireFailure } from '../chat-request.ts';
import { isJsonObject } from '../schema-values.ts';
import { countTokens } from '../tokens.ts';
import { fingerprintOf } from '../wire.ts';

/** What an image costs at the real provider, in tokens. */
const IMAGE_TOKENS = 258;
/** Values of a schema, of arguments and of results are the caller's own: their keys stay. */
const OPAQUE = new Set(['args', 'response', 'parameters', 'parametersJsonSchema', 'responseSchema', 'responseJsonSchema', 'labels']);

/** The provider takes both `systemInstruction` and `system_instruction`. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      return [name, OPAQUE.has(name) ? item : camelCased(item)];
    }),
  );
}

/** Types of Google's schemas are in capitals; ours are JSON Schema's. */
function jsonSchemaOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonSchemaOf);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === 'type' && typeof item === 'string' ? item.toLowerCase() : jsonSchemaOf(item)]),
  );
}

const part = z.looseObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  inlineData: z.looseObject({ mimeType: z.string(), data: z.string() }).optional(),
  fileData: z.looseObject({ fileUri: z.string() }).optional(),
  functionCall: z.looseObject({ id: z.string().optional(), name: z.string(), args: z.unknown().optional() }).optional(),
  functionResponse: z.looseObject({ id: z.string().optional(), name: z.string(), response: z.unknown() }).optional(),
});
const content = z.looseObject({ role: z.enum(['user', 'model', 'function']).optional(), parts: z.array(part).min(1) });

const functionDeclaration = z.looseObject({
  name: z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/),
  description: z.string().optional(),
  parameters: z.unknown().optional(),
  parametersJsonSchema: z.unknown().optional(),
});

/** Like the provider, unknown members are refused here and in `generationConfig`. */
const body = z.strictObject({
  contents: z.array(content).min(1),
  systemInstruction: z.looseObject({ parts: z.array(part) }).optional(),
  tools: z.array(z.looseObject({ functionDeclarations: z.array(functionDeclaration).optional() })).optional(),
  toolConfig: z
    .looseObject({
      functionCallingConfig: z
        .looseObject({
          mode: z.enum(['MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED']).optional(),
          allowedFunctionNames: z.array(z.string()).optional(),
        })
        .optional(),
    })
    .optional(),
  safetySettings: z.unknown().optional(),
  cachedContent: z.string().optional(),
  labels: z.unknown().optional(),
  model: z.string().optional(),
  serviceTier: z.string().optional(),
  store: z.boolean().optional(),
  generationConfig: z
    .strictObject({
      stopSequences: z.array(z.string()).max(5).optional(),
      candidateCount: z.int().min(1).max(8).optional(),
      maxOutputTokens: z.int().min(1).optional(),
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().min(0).max(1).optional(),
      topK: z.number().min(0).optional(),
      seed: z.int().optional(),
      presencePenalty: z.number().optional(),
      frequencyPenalty: z.number().optional(),
      responseMimeType: z.string().optional(),
      responseSchema: z.unknown().optional(),
      responseJsonSchema: z.unknown().optional(),
      responseModalities: z.unknown().optional(),
      responseLogprobs: z.boolean().optional(),
      logprobs: z.int().optional(),
      thinkingConfig: z
        .looseObject({ includeThoughts: z.boolean().optional(), thinkingBudget: z.int().optional(), thinkingLevel: z.string().optional() })
        .optional(),
      mediaResolution: z.string().optional(),
      speechConfig: z.unknown().optional(),
      audioTimestamp: z.boolean().optional(),
      enableEnhancedCivicAnswers: z.boolean().optional(),
    })
    .optional(),
});

type Part = z.output<typeof part>;

/** One turn for each run of parts; results of functions are turns of their own, as in the other dialects. */
function turnsOf(role: 'user' | 'assistant' | 'system', parts: readonly Part[]): ChatTurn[] {
  const turns: ChatTurn[] = [];
  const texts: string[] = [];
  let extraTokens = 0;
  for (const item of parts) {
    if (item.functionResponse !== undefined)
      turns.push({ role: 'tool', text: JSON.stringify(item.functionResponse.response ?? {}), extraTokens: 0, cacheMark: null });
    else if (item.text !== undefined && item.thought !== true) texts.push(item.text);
    else if (item.functionCall !== undefined)
      extraTokens += countTokens(item.functionCall.name) + countTokens(JSON.stringify(item.functionCall.args ?? {}));
    else if (item.inlineData !== undefined || item.fileData !== undefined) extraTokens += IMAGE_TOKENS;
  }
  if (texts.length > 0 || extraTokens > 0) turns.push({ role, text: texts.join('\n'), extraTokens, cacheMark: null });
  return turns;
}

function failureOf(error: z.ZodError): WireFailure {
  const [issue] = error.issues;
  const path = (issue?.path ?? [])
    .map((key) => (typeof key === 'number' ? `[${key}]` : String(key)))
    .join('.')
    .replaceAll('.[', '[');
  if (issue?.code === 'unrecognized_keys')
    return wireFailure(
      400,
      'invalid',
      `Invalid JSON payload received. Unknown name "${issue.keys[0]}"${path === '' ? '' : ` at '${path}'`}: Cannot find field.`,
      { parameter: issue.keys[0] ?? path },
    );
  if (path === 'contents')
    return wireFailure(400, 'missing_parameter', '* GenerateContentRequest.contents: contents is not specified', { parameter: path });
  return wireFailure(400, 'invalid', `Invalid value at '${path}': ${issue?.message ?? 'not valid'}`, { parameter: path });
}

function toolChoiceOf(config: { mode?: string | undefined; allowedFunctionNames?: string[] | undefined } | undefined): ToolChoice {
  const [only, ...others] = config?.allowedFunctionNames ?? [];
  if (config?.mode === 'ANY') return only !== undefined && others.length === 0 ? { kind: 'named', name: only } : { kind: 'required' };
  return { kind: config?.mode === 'NONE' ? 'none' : 'auto' };
}

function formatOf(config: NonNullable<z.output<typeof body>['generationConfig']>): AnswerFormat {
  if (config.responseMimeType !== 'application/json') return { kind: 'text' };
  const schema = config.responseJsonSchema ?? config.responseSchema;
  return schema === undefined ? { kind: 'json_object' } : { kind: 'json_schema', schema: jsonSchemaOf(schema) };
}

export type ParsedGemini =
  | { readonly ok: true; readonly request: ChatRequest; readonly showsThoughts: boolean }
  | { readonly ok: false; readonly failure: WireFailure };

/** Reads the body of `:generateContent`, as strictly as the provider does. */
export function parseGeminiRequest(raw: unknown, model: string, isStream: boolean): ParsedGemini {
  const parsed = body.safeParse(camelCased(raw));
  if (!parsed.success) return { ok: false, failure: failureOf(parsed.error) };
  const { contents, systemInstruction, tools, toolConfig, generationConfig = {}, labels } = parsed.data;
  if (generationConfig.responseSchema !== undefined && generationConfig.responseMimeType !== 'application/json')
    return {
      ok: false,
      failure: wireFailure(
        400,
        'invalid',
        '* GenerateContentRequest.generation_config.response_schema: only allowed with response_mime_type application/json',
      ),
    };
  const showsThoughts = generationConfig.thinkingConfig?.includeThoughts ?? false;
  return {
    ok: true,
    showsThoughts,
    request: {
      model,
      turns: [
        ...(systemInstruction === undefined ? [] : turnsOf('system', systemInstruction.parts)),
        ...contents.flatMap(({ role, parts }) => turnsOf(role === 'model' ? 'assistant' : 'user', parts)),
      ],
      tools: (tools ?? []).flatMap((tool) =>
        (tool.functionDeclarations ?? []).map((declared) => ({
          name: declared.name,
          description: declared.description ?? '',
          parameters: declared.parametersJsonSchema ?? jsonSchemaOf(declared.parameters) ?? { type: 'object' },
        })),
      ),
      toolChoice: toolChoiceOf(toolConfig?.functionCallingConfig),
      allowsParallelTools: true,
      maxOutputTokens: generationConfig.maxOutputTokens ?? null,
      stop: generationConfig.stopSequences ?? [],
      format: formatOf(generationConfig),
      choiceCount: generationConfig.candidateCount ?? 1,
      showsThinking: showsThoughts,
      caching: 'automatic',
      isStream,
      fingerprint: fingerprintOf({ ...parsed.data, model }),
      metadataFault: isJsonObject(labels) && typeof labels.sim_fault === 'string' ? labels.sim_fault : null,
    },
  };
}
