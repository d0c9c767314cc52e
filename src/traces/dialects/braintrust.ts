import type { SpanKind } from '../model.ts';
import type { Content, Dialect, SpanScore } from './dialect.ts';
import { hubMessages } from './hub-messages.ts';
import { isObject, memberOf, type SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * Braintrust: a span's fields as JSON in `braintrust.*`.
 * @see https://www.braintrust.dev/docs/integrations/sdk-integrations/opentelemetry
 */
const KINDS: Readonly<Record<string, SpanKind>> = {
  llm: 'llm',
  tool: 'tool',
  function: 'chain',
  task: 'chain',
  eval: 'evaluator',
  score: 'evaluator',
};

function spanType(view: SpanView): string {
  const type = memberOf(view.json('braintrust.span_attributes'), 'type');
  return typeof type === 'string' ? type : '';
}

function content(view: SpanView, side: 'input' | 'output'): Content | null {
  const name = [`braintrust.${side}_json`, `braintrust.${side}`].find((each) => view.span.attributes.has(each));
  if (name === undefined) return null;
  const value = view.json(name);
  const role = side === 'input' ? 'user' : 'assistant';
  const messages = hubMessages(memberOf(value, 'messages') ?? memberOf(value, 'choices') ?? value, role);
  if (messages !== null) return { kind: 'messages', messages };
  return spanType(view) === 'llm' && typeof value === 'string'
    ? { kind: 'messages', messages: [{ role, content: value }] }
    : { kind: 'value', value };
}

export const braintrust: Dialect = {
  name: 'braintrust',
  detects: (view) =>
    view.has('braintrust.') &&
    !(view.span.attributes.has('braintrust.parent') && !view.has('braintrust.span_attributes') && !view.has('braintrust.input')),
  kind: (view) => KINDS[spanType(view)] ?? null,
  // Its wrappers make OpenAI's form of every provider's counts.
  tokenRule: (view) => (view.span.attributes.has('braintrust.metrics') ? INCLUSIVE : null),
  input: (view) => content(view, 'input'),
  output: (view) => content(view, 'output'),
  scores(view): SpanScore[] {
    const scores = view.json('braintrust.scores');
    if (!isObject(scores)) return [];
    return Object.entries(scores)
      .slice(0, 64)
      .map(([name, value]) => ({ name, value: typeof value === 'number' ? value : null, label: null, explanation: null }));
  },
  content: ['braintrust.input', 'braintrust.output', 'braintrust.input_json', 'braintrust.output_json'],
};
