import { contentHash } from '../../../kernel/ids.ts';
import { type JsonObject, refuse } from '../../hub/json.ts';
import { type HubMessage, type HubPart, readMessages, textOf } from '../../hub/messages.ts';
import {
  present,
  readCapped,
  readEffort,
  readFormat,
  readNumber,
  readOutputLimit,
  readStop,
  refuseOtherAnswers,
  warnOfUnknown,
} from '../../hub/parameters.ts';
import { ToolIds } from '../../hub/tool-ids.ts';
import { type HubTools, readTools } from '../../hub/tools.ts';

const PROVIDER = 'Mistral';
const KNOWN = new Set([
  ...['temperature', 'top_p', 'seed', 'presence_penalty', 'frequency_penalty', 'reasoning_effort', 'prediction', 'safe_prompt', 'thinking'],
]);
const HIGHEST_TEMPERATURE = 1.5;
const MAX_STOP_SEQUENCES = 64;

function toPart(part: HubPart): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image_url', image_url: { url: `data:${part.mediaType};base64,${part.data}` } };
    case 'image_url':
      return { type: 'image_url', image_url: { url: part.url } };
    case 'file':
      return {
        type: 'document_url',
        document_url: `data:${part.mediaType};base64,${part.data}`,
        ...(part.name === null ? {} : { document_name: part.name }),
      };
    case 'audio':
      return { type: 'input_audio', input_audio: part.data };
    default:
      return part satisfies never;
  }
}

function toContent(parts: readonly HubPart[]): string | JsonObject[] {
  return parts.every((part) => part.type === 'text') ? textOf(parts) : parts.map(toPart);
}

/** Mistral takes only tool ids of nine letters and digits. */
function encodeMessages(messages: readonly HubMessage[]): JsonObject[] {
  const ids = new ToolIds(/^[A-Za-z0-9]{9}$/, (id, attempt) => contentHash(`${id}/${attempt}`).slice(0, 9));
  return messages.map((message, index): JsonObject => {
    switch (message.role) {
      case 'system':
        return { role: 'system', content: textOf(message.parts) };
      case 'user':
        return { role: 'user', content: toContent(message.parts) };
      case 'assistant':
        return {
          role: 'assistant',
          content: textOf(message.parts),
          ...(message.toolCalls.length === 0
            ? {}
            : {
                tool_calls: message.toolCalls.map((call) => ({
                  id: ids.open(call.id),
                  type: 'function',
                  function: { name: call.name, arguments: JSON.stringify(call.arguments) },
                })),
              }),
          // The beginning of an answer that the model must go on with.
          ...(index === messages.length - 1 && message.toolCalls.length === 0 ? { prefix: true } : {}),
        };
      case 'tool':
        return { role: 'tool', tool_call_id: ids.answer(message.callId), name: message.name, content: toContent(message.parts) };
      default:
        return message satisfies never;
    }
  });
}

function encodeTools({ tools, choice, isParallel }: HubTools): JsonObject {
  if (tools.length === 0) return {};
  return {
    tools: tools.map(({ name, description, parameters, isStrict }) => ({
      type: 'function',
      function: { name, ...(description === null ? {} : { description }), parameters, ...(isStrict ? { strict: true } : {}) },
    })),
    ...(choice === null
      ? {}
      : {
          tool_choice:
            typeof choice === 'object' ? { type: 'function', function: { name: choice.name } } : choice === 'required' ? 'any' : choice,
        }),
    ...(isParallel ? {} : { parallel_tool_calls: false }),
  };
}

function encodeFormat(body: JsonObject): JsonObject {
  const format = readFormat(body);
  switch (format.kind) {
    case 'text':
      return {};
    case 'json':
      return { response_format: { type: 'json_object' } };
    case 'schema': {
      const { name, description, schema, isStrict } = format;
      const json_schema = { name, ...(description === null ? {} : { description }), schema, strict: isStrict };
      return { response_format: { type: 'json_schema', json_schema } };
    }
    default:
      return format satisfies never;
  }
}

/** Magistral models reason on demand of a prompt mode; newer general ones take an effort of none or high. */
function encodeReasoning(body: JsonObject, upstreamModel: string, warnings: Set<string>): JsonObject {
  const effort = readEffort(body);
  if (effort === null) return {};
  if (/magistral/i.test(upstreamModel)) return effort === 'none' ? {} : { prompt_mode: 'reasoning' };
  if (/mistral-(small|medium)/i.test(upstreamModel))
    return { reasoning_effort: effort === 'none' || effort === 'minimal' ? 'none' : 'high' };
  if (effort !== 'none') warnings.add('reasoning_effort is not sent: this model does not reason');
  return {};
}

/**
 * Hub chat request → Mistral's chat completions: OpenAI's format, of which only known members are taken (an unknown one is an error there).
 * @throws PlimsollError `invalid_argument` with `details.param` for what has no counterpart and would change the answer
 */
export function encodeRequest(body: JsonObject, upstreamModel: string): { body: JsonObject; warnings: string[] } {
  const warnings = new Set<string>();
  refuseOtherAnswers(body, PROVIDER);
  warnOfUnknown(body, PROVIDER, KNOWN, warnings);
  const messages = readMessages(body.messages, warnings);
  if (messages.length === 0) refuse('messages', 'at least one message is needed');
  const stop = readStop(body, MAX_STOP_SEQUENCES);
  const encoded = {
    model: upstreamModel,
    messages: encodeMessages(messages),
    ...present({
      temperature: readCapped(body, 'temperature', 0, 2, HIGHEST_TEMPERATURE, warnings),
      top_p: readNumber(body, 'top_p', 0, 1),
      max_tokens: readOutputLimit(body),
      random_seed: readNumber(body, 'seed', 0, Number.MAX_SAFE_INTEGER),
      presence_penalty: readNumber(body, 'presence_penalty', -2, 2),
      frequency_penalty: readNumber(body, 'frequency_penalty', -2, 2),
      stop: stop.length > 0 ? stop : null,
      prediction: body.prediction,
      safe_prompt: typeof body.safe_prompt === 'boolean' ? body.safe_prompt : null,
    }),
    ...encodeTools(readTools(body)),
    ...encodeFormat(body),
    ...encodeReasoning(body, upstreamModel, warnings),
    ...(body.stream === true ? { stream: true } : {}),
  };
  return { body: encoded, warnings: [...warnings] };
}
