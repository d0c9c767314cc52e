import type { SpanKind } from '../model.ts';
import type { Content, Dialect } from './dialect.ts';
import { type HubMessage, hubMessages } from './hub-messages.ts';
import { isObject, looseJson, memberOf, type SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * Pydantic AI and Logfire: OpenTelemetry's conventions, messages as JSON in `events`, `all_messages_events` or `pydantic_ai.all_messages`, and
 * Logfire's older `request_data` and `response_data`. `gen_ai.usage.details.*` are parts of the sums beside them, never more.
 * @see https://ai.pydantic.dev/logfire/
 */
function kind(view: SpanView): SpanKind | null {
  const { name } = view.span;
  if (name.startsWith('chat ') || view.value('request_data') !== undefined) return 'llm';
  if (name.startsWith('agent run') || name.startsWith('invoke_agent') || view.value('pydantic_ai.all_messages') !== undefined)
    return 'agent';
  return name.startsWith('running tool') || name.startsWith('execute_tool') ? (name === 'running tools' ? 'chain' : 'tool') : null;
}

/** Events as they stand in one JSON attribute: `{ 'event.name', role, content, … }`, the answer as `gen_ai.choice`. */
function events(view: SpanView, side: 'input' | 'output'): HubMessage[] | null {
  const list = view.json('events') ?? view.json('all_messages_events');
  if (!Array.isArray(list)) return null;
  const wanted = list.filter(isObject).filter((event) => (event['event.name'] === 'gen_ai.choice') === (side === 'output'));
  return hubMessages(
    wanted.map((event) => (isObject(event.message) ? { role: 'assistant', ...event.message } : event)),
    side === 'input' ? 'user' : 'assistant',
  );
}

function all(view: SpanView): HubMessage[] | null {
  return hubMessages(view.json('pydantic_ai.all_messages') ?? view.json('all_messages'), 'user');
}

function input(view: SpanView): Content | null {
  const own = view.json('tool_arguments');
  if (own !== undefined) return { kind: 'value', value: own };
  const request = view.json('request_data');
  const messages = events(view, 'input') ?? hubMessages(memberOf(request, 'messages'), 'user');
  if (messages !== null) return { kind: 'messages', messages };
  const whole = all(view);
  const last = whole?.at(-1)?.role === 'assistant' ? whole.slice(0, -1) : whole;
  return last == null || last.length === 0 ? null : { kind: 'messages', messages: last };
}

function output(view: SpanView): Content | null {
  const own = view.json('tool_response');
  if (own !== undefined) return { kind: 'value', value: own };
  const messages = events(view, 'output') ?? hubMessages(memberOf(view.json('response_data'), 'message'), 'assistant');
  if (messages !== null) return { kind: 'messages', messages };
  const result = view.value('final_result');
  if (result !== undefined) return { kind: 'value', value: looseJson(result) };
  const last = all(view)?.at(-1);
  return last?.role === 'assistant' ? { kind: 'messages', messages: [last] } : null;
}

export const logfire: Dialect = {
  name: 'pydantic-logfire',
  detects: (view) => /^(pydantic-ai|logfire)/.test(view.scope) || view.has('pydantic_ai.') || view.has('logfire.'),
  kind,
  spanName: (view) => view.text('logfire.msg'),
  // genai-prices, which counts for it, adds up what was cached for every provider.
  tokenRule: () => INCLUSIVE,
  input,
  output,
  content: [
    'events',
    'all_messages_events',
    'pydantic_ai.all_messages',
    'all_messages',
    'final_result',
    'tool_arguments',
    'tool_response',
    'request_data',
    'response_data',
    'logfire.json_schema',
  ],
};
