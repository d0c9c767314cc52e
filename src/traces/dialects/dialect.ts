import type { SpanKind } from '../model.ts';
import type { HubMessage } from './hub-messages.ts';
import type { SpanView } from './span-view.ts';
import type { DialectRule } from './token-reading.ts';

/** What went in or came out of a span. */
export type Content =
  /** Messages in the hub's form; an input may bring the tools that were offered. */
  | { readonly kind: 'messages'; readonly messages: readonly HubMessage[]; readonly tools?: readonly unknown[] }
  /** Anything else: a text or JSON. */
  | { readonly kind: 'value'; readonly value: unknown };

/** A document that a retriever or reranker gave. */
export interface RetrievedDocument {
  readonly id: string | null;
  readonly content: string | null;
  readonly score: number | null;
  readonly metadata: unknown;
}

/** A judgement that came with a span. */
export interface SpanScore {
  readonly name: string;
  readonly value: number | null;
  readonly label: string | null;
  readonly explanation: string | null;
}

export interface Failure {
  /** Class of the error; null = nothing but the text is known. */
  readonly name: string | null;
  readonly message: string;
}

/**
 * What one SDK writes into spans, besides what the alias table says for all: one file each. Every function may answer null: then the next
 * dialect that knows the span is asked, and OpenTelemetry's own conventions last.
 */
export interface Dialect {
  /** As it stands in the attribute `plimsoll.dialect`. */
  readonly name: string;
  /** Whether the span is one of its own: by the name of its scope or by an attribute that nobody else writes. */
  detects(view: SpanView): boolean;
  kind?(view: SpanView): SpanKind | null;
  /** The name that people know the span by, where it is not the span's own. */
  spanName?(view: SpanView): string | null;
  tokenRule?(view: SpanView): DialectRule | null;
  input?(view: SpanView): Content | null;
  output?(view: SpanView): Content | null;
  documents?(view: SpanView): RetrievedDocument[] | null;
  scores?(view: SpanView): SpanScore[];
  /** How the work failed, where the span's own status does not say that it did. */
  failure?(view: SpanView): Failure | null;
  /** Labels by which people find the trace. */
  tags?(view: SpanView): Readonly<Record<string, string>>;
  /** True when the sender's cost is an estimate from a table of its own: ours is preferred then. */
  readonly estimatesCost?: boolean;
  /** Attributes whose content `input`, `output` and `documents` take over, so that it is not kept twice. `a.#` = all that begin with `a.` and a number. */
  readonly content: readonly string[];
}
