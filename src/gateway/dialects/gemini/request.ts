import { effortOfBudget } from '../../hub/effort.ts';
import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { Conversation, systemText } from './contents.ts';
import { member, objectMember, unknownMember } from './member.ts';
import { parsePath } from './path.ts';
import { toJsonSchema } from './schema.ts';
import { decodeTools } from './tools.ts';

const KNOWN = new Set([
  ...[
    'contents',
    'systemInstruction',
    'tools',
    'toolConfig',
    'generationConfig',
    'safetySettings',
    'cachedContent',
    'labels',
    'model',
    'plimsoll',
  ],
]);
const KNOWN_SETTINGS = new Set([
  ...['temperature', 'topP', 'topK', 'maxOutputTokens', 'stopSequences', 'candidateCount', 'responseMimeType', 'responseSchema'],
  ...['responseJsonSchema', 'thinkingConfig', 'presencePenalty', 'frequencyPenalty', 'seed', 'responseModalities', '_responseJsonSchema'],
]);
/** Google's name → the hub's. */
const SETTINGS: Readonly<Record<string, string>> = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  maxOutputTokens: 'max_completion_tokens',
  stopSequences: 'stop',
  candidateCount: 'n',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
  seed: 'seed',
};
const LEVELS: Readonly<Record<string, string>> = { MINIMAL: 'minimal', LOW: 'low', MEDIUM: 'medium', HIGH: 'high' };

function decodeFormat(settings: JsonObject): Record<string, unknown> {
  const mimeType = member(settings, 'responseMimeType') ?? 'text/plain';
  const jsonSchema = member(settings, 'responseJsonSchema') ?? member(settings, '_responseJsonSchema');
  const schema = member(settings, 'responseSchema');
  if (mimeType === 'text/plain') return {};
  if (mimeType !== 'application/json')
    return refuse('generationConfig.responseMimeType', `${JSON.stringify(mimeType)} can only be had from a Gemini provider`);
  if (jsonSchema === undefined && schema === undefined) return { response_format: { type: 'json_object' } };
  const given = jsonSchema ?? toJsonSchema(schema, 'generationConfig.responseSchema');
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: given } } };
}

function decodeThinking(settings: JsonObject): Record<string, unknown> {
  const config = objectMember(settings, 'thinkingConfig');
  const level = member(config, 'thinkingLevel');
  const budget = member(config, 'thinkingBudget');
  if (typeof level === 'string' && level !== 'THINKING_LEVEL_UNSPECIFIED') {
    const effort = Object.hasOwn(LEVELS, level.toUpperCase()) ? LEVELS[level.toUpperCase()] : undefined;
    if (effort === undefined)
      refuse('generationConfig.thinkingConfig.thinkingLevel', `"${level}" is not one of ${Object.keys(LEVELS).join(', ')}`);
    return { reasoning_effort: effort };
  }
  if (budget === undefined) return {};
  if (typeof budget !== 'number') return refuse('generationConfig.thinkingConfig.thinkingBudget', 'a number is needed');
  // -1: the model decides, which is what asking for nothing means elsewhere.
  return budget < 0 ? {} : { reasoning_effort: effortOfBudget(budget) };
}

/** Thoughts are part of an answer only for who asked for them. */
export function wantsThoughts(body: JsonObject): boolean {
  return member(objectMember(objectMember(body, 'generationConfig'), 'thinkingConfig'), 'includeThoughts') === true;
}

function decodeSettings(settings: JsonObject, warnings: Set<string>): Record<string, unknown> {
  for (const name of Object.keys(settings)) {
    const unknown = unknownMember({ [name]: settings[name] }, KNOWN_SETTINGS);
    if (unknown !== null) warnings.add(`generationConfig.${name} is not sent: the provider that answers has no counterpart`);
  }
  const modalities = member(settings, 'responseModalities');
  if (Array.isArray(modalities) && modalities.some((modality) => String(modality).toUpperCase() !== 'TEXT'))
    refuse('generationConfig.responseModalities', 'only text can be had from a provider of another API');
  const decoded: Record<string, unknown> = {};
  for (const [name, hubName] of Object.entries(SETTINGS)) {
    const value = member(settings, name);
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) decoded[hubName] = value;
  }
  if (decoded.n === 1) delete decoded.n;
  return { ...decoded, ...decodeFormat(settings), ...decodeThinking(settings) };
}

/**
 * Body and path of `generateContent` → hub chat request.
 * @throws PlimsollError `invalid_argument` with `details.param` for what only a Gemini provider can do
 */
export function decodeRequest(body: JsonObject, path: string): { body: Record<string, unknown>; warnings: string[] } {
  const warnings = new Set<string>();
  const { model, method } = parsePath(path);
  const unknown = unknownMember(body, KNOWN);
  if (unknown !== null) warnings.add(`${unknown} is not sent: the provider that answers has no counterpart`);
  if (member(body, 'cachedContent') !== undefined)
    refuse('cachedContent', 'cached contents are kept by Google; they can only be used with a Gemini provider');
  const safety = member(body, 'safetySettings');
  if (Array.isArray(safety) && safety.length > 0)
    warnings.add('safetySettings are not sent: the provider that answers has filters of its own');
  if (member(body, 'labels') !== undefined) warnings.add('labels are not sent: use the header x-plimsoll-tags');
  const conversation = new Conversation();
  const { contents } = body;
  if (isObject(contents)) conversation.add(contents, 'contents');
  else if (Array.isArray(contents)) for (const [index, content] of contents.entries()) conversation.add(content, `contents[${index}]`);
  else refuse('contents', 'an array of contents is needed');
  const system = systemText(member(body, 'systemInstruction'));
  const decoded: Record<string, unknown> = {
    model,
    messages: system === '' ? conversation.messages : [{ role: 'system', content: system }, ...conversation.messages],
    ...decodeTools(body, warnings),
    ...decodeSettings(objectMember(body, 'generationConfig'), warnings),
  };
  if (method === 'streamGenerateContent') decoded.stream = true;
  return { body: decoded, warnings: [...warnings] };
}
