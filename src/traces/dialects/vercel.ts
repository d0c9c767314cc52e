import type { SpanKind } from '../model.ts';
import type { Content, Dialect } from './dialect.ts';
import { type HubMessage, hubMessages, systemMessage } from './hub-messages.ts';
import { toHubTool } from './opentelemetry.ts';
import { isObject, looseJson, memberOf, type SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * Vercel's AI SDK as it was before version 7 (`ai.*`; also `LegacyOpenTelemetry` of 7). Around each call of a model (`.doGenerate`, `.doStream`)
 * stands the whole operation with its steps: that one is a chain here, since its counts are those of its steps added up.
 * @see https://ai-sdk.dev/docs/ai-sdk-core/telemetry
 */
function operation(view: SpanView): string {
  return view.text('ai.operationId') ?? view.span.name;
}

function kind(view: SpanView): SpanKind | null {
  const name = operation(view);
  if (/\.do(Generate|Stream)$/.test(name)) return 'llm';
  if (/\.doEmbed$/.test(name)) return 'embedding';
  if (/\.doRerank$/.test(name)) return 'reranker';
  if (name.startsWith('ai.toolCall')) return 'tool';
  return /^ai\.(generate|stream|embed|rerank)/.test(name) ? 'chain' : null;
}

function prompt(view: SpanView): Content | null {
  const args = view.json('ai.toolCall.args') ?? view.json('ai.toolCall.input');
  if (args !== undefined) return { kind: 'value', value: args };
  const value = view.value('ai.value') ?? view.value('ai.values');
  if (value !== undefined) return { kind: 'value', value: Array.isArray(value) ? value.map(looseJson) : looseJson(value) };
  const tools = view.value('ai.prompt.tools');
  const offered = Array.isArray(tools) ? { tools: tools.map(toHubTool) } : {};
  const messages = hubMessages(view.json('ai.prompt.messages'), 'user');
  if (messages !== null) return { kind: 'messages', messages, ...offered };
  const given = view.json('ai.prompt');
  if (!isObject(given)) return given === undefined ? null : { kind: 'value', value: given };
  const system = systemMessage(given.system);
  const text: HubMessage[] = typeof given.prompt === 'string' ? [{ role: 'user', content: given.prompt }] : [];
  const rest = hubMessages(given.messages, 'user') ?? text;
  return rest.length === 0
    ? { kind: 'value', value: given }
    : { kind: 'messages', messages: [...(system === null ? [] : [system]), ...rest], ...offered };
}

function response(view: SpanView): Content | null {
  const result = view.json('ai.toolCall.result') ?? view.json('ai.toolCall.output');
  if (result !== undefined) return { kind: 'value', value: result };
  const text = view.text('ai.response.text') ?? view.text('ai.result.text');
  const object = view.value('ai.response.object') ?? view.value('ai.result.object');
  const calls = view.json('ai.response.toolCalls') ?? view.json('ai.result.toolCalls');
  const reasoning = view.text('ai.response.reasoning');
  if (text === null && object === undefined && calls === undefined && reasoning === null) return null;
  const content = text ?? (object === undefined ? null : typeof object === 'string' ? object : JSON.stringify(object));
  const messages = hubMessages(
    [
      {
        role: 'assistant',
        content: content ?? [],
        tool_calls: Array.isArray(calls) ? calls : [],
        ...(reasoning === null ? {} : { reasoning }),
      },
    ],
    'assistant',
  );
  return messages === null ? null : { kind: 'messages', messages };
}

/** Anthropic's and Bedrock's own counts leave out what was cached; version 5 passed them on, version 6 adds them up and says so by its details. */
function isRaw(view: SpanView): boolean {
  const provider = view.text('ai.model.provider') ?? view.text('gen_ai.system') ?? '';
  return /anthropic|bedrock/.test(provider) && !view.has('ai.usage.inputTokenDetails.');
}

export const vercel: Dialect = {
  name: 'vercel-ai',
  detects: (view) => view.value('ai.operationId') !== undefined || /^ai\.(generate|stream|embed|rerank|toolCall)/.test(view.span.name),
  kind,
  spanName: (view) => view.text('ai.toolCall.name') ?? view.text('ai.telemetry.functionId') ?? null,
  tokenRule: (view) =>
    isRaw(view)
      ? {
          input: 'exclusive',
          output: 'inclusive',
          isCertain: memberOf(view.json('ai.response.providerMetadata'), 'anthropic') !== undefined,
        }
      : INCLUSIVE,
  input: prompt,
  output: response,
  content: [
    'ai.prompt',
    'ai.prompt.messages',
    'ai.prompt.tools',
    'ai.response.text',
    'ai.response.object',
    'ai.response.toolCalls',
    'ai.response.reasoning',
    'ai.result.text',
    'ai.result.object',
    'ai.result.toolCalls',
    'ai.toolCall.args',
    'ai.toolCall.input',
    'ai.toolCall.result',
    'ai.toolCall.output',
    'ai.value',
    'ai.values',
    'ai.embedding',
    'ai.embeddings',
  ],
};
