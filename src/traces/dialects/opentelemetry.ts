import type { SpanKind } from '../model.ts';
import type { Content, Dialect, RetrievedDocument, SpanScore } from './dialect.ts';
import { type HubMessage, hubMessages, systemMessage } from './hub-messages.ts';
import { isObject, looseJson, memberOf, type SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * OpenTelemetry's own conventions for generative AI, in both generations: messages as attributes, as one event, as an event per message, and as
 * the two texts of the first draft.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/
 */
const KINDS: Readonly<Record<string, SpanKind>> = {
  chat: 'llm',
  completion: 'llm',
  text_completion: 'llm',
  generate_content: 'llm',
  embeddings: 'embedding',
  embedding: 'embedding',
  rerank: 'reranker',
  retrieval: 'retriever',
  execute_tool: 'tool',
  invoke_agent: 'agent',
  create_agent: 'agent',
  invoke_workflow: 'chain',
  // The AI SDK's, around each call with its tools.
  agent_step: 'chain',
  plan: 'chain',
  create_memory: 'retriever',
  search_memory: 'retriever',
  update_memory: 'retriever',
  upsert_memory: 'retriever',
  delete_memory: 'retriever',
};

const DETAILS_EVENTS = new Set(['gen_ai.client.inference.operation.details', 'gen_ai.client.operation.details']);
const MESSAGE_EVENT = /^gen_ai\.(system|user|assistant|tool)\.message$/;

/** The attribute of the span, else of an event that carries the details. */
function detail(view: SpanView, name: string): unknown {
  const value = view.json(name);
  if (value !== undefined && value !== null) return value;
  for (const event of view.span.events) if (DETAILS_EVENTS.has(event.name)) return looseJson(event.attributes.get(name));
  return undefined;
}

/** An event of the second generation: fields in `gen_ai.event.content`, in the body, or as attributes of their own. */
function eventMessage(attributes: ReadonlyMap<string, unknown>, role: string): unknown {
  const whole = looseJson(attributes.get('gen_ai.event.content') ?? attributes.get('event_body') ?? attributes.get('body'));
  if (isObject(whole)) return { role, ...whole };
  const content = attributes.get('content') ?? attributes.get('gen_ai.content') ?? whole;
  return {
    role: attributes.get('role') ?? role,
    content: looseJson(content ?? ''),
    tool_calls: looseJson(attributes.get('tool_calls')),
    ...(attributes.has('id') ? { tool_call_id: attributes.get('id') } : {}),
  };
}

function fromEvents(view: SpanView, side: 'input' | 'output'): HubMessage[] | null {
  const messages: HubMessage[] = [];
  for (const { name, attributes } of view.span.events) {
    const role = MESSAGE_EVENT.exec(name)?.[1];
    if (side === 'input' && role !== undefined) messages.push(...(hubMessages([eventMessage(attributes, role)], 'user') ?? []));
    else if (side === 'output' && name === 'gen_ai.choice') {
      const choice = eventMessage(attributes, 'assistant');
      const message = looseJson(memberOf(choice, 'message') ?? attributes.get('message'));
      messages.push(...(hubMessages([isObject(message) ? { role: 'assistant', ...message } : choice], 'assistant') ?? []));
    } else if (name === (side === 'input' ? 'gen_ai.content.prompt' : 'gen_ai.content.completion')) {
      const text = attributes.get(side === 'input' ? 'gen_ai.prompt' : 'gen_ai.completion');
      messages.push(...(hubMessages(text, side === 'input' ? 'user' : 'assistant') ?? textMessage(text, side)));
    }
  }
  return messages.length === 0 ? null : messages;
}

function textMessage(text: unknown, side: 'input' | 'output'): HubMessage[] {
  return typeof text === 'string' && text !== '' ? [{ role: side === 'input' ? 'user' : 'assistant', content: text }] : [];
}

function input(view: SpanView): Content | null {
  const argumentsOfTool = view.json('gen_ai.tool.call.arguments');
  if (argumentsOfTool !== undefined) return { kind: 'value', value: argumentsOfTool };
  const query = view.text('gen_ai.retrieval.query.text') ?? view.text('gen_ai.retrieval.query');
  if (query !== null) return { kind: 'value', value: query };
  const raw = detail(view, 'gen_ai.input.messages') ?? detail(view, 'gen_ai.prompt');
  const messages = hubMessages(raw, 'user') ?? hubMessages(view.list('gen_ai.prompt'), 'user') ?? fromEvents(view, 'input');
  const system = systemMessage(detail(view, 'gen_ai.system_instructions') ?? detail(view, 'gen_ai.system.instructions'));
  const tools = detail(view, 'gen_ai.tool.definitions') ?? detail(view, 'gen_ai.request.tools');
  if (messages === null && system === null) return raw === undefined ? null : { kind: 'value', value: raw };
  const all = [...(system === null ? [] : [system]), ...(messages ?? textMessage(raw, 'input'))];
  return { kind: 'messages', messages: all, ...(Array.isArray(tools) ? { tools: tools.map(toHubTool) } : {}) };
}

/** A tool as OpenAI declares it. */
export function toHubTool(declared: unknown): unknown {
  const tool = looseJson(declared);
  if (!isObject(tool) || isObject(tool.function)) return tool;
  const { type, name, description } = tool;
  if (typeof name !== 'string' || (typeof type === 'string' && type !== 'function')) return tool;
  const parameters = looseJson(tool.parameters ?? tool.inputSchema ?? tool.input_schema);
  return {
    type: 'function',
    function: { name, ...(description === undefined ? {} : { description }), ...(parameters === undefined ? {} : { parameters }) },
  };
}

function output(view: SpanView): Content | null {
  const result = view.json('gen_ai.tool.call.result') ?? view.json('gen_ai.tool.result');
  if (result !== undefined) return { kind: 'value', value: result };
  const raw = detail(view, 'gen_ai.output.messages') ?? detail(view, 'gen_ai.completion');
  const messages = hubMessages(raw, 'assistant') ?? hubMessages(view.list('gen_ai.completion'), 'assistant') ?? fromEvents(view, 'output');
  if (messages !== null) return { kind: 'messages', messages };
  if (raw === undefined || raw === null) return null;
  return typeof raw === 'string' ? { kind: 'messages', messages: textMessage(raw, 'output') } : { kind: 'value', value: raw };
}

export function documentsFrom(value: unknown): RetrievedDocument[] | null {
  const list = looseJson(value);
  if (!Array.isArray(list) || list.length === 0) return null;
  return list.slice(0, 1_000).map((each) => {
    const outer = looseJson(each);
    const document = isObject(outer) && isObject(outer.document) ? outer.document : outer;
    if (!isObject(document)) return { id: null, content: typeof document === 'string' ? document : null, score: null, metadata: null };
    const content = document.content ?? document.text ?? document.page_content ?? document.pageContent;
    const id = document.id ?? document.document_id;
    const score = document.score ?? (isObject(outer) ? outer.score : undefined);
    return {
      id: typeof id === 'string' || typeof id === 'number' ? String(id) : null,
      content: typeof content === 'string' ? content : content === undefined ? null : JSON.stringify(content),
      score: typeof score === 'number' ? score : null,
      metadata: looseJson(document.metadata) ?? null,
    };
  });
}

function scoreFrom(attributes: ReadonlyMap<string, unknown>): SpanScore | null {
  const name = attributes.get('gen_ai.evaluation.name');
  if (typeof name !== 'string') return null;
  const value = attributes.get('gen_ai.evaluation.score.value');
  const label = attributes.get('gen_ai.evaluation.score.label');
  const explanation = attributes.get('gen_ai.evaluation.explanation');
  return {
    name,
    value: typeof value === 'number' ? value : null,
    label: typeof label === 'string' ? label : null,
    explanation: typeof explanation === 'string' ? explanation : null,
  };
}

export const opentelemetry: Dialect = {
  name: 'opentelemetry',
  detects: (view) => view.has('gen_ai.') || view.span.events.some(({ name }) => name.startsWith('gen_ai.')),
  kind(view) {
    const operation = view.textOf('operation');
    const kind = operation === null ? undefined : KINDS[operation];
    if (kind !== undefined) return kind;
    if (view.text('gen_ai.tool.name') !== null && view.text('gen_ai.request.model') === null) return 'tool';
    if (view.text('gen_ai.evaluation.name') !== null) return 'evaluator';
    return view.find('requestModel') !== null || view.find('responseModel') !== null ? 'llm' : null;
  },
  // "SHOULD include all types of input tokens, including cached tokens". Instrumentations from before that sentence may not, and do not say so.
  tokenRule: (view) => ({ ...INCLUSIVE, isCertain: !/anthropic|bedrock|claude/i.test(view.textOf('provider') ?? '') }),
  input,
  output,
  documents: (view) => documentsFrom(detail(view, 'gen_ai.retrieval.documents')),
  scores(view) {
    const own = scoreFrom(view.span.attributes);
    const results = view.span.events
      .filter(({ name }) => name === 'gen_ai.evaluation.result')
      .map(({ attributes }) => scoreFrom(attributes));
    return [own, ...results].filter((score) => score !== null);
  },
  content: [
    'gen_ai.input.messages',
    'gen_ai.output.messages',
    'gen_ai.system_instructions',
    'gen_ai.tool.definitions',
    'gen_ai.tool.call.arguments',
    'gen_ai.tool.call.result',
    'gen_ai.retrieval.documents',
    'gen_ai.retrieval.query.text',
    'gen_ai.prompt',
    'gen_ai.prompt.#',
    'gen_ai.completion',
    'gen_ai.completion.#',
  ],
};
