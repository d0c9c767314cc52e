import { isObject, type JsonObject } from '../../hub/json.ts';
import { readMessages } from '../../hub/messages.ts';
import {
  type Effort,
  present,
  readEffort,
  readFormat,
  readNumber,
  readOutputLimit,
  readStop,
  refuseOtherAnswers,
  warnOfUnknown,
} from '../../hub/parameters.ts';
import { type HubTools, readTools } from '../../hub/tools.ts';
import { encodeMessages } from './messages.ts';
import { type ModelTraits, modelTraits } from './model-traits.ts';
import type { GeminiRequest, GenerationConfig, ThinkingConfig } from './wire.ts';

const PROVIDER = 'Gemini';
const KNOWN = new Set([
  ...['temperature', 'top_p', 'top_k', 'seed', 'presence_penalty', 'frequency_penalty', 'reasoning_effort', 'thinking'],
]);
const MAX_STOP_SEQUENCES = 5;

/** As Google's own OpenAI endpoint maps them. */
const BUDGETS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};
const LEVELS: Readonly<Record<Effort, NonNullable<ThinkingConfig['thinkingLevel']>>> = {
  none: 'MINIMAL',
  minimal: 'MINIMAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  xhigh: 'HIGH',
  max: 'HIGH',
};

/** `reasoning_effort`, and Anthropic's `thinking` that clients of its dialect bring along. Thoughts are shown where thinking was asked for. */
function encodeThinking(body: JsonObject, traits: ModelTraits, warnings: Set<string>): ThinkingConfig | null {
  const effort = readEffort(body);
  const given = isObject(body.thinking) ? body.thinking : {};
  if (effort === null && given.type === undefined) return null;
  if (traits.thinking === 'none') {
    if (effort !== 'none' && given.type !== 'disabled') warnings.add('reasoning is not asked for: this model does not think');
    return null;
  }
  if (effort === 'none' || given.type === 'disabled') {
    if (traits.thinking === 'level') return { thinkingLevel: 'MINIMAL' };
    return traits.alwaysThinks ? { thinkingBudget: 128 } : { thinkingBudget: 0 };
  }
  if (traits.thinking === 'level') return { includeThoughts: true, thinkingLevel: LEVELS[effort ?? 'high'] };
  const asked = typeof given.budget_tokens === 'number' ? given.budget_tokens : null;
  const budget = asked ?? (effort === null ? -1 : BUDGETS[effort]);
  return { includeThoughts: true, thinkingBudget: Math.min(budget, 24_576) };
}

function encodeTools({ tools, choice, isParallel }: HubTools, warnings: Set<string>): Pick<GeminiRequest, 'tools' | 'toolConfig'> {
  if (tools.length === 0) return {};
  if (!isParallel) warnings.add('parallel_tool_calls false is not sent: Gemini has no counterpart');
  if (tools.some((tool) => tool.isStrict)) warnings.add('tools[].function.strict is not sent: Gemini has no counterpart');
  const functionDeclarations = tools.map(({ name, description, parameters }) => ({
    name,
    ...(description === null ? {} : { description }),
    parametersJsonSchema: parameters,
  }));
  if (choice === null) return { tools: [{ functionDeclarations }] };
  const functionCallingConfig =
    choice === 'auto'
      ? { mode: 'AUTO' as const }
      : choice === 'none'
        ? { mode: 'NONE' as const }
        : choice === 'required'
          ? { mode: 'ANY' as const }
          : { mode: 'ANY' as const, allowedFunctionNames: [choice.name] };
  return { tools: [{ functionDeclarations }], toolConfig: { functionCallingConfig } };
}

function encodeFormat(body: JsonObject): Pick<GenerationConfig, 'responseMimeType' | 'responseJsonSchema'> {
  const format = readFormat(body);
  switch (format.kind) {
    case 'text':
      return {};
    case 'json':
      return { responseMimeType: 'application/json' };
    case 'schema':
      return { responseMimeType: 'application/json', responseJsonSchema: format.schema };
    default:
      return format satisfies never;
  }
}

/**
 * Hub chat request → body of `generateContent`; the model and whether it streams stand in the path.
 * @throws PlimsollError `invalid_argument` with `details.param` for what has no counterpart and would change the answer
 */
export function encodeRequest(body: JsonObject, upstreamModel: string): { body: GeminiRequest; warnings: string[] } {
  const warnings = new Set<string>();
  refuseOtherAnswers(body, PROVIDER);
  warnOfUnknown(body, PROVIDER, KNOWN, warnings);
  const traits = modelTraits(upstreamModel);
  const { system, contents } = encodeMessages(readMessages(body.messages, warnings), traits.needsSignature, warnings);
  const stopSequences = readStop(body, MAX_STOP_SEQUENCES);
  const topK = readNumber(body, 'top_k', 0, Number.MAX_SAFE_INTEGER);
  const generationConfig: GenerationConfig = {
    ...present({
      temperature: readNumber(body, 'temperature', 0, 2),
      topP: readNumber(body, 'top_p', 0, 1),
      topK: topK === 0 ? null : topK,
      maxOutputTokens: readOutputLimit(body),
      stopSequences: stopSequences.length > 0 ? stopSequences : null,
      seed: readNumber(body, 'seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      presencePenalty: readNumber(body, 'presence_penalty', -2, 2),
      frequencyPenalty: readNumber(body, 'frequency_penalty', -2, 2),
      thinkingConfig: encodeThinking(body, traits, warnings),
    }),
    ...encodeFormat(body),
  };
  const encoded: GeminiRequest = {
    contents,
    ...(system.length > 0 ? { systemInstruction: { parts: system.map((text) => ({ text })) } } : {}),
    ...encodeTools(readTools(body), warnings),
    ...(Object.keys(generationConfig).length > 0 ? { generationConfig } : {}),
  };
  return { body: encoded, warnings: [...warnings] };
}
