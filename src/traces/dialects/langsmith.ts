import type { SpanKind } from '../model.ts';
import type { Content, Dialect } from './dialect.ts';
import { hubMessages } from './hub-messages.ts';
import { documentsFrom, toHubTool } from './opentelemetry.ts';
import { isObject, looseJson, memberOf, type SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * LangSmith's and LangChain's runs as OpenTelemetry spans: the run's inputs and outputs as JSON in `gen_ai.prompt` and `gen_ai.completion`.
 * @see https://docs.langchain.com/langsmith/trace-with-opentelemetry
 */
const KINDS: Readonly<Record<string, SpanKind>> = {
  llm: 'llm',
  chat_model: 'llm',
  embedding: 'embedding',
  retriever: 'retriever',
  tool: 'tool',
  chain: 'chain',
  agent: 'agent',
  prompt: 'prompt',
  parser: 'chain',
};

/** The generations of LangChain's chat models: a list per prompt, each with a message. */
function generations(value: unknown): unknown {
  const list = memberOf(value, 'generations');
  const first = Array.isArray(list) ? (Array.isArray(list[0]) ? list[0] : list) : null;
  if (first === null) return undefined;
  return first.map((each) => (isObject(each) ? (each.message ?? { content: each.text }) : each));
}

/** What is no object stands in one with a single member: `{ output: … }`, `{ outputs: … }`. */
function unwrapped(value: unknown, side: 'input' | 'output'): unknown {
  if (!isObject(value) || Object.keys(value).length !== 1) return value;
  return memberOf(value, side) ?? memberOf(value, `${side}s`) ?? value;
}

function content(view: SpanView, side: 'input' | 'output'): Content | null {
  const name = [side === 'input' ? 'gen_ai.prompt' : 'gen_ai.completion', `langsmith.${side}s`, `${side}s`].find((each) =>
    view.span.attributes.has(each),
  );
  if (name === undefined) return null;
  const value = view.json(name);
  const role = side === 'input' ? 'user' : 'assistant';
  const inner =
    memberOf(value, 'messages') ??
    generations(value) ??
    memberOf(value, 'choices') ??
    memberOf(value, 'output') ??
    memberOf(value, 'input') ??
    value;
  const messages = hubMessages(inner, role);
  if (messages === null) return { kind: 'value', value: unwrapped(value, side) };
  const tools = memberOf(value, 'tools') ?? memberOf(looseJson(view.value('langsmith.metadata.invocation_params')), 'tools');
  return { kind: 'messages', messages, ...(side === 'input' && Array.isArray(tools) ? { tools: tools.map(toHubTool) } : {}) };
}

export const langsmith: Dialect = {
  name: 'langsmith',
  detects: (view) => view.has('langsmith.') || view.scope.startsWith('langsmith'),
  kind: (view) => KINDS[(view.text('langsmith.span.kind') ?? '').toLowerCase()] ?? null,
  spanName: (view) => view.text('langsmith.trace.name'),
  // LangChain's usage_metadata: "sum of all input token types".
  tokenRule: () => INCLUSIVE,
  input: (view) => content(view, 'input'),
  output: (view) => content(view, 'output'),
  /**
   * The SDK sets the status OK when a run begins, after which OpenTelemetry takes no other; the exception stands on the span all the same. Its text
   * begins with the name of the error's class, as languages print it, or with the status, as the clients of OpenAI and Anthropic do.
   */
  failure(view) {
    const told = view.span.events.find(({ name }) => name === 'exception')?.attributes.get('exception.message');
    if (typeof told !== 'string') return null;
    const className = /^(?:[\w.]{1,200}\.)?(\w{1,100}(?:Error|Exception))\b/.exec(told)?.[1];
    return { name: className ?? /^([45]\d\d)\b/.exec(told)?.[1] ?? null, message: told };
  },
  documents(view) {
    if (KINDS[(view.text('langsmith.span.kind') ?? '').toLowerCase()] !== 'retriever') return null;
    const value = view.json('gen_ai.completion');
    return documentsFrom(memberOf(value, 'documents') ?? memberOf(value, 'output') ?? value);
  },
  content: ['gen_ai.prompt', 'gen_ai.completion', 'langsmith.inputs', 'langsmith.outputs', 'inputs', 'outputs'],
};
