import type { SpanKind } from '../model.ts';
import type { Content, Dialect, SpanScore } from './dialect.ts';
import { hubMessages } from './hub-messages.ts';
import { documentsFrom, toHubTool } from './opentelemetry.ts';
import { isObject, looseJson, type SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * Arize's OpenInference, as Phoenix and its instrumentations write it: messages under numbered names, a kind on every span.
 * @see https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
 */
const KINDS: Readonly<Record<string, SpanKind>> = {
  LLM: 'llm',
  EMBEDDING: 'embedding',
  CHAIN: 'chain',
  RETRIEVER: 'retriever',
  RERANKER: 'reranker',
  TOOL: 'tool',
  AGENT: 'agent',
  GUARDRAIL: 'guardrail',
  EVALUATOR: 'evaluator',
  PROMPT: 'prompt',
};

function side(view: SpanView, which: 'input' | 'output'): Content | null {
  const messages = hubMessages(view.list(`llm.${which}_messages`), which === 'input' ? 'user' : 'assistant');
  if (messages !== null) {
    const tools = which === 'input' ? view.list('llm.tools') : undefined;
    return { kind: 'messages', messages, ...(tools === undefined ? {} : { tools: tools.map(toolOf) }) };
  }
  const texts = view.list(which === 'input' ? 'llm.prompts' : 'llm.choices');
  const text = texts?.map((each) => (isObject(each) ? Object.values(each)[0] : each));
  const completion =
    text === undefined
      ? null
      : hubMessages(
          text.map((content) => ({ content })),
          which === 'input' ? 'user' : 'assistant',
        );
  if (completion !== null) return { kind: 'messages', messages: completion };
  const value = view.value(`${which}.value`);
  return value === undefined ? null : { kind: 'value', value: looseJson(value) };
}

function toolOf(each: unknown): unknown {
  const tool = isObject(each) && isObject(each.tool) ? each.tool : each;
  return toHubTool(isObject(tool) && tool.json_schema !== undefined ? tool.json_schema : tool);
}

function annotations(view: SpanView): SpanScore[] {
  const result: SpanScore[] = [];
  for (const prefix of ['annotation', 'evaluation'] as const) {
    const name = view.text(`${prefix}.name`);
    if (name === null) continue;
    const value = view.value(`${prefix}.score`) ?? view.value(`${prefix}.result.score`);
    result.push({
      name,
      value: typeof value === 'number' ? value : null,
      label: view.text(`${prefix}.label`) ?? view.text(`${prefix}.result.label`),
      explanation: view.text(`${prefix}.explanation`) ?? view.text(`${prefix}.result.explanation`),
    });
  }
  return result;
}

export const openinference: Dialect = {
  name: 'openinference',
  detects: (view) =>
    view.value('openinference.span.kind') !== undefined || view.has('llm.input_messages.') || view.scope.startsWith('openinference'),
  kind: (view) => KINDS[(view.text('openinference.span.kind') ?? '').toUpperCase()] ?? null,
  // "The number of tokens in the prompt", whose details are parts of it.
  tokenRule: () => INCLUSIVE,
  input: (view) => side(view, 'input'),
  output: (view) => side(view, 'output'),
  documents: (view) => documentsFrom(view.list('retrieval.documents')) ?? documentsFrom(view.list('reranker.output_documents')),
  scores: annotations,
  content: [
    'input.value',
    'output.value',
    'llm.input_messages.#',
    'llm.output_messages.#',
    'llm.tools.#',
    'llm.prompts.#',
    'llm.choices.#',
    'retrieval.documents.#',
    'reranker.input_documents.#',
    'reranker.output_documents.#',
    'embedding.embeddings.#',
  ],
};
