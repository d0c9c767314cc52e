import type { SpanKind } from '../model.ts';
import type { Content, Dialect } from './dialect.ts';
import { hubMessages } from './hub-messages.ts';
import { memberOf, type SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * Opik's spans, as its own endpoints bring them: fields under `opik.`.
 * @see https://www.comet.com/docs/opik/reference/rest-api
 */
const KINDS: Readonly<Record<string, SpanKind>> = {
  llm: 'llm',
  tool: 'tool',
  general: 'span',
  guardrail: 'guardrail',
  trace: 'chain',
};

function content(view: SpanView, side: 'input' | 'output'): Content | null {
  const value = view.json(`opik.${side}`);
  if (value === undefined) return null;
  const role = side === 'input' ? 'user' : 'assistant';
  const messages = hubMessages(memberOf(value, 'messages') ?? memberOf(value, 'choices') ?? value, role);
  if (messages !== null) return { kind: 'messages', messages };
  // A value that is no object stands in one with a single member.
  return { kind: 'value', value: memberOf(value, side) ?? value };
}

export const opik: Dialect = {
  name: 'opik',
  detects: (view) => view.has('opik.'),
  kind: (view) => KINDS[view.text('opik.type') ?? ''] ?? null,
  // `prompt_tokens` in OpenAI's form; for Anthropic and Bedrock its integrations differ in whether they add up what was cached.
  tokenRule: (view) => (/anthropic|bedrock/i.test(view.textOf('provider') ?? '') ? { ...INCLUSIVE, isCertain: false } : INCLUSIVE),
  estimatesCost: true,
  input: (view) => content(view, 'input'),
  output: (view) => content(view, 'output'),
  content: ['opik.input', 'opik.output'],
};
