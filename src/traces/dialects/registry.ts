import { braintrust } from './braintrust.ts';
import type { Dialect } from './dialect.ts';
import { langfuse } from './langfuse.ts';
import { langsmith } from './langsmith.ts';
import { logfire } from './logfire.ts';
import { mlflow } from './mlflow.ts';
import { openinference } from './openinference.ts';
import { openlit } from './openlit.ts';
import { opentelemetry } from './opentelemetry.ts';
import { opik } from './opik.ts';
import type { SpanView } from './span-view.ts';
import { traceloop } from './traceloop.ts';
import { vercel } from './vercel.ts';
import { weave } from './weave.ts';

/**
 * Whoever passes on spans of others and adds to them stands before those: what Langfuse's processor says of an AI SDK span is what its user wants
 * it to be. OpenTelemetry's conventions are what all are read by where they say nothing of their own.
 */
export const DIALECTS: readonly Dialect[] = [
  langfuse,
  langsmith,
  mlflow,
  braintrust,
  weave,
  opik,
  openinference,
  vercel,
  logfire,
  traceloop,
  openlit,
  opentelemetry,
];

/** Every attribute that some dialect keeps texts in. */
export const ALL_CONTENT: readonly string[] = [...new Set(DIALECTS.flatMap(({ content }) => content))];

/** The dialects that a span is written in, the most particular first; empty for a span that has nothing to do with models. */
export function dialectsOf(view: SpanView): readonly Dialect[] {
  const own = DIALECTS.filter((dialect) => dialect.detects(view));
  return own.length === 0 || own.includes(opentelemetry) ? own : [...own, opentelemetry];
}
