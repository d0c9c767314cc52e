import type { SpanKind } from '../model.ts';
import type { Content, Dialect } from './dialect.ts';
import { hubMessages } from './hub-messages.ts';
import { toHubTool } from './opentelemetry.ts';
import { isObject, looseJson, memberOf, type SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * OpenLLMetry, the SDK of Traceloop: numbered messages under `gen_ai.prompt` and `gen_ai.completion`, workflows and tasks around them.
 * @see https://github.com/traceloop/openllmetry/tree/main/packages/opentelemetry-semantic-conventions-ai
 */
const KINDS: Readonly<Record<string, SpanKind>> = { workflow: 'chain', task: 'chain', agent: 'agent', tool: 'tool' };
const REQUESTS: Readonly<Record<string, SpanKind>> = { chat: 'llm', completion: 'llm', embedding: 'embedding', rerank: 'reranker' };

function entity(view: SpanView, name: 'traceloop.entity.input' | 'traceloop.entity.output'): Content | null {
  const value = view.json(name);
  if (value === undefined) return null;
  // Its decorators wrap arguments: { args, kwargs }, LangChain's { inputs, … } and { outputs, … }.
  const inner = memberOf(value, 'inputs') ?? memberOf(value, 'outputs') ?? value;
  const messages = hubMessages(memberOf(inner, 'messages'), name.endsWith('input') ? 'user' : 'assistant');
  return messages === null ? { kind: 'value', value: inner } : { kind: 'messages', messages };
}

function prompt(view: SpanView): Content | null {
  const messages = hubMessages(view.list('gen_ai.prompt'), 'user');
  if (messages === null) return null;
  const functions = view
    .list('llm.request.functions')
    ?.map((each) => toHubTool(isObject(each) ? { ...each, parameters: looseJson(each.parameters) } : each));
  return { kind: 'messages', messages, ...(functions === undefined ? {} : { tools: functions }) };
}

export const traceloop: Dialect = {
  name: 'traceloop',
  detects: (view) =>
    view.has('traceloop.') ||
    view.value('llm.request.type') !== undefined ||
    /^(@traceloop\/|opentelemetry\.instrumentation\.(openai|anthropic|cohere|langchain|llamaindex|bedrock|mistralai|vertexai|groq|ollama))/.test(
      view.scope,
    ),
  kind(view) {
    const request = REQUESTS[view.text('llm.request.type') ?? ''];
    if (request !== undefined) return request;
    const own = KINDS[view.text('traceloop.span.kind') ?? ''];
    return own ?? (view.has('db.vector.') || view.value('db.vector.query.top_k') !== undefined ? 'retriever' : null);
  },
  spanName: (view) => (view.value('traceloop.span.kind') === undefined ? null : view.text('traceloop.entity.name')),
  // Its Anthropic instrumentation adds what was cached to the input; the others pass on what OpenAI's shape counts.
  tokenRule: (view) => (view.value('traceloop.span.kind') !== undefined || view.value('llm.request.type') !== undefined ? INCLUSIVE : null),
  input: (view) => prompt(view) ?? entity(view, 'traceloop.entity.input'),
  output(view) {
    const messages = hubMessages(view.list('gen_ai.completion'), 'assistant');
    return messages === null ? entity(view, 'traceloop.entity.output') : { kind: 'messages', messages };
  },
  content: ['traceloop.entity.input', 'traceloop.entity.output', 'gen_ai.prompt.#', 'gen_ai.completion.#', 'llm.request.functions.#'],
};
