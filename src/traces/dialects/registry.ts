import type { Dialect } from './dialect.ts';
import { opentelemetry } from './opentelemetry.ts';
import type { SpanView } from './span-view.ts';

/** The most particular first. OpenTelemetry's conventions are what all others are read by where they say nothing of their own. */
export const DIALECTS: readonly Dialect[] = [opentelemetry];

/** Every attribute that some dialect keeps texts in. */
export const ALL_CONTENT: readonly string[] = DIALECTS.flatMap(({ content }) => content);

/** The dialects that a span is written in, the most particular first; empty for a span that has nothing to do with models. */
export function dialectsOf(view: SpanView): readonly Dialect[] {
  const own = DIALECTS.filter((dialect) => dialect.detects(view));
  return own.length === 0 || own.includes(opentelemetry) ? own : [...own, opentelemetry];
}
