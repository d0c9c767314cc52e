import type { SpanKind } from '../model.ts';
import type { Content, Dialect } from './dialect.ts';
import { hubMessages } from './hub-messages.ts';
import { memberOf, type SpanView } from './span-view.ts';

/**
 * Weights & Biases' Weave: its own names beside those of OpenTelemetry and OpenInference, which it reads too.
 * @see https://docs.wandb.ai/weave/guides/tracking/otel
 */
const KINDS: Readonly<Record<string, SpanKind>> = {
  llm: 'llm',
  tool: 'tool',
  agent: 'agent',
  chain: 'chain',
  retriever: 'retriever',
  embedding: 'embedding',
};

function content(view: SpanView, side: 'input' | 'output'): Content | null {
  const name = [`weave.${side}s`, `weave.${side}`, `${side}.value`].find((each) => view.span.attributes.has(each));
  if (name === undefined) return null;
  const value = view.json(name);
  const messages = hubMessages(memberOf(value, 'messages') ?? memberOf(value, 'choices') ?? value, side === 'input' ? 'user' : 'assistant');
  return messages === null ? { kind: 'value', value } : { kind: 'messages', messages };
}

export const weave: Dialect = {
  name: 'weave',
  detects: (view) => view.has('weave.') || view.has('wandb.') || view.scope.startsWith('weave'),
  kind: (view) => KINDS[(view.text('weave.span.kind') ?? view.text('weave.kind') ?? '').toLowerCase()] ?? null,
  spanName: (view) => view.text('wandb.display_name'),
  input: (view) => content(view, 'input'),
  output: (view) => content(view, 'output'),
  content: ['weave.inputs', 'weave.input', 'weave.outputs', 'weave.output'],
};
