import type { SpanKind } from '../model.ts';
import type { Content, Dialect, SpanScore } from './dialect.ts';
import { hubMessages } from './hub-messages.ts';
import { toHubTool } from './opentelemetry.ts';
import { isObject, memberOf, type SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * Langfuse's SDKs from version 3 on: observations as OpenTelemetry spans with `langfuse.*`.
 * @see https://langfuse.com/integrations/native/opentelemetry
 */
const KINDS: Readonly<Record<string, SpanKind>> = {
  generation: 'llm',
  embedding: 'embedding',
  retriever: 'retriever',
  tool: 'tool',
  agent: 'agent',
  chain: 'chain',
  guardrail: 'guardrail',
  evaluator: 'evaluator',
  span: 'span',
  event: 'event',
};

function content(view: SpanView, side: 'input' | 'output'): Content | null {
  const name = view.span.attributes.has(`langfuse.observation.${side}`) ? `langfuse.observation.${side}` : `langfuse.trace.${side}`;
  const value = view.json(name);
  if (value === undefined) return null;
  const role = side === 'input' ? 'user' : 'assistant';
  const messages = hubMessages(memberOf(value, 'messages') ?? value, role);
  if (messages === null) {
    if (KINDS[view.text('langfuse.observation.type') ?? ''] === 'llm' && typeof value === 'string')
      return { kind: 'messages', messages: [{ role, content: value }] };
    return { kind: 'value', value };
  }
  const tools = side === 'input' ? memberOf(value, 'tools') : undefined;
  return { kind: 'messages', messages, ...(Array.isArray(tools) ? { tools: tools.map(toHubTool) } : {}) };
}

export const langfuse: Dialect = {
  name: 'langfuse',
  detects: (view) => view.has('langfuse.observation.') || view.has('langfuse.trace.') || view.scope.startsWith('langfuse'),
  kind: (view) => KINDS[(view.text('langfuse.observation.type') ?? '').toLowerCase()] ?? null,
  /**
   * `usage_details` are classes that do not overlap, "input" being what is left; usage in OpenAI's form (`prompt_tokens` with details) is passed on
   * as it is.
   */
  tokenRule(view) {
    const usage = view.json('langfuse.observation.usage_details');
    if (!isObject(usage)) return null;
    const isOpenAi = 'prompt_tokens' in usage || 'promptTokens' in usage || 'input_tokens_details' in usage;
    return isOpenAi ? INCLUSIVE : { input: 'exclusive', output: 'exclusive', isCertain: !('input_tokens' in usage) };
  },
  input: (view) => content(view, 'input'),
  output: (view) => content(view, 'output'),
  failure: (view) =>
    view.text('langfuse.observation.level')?.toUpperCase() === 'ERROR'
      ? { name: null, message: view.text('langfuse.observation.status_message') ?? '' }
      : null,
  scores(view): SpanScore[] {
    const name = view.text('langfuse.score.name');
    if (name === null) return [];
    const value = view.value('langfuse.score.value');
    return [
      {
        name,
        value: typeof value === 'number' ? value : null,
        label: typeof value === 'string' ? value : null,
        explanation: view.text('langfuse.score.comment'),
      },
    ];
  },
  content: ['langfuse.observation.input', 'langfuse.observation.output', 'langfuse.trace.input', 'langfuse.trace.output'],
};
