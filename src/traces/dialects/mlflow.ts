import type { SpanKind } from '../model.ts';
import type { Content, Dialect } from './dialect.ts';
import { hubMessages } from './hub-messages.ts';
import { documentsFrom, toHubTool } from './opentelemetry.ts';
import { looseJson, memberOf, type SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * MLflow's tracing: every attribute is JSON, texts too; inputs are the arguments of the traced call, outputs what it gave back.
 * @see https://mlflow.org/docs/latest/genai/tracing/
 */
const KINDS: Readonly<Record<string, SpanKind>> = {
  LLM: 'llm',
  CHAT_MODEL: 'llm',
  EMBEDDING: 'embedding',
  RETRIEVER: 'retriever',
  RERANKER: 'reranker',
  TOOL: 'tool',
  AGENT: 'agent',
  CHAIN: 'chain',
  WORKFLOW: 'chain',
  TASK: 'chain',
  GUARDRAIL: 'guardrail',
  EVALUATOR: 'evaluator',
  PARSER: 'chain',
  MEMORY: 'retriever',
};

function spanType(view: SpanView): string {
  const value = view.json('mlflow.spanType');
  return typeof value === 'string' ? value : '';
}

function input(view: SpanView): Content | null {
  const value = view.json('mlflow.spanInputs');
  if (value === undefined) return null;
  const messages = hubMessages(memberOf(value, 'messages') ?? memberOf(value, 'input') ?? view.json('mlflow.chat.messages'), 'user');
  const tools = memberOf(value, 'tools') ?? view.json('mlflow.chat.tools');
  if (messages === null) return { kind: 'value', value };
  return { kind: 'messages', messages, ...(Array.isArray(tools) ? { tools: tools.map(toHubTool) } : {}) };
}

function output(view: SpanView): Content | null {
  const value = view.json('mlflow.spanOutputs');
  if (value === undefined) return null;
  const isModel = KINDS[spanType(view)] === 'llm';
  const messages = isModel ? hubMessages(memberOf(value, 'choices') ?? memberOf(value, 'output') ?? value, 'assistant') : null;
  if (messages !== null) return { kind: 'messages', messages };
  return isModel && typeof value === 'string'
    ? { kind: 'messages', messages: [{ role: 'assistant', content: value }] }
    : { kind: 'value', value };
}

export const mlflow: Dialect = {
  name: 'mlflow',
  detects: (view) => view.has('mlflow.'),
  kind: (view) => KINDS[spanType(view)] ?? null,
  // Anthropic's counts are passed on as they are, everyone else's hold what was cached.
  tokenRule(view) {
    const model = `${view.textOf('provider') ?? ''} ${view.textOf('requestModel') ?? view.textOf('responseModel') ?? ''}`;
    return /anthropic|claude/i.test(model) ? { input: 'exclusive', output: 'inclusive', isCertain: false } : INCLUSIVE;
  },
  input,
  output,
  documents(view) {
    const value = looseJson(view.json('mlflow.spanOutputs'));
    return KINDS[spanType(view)] === 'retriever' ? documentsFrom(memberOf(value, 'documents') ?? value) : null;
  },
  content: ['mlflow.spanInputs', 'mlflow.spanOutputs', 'mlflow.chat.messages', 'mlflow.chat.tools'],
};
