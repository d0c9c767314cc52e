import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
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
import { type HubTools, readTools } from '../../hub/tools.ts';

const PROVIDER = 'Cohere';
const KNOWN = new Set([
  ...['temperature', 'top_p', 'top_k', 'seed', 'presence_penalty', 'frequency_penalty', 'reasoning_effort', 'thinking', 'safety_mode'],
]);
const MAX_STOP_SEQUENCES = 5;
const BUDGETS = { none: 0, minimal: 512, low: 1024, medium: 4096, high: 16_384, xhigh: 24_576, max: 24_576 } as const;

function toPart(part: HubPart): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image_url', image_url: { url: `data:${part.mediaType};base64,${part.data}` } };
    case 'image_url':
      return { type: 'image_url', image_url: { url: part.url } };
    case 'file':
    case 'audio':
      return refuse(part.param, 'Cohere takes text and images only');
    default:
      return part satisfies never;
  }
}

function toMessage(message: HubMessage): JsonObject {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: textOf(message.parts) };
    case 'user': {
      const isText = message.parts.every((part) => part.type === 'text');
      return { role: 'user', content: isText ? textOf(message.parts) : message.parts.map(toPart) };
    }
    case 'assistant': {
      const text = textOf(message.parts);
      if (message.toolCalls.length === 0) return { role: 'assistant', content: text };
      return {
        role: 'assistant',
        // Beside calls, what the model says is its plan.
        ...(text === '' ? {} : { tool_plan: text }),
        tool_calls: message.toolCalls.map((call) => ({
          id: call.id,
          type: 'function',
          function: { name: call.name, arguments: JSON.stringify(call.arguments) },
        })),
      };
    }
    case 'tool': {
      const other = message.parts.find((part) => part.type !== 'text');
      if (other !== undefined) refuse(other.param, 'a tool answer can hold only text');
      return { role: 'tool', tool_call_id: message.callId, content: textOf(message.parts) };
    }
    default:
      return message satisfies never;
  }
}

function encodeTools({ tools, choice, isParallel }: HubTools, warnings: Set<string>): JsonObject {
  if (tools.length === 0) return {};
  if (!isParallel) warnings.add('parallel_tool_calls false is not sent: Cohere has no counterpart');
  // A tool that must be called is the only one that is offered: the same, since no other could be.
  const offered = typeof choice === 'object' && choice !== null ? tools.filter(({ name }) => name === choice.name) : tools;
  return {
    tools: offered.map(({ name, description, parameters }) => ({
      type: 'function',
      function: { name, ...(description === null ? {} : { description }), parameters },
    })),
    ...(tools.some((tool) => tool.isStrict) ? { strict_tools: true } : {}),
    ...(choice === null || choice === 'auto' ? {} : { tool_choice: choice === 'none' ? 'NONE' : 'REQUIRED' }),
  };
}

function encodeFormat(body: JsonObject): JsonObject {
  const format = readFormat(body);
  if (format.kind === 'text') return {};
  return { response_format: { type: 'json_object', ...(format.kind === 'schema' ? { json_schema: format.schema } : {}) } };
}

function encodeThinking(body: JsonObject, upstreamModel: string, warnings: Set<string>): JsonObject {
  const effort = readEffort(body);
  const given = isObject(body.thinking) ? body.thinking : {};
  if (effort === null && given.type === undefined) return {};
  if (!/reasoning/i.test(upstreamModel)) {
    if (effort !== 'none' && given.type !== 'disabled') warnings.add('reasoning is not asked for: this model does not reason');
    return {};
  }
  if (effort === 'none' || given.type === 'disabled') return { thinking: { type: 'disabled' } };
  const budget = typeof given.budget_tokens === 'number' ? given.budget_tokens : effort === null ? null : BUDGETS[effort];
  return { thinking: { type: 'enabled', ...(budget === null ? {} : { token_budget: budget }) } };
}

/** OpenAI's penalties go from -2 to 2, Cohere's from 0 to 1. */
function readPenalty(body: JsonObject, name: string, warnings: Set<string>): number | null {
  const value = readCapped(body, name, -2, 2, 1, warnings);
  if (value === null || value >= 0) return value;
  warnings.add(`${name} ${value} is not sent: Cohere takes none below 0`);
  return null;
}

/**
 * Hub chat request → Cohere's chat (v2).
 * @throws PlimsollError `invalid_argument` with `details.param` for what has no counterpart and would change the answer
 */
export function encodeRequest(body: JsonObject, upstreamModel: string): { body: JsonObject; warnings: string[] } {
  const warnings = new Set<string>();
  refuseOtherAnswers(body, PROVIDER);
  warnOfUnknown(body, PROVIDER, KNOWN, warnings);
  const messages = readMessages(body.messages, warnings);
  if (messages.length === 0) refuse('messages', 'at least one message is needed');
  if (messages.some(({ role }) => role === 'tool'))
    warnings.add('citations of tool answers are left out: OpenAI’s format has no place for them');
  const stop = readStop(body, MAX_STOP_SEQUENCES);
  const encoded = {
    model: upstreamModel,
    messages: messages.map(toMessage),
    ...present({
      temperature: readCapped(body, 'temperature', 0, 2, 1, warnings),
      p: readCapped(body, 'top_p', 0, 1, 0.99, new Set()),
      k: readNumber(body, 'top_k', 0, 500),
      max_tokens: readOutputLimit(body),
      seed: readNumber(body, 'seed', 0, Number.MAX_SAFE_INTEGER),
      presence_penalty: readPenalty(body, 'presence_penalty', warnings),
      frequency_penalty: readPenalty(body, 'frequency_penalty', warnings),
      stop_sequences: stop.length > 0 ? stop : null,
      safety_mode: typeof body.safety_mode === 'string' ? body.safety_mode : null,
    }),
    ...encodeTools(readTools(body), warnings),
    ...encodeFormat(body),
    ...encodeThinking(body, upstreamModel, warnings),
    // Cohere wants to be told either way.
    stream: body.stream === true,
  };
  return { body: encoded, warnings: [...warnings] };
}
