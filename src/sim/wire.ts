import { contentHash } from '../kernel/ids.ts';
import type { ChatRequest, WireFailure } from './chat-request.ts';
import type { PlannedAnswer } from './completion.ts';
import { isJsonObject } from './schema-values.ts';

/** One server-sent event and when it is due. */
export interface WireEvent {
  /** Name of the event; null = a line of data only, as OpenAI does. */
  readonly event: string | null;
  readonly data: string;
  /** Milliseconds from the request. */
  readonly offsetMs: number;
}

/** What an answer carries besides its plan. */
export interface ReplyStamp {
  /** Hex, different for each answer of a server. */
  readonly id: string;
  readonly createdSeconds: number;
  readonly seed: number;
  /** The answer leaves out its usage (fault `no_usage`). */
  readonly omitsUsage: boolean;
}

/** A request that can be answered, with the functions that write the answer in its dialect. */
export interface WireRequest {
  readonly request: ChatRequest;
  renderBody(plan: PlannedAnswer, stamp: ReplyStamp): unknown;
  renderEvents(plan: PlannedAnswer, stamp: ReplyStamp): WireEvent[];
}

export type ParsedWireRequest = { readonly ok: true; readonly wire: WireRequest } | { readonly ok: false; readonly failure: WireFailure };

/** One provider's wire format. */
export interface WireDialect {
  readonly name: 'openai' | 'anthropic';
  readonly requestIdHeader: string;
  parse(body: unknown): ParsedWireRequest;
  errorBody(failure: WireFailure, requestId: string): unknown;
  errorEvent(failure: WireFailure, requestId: string): WireEvent;
  modelList(names: readonly string[]): unknown;
  model(name: string): unknown;
}

/** Fields that change how an answer travels, not what it says. */
const NOT_DECIDING = new Set([
  'stream',
  'stream_options',
  'metadata',
  'user',
  'store',
  'service_tier',
  'safety_identifier',
  'prompt_cache_key',
]);

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, canonical(value[key])]),
  );
}

/** sha-256 of the parts of a body that decide the answer; the order of keys does not matter. */
export function fingerprintOf(body: Readonly<Record<string, unknown>>): string {
  return contentHash(JSON.stringify(canonical(Object.fromEntries(Object.entries(body).filter(([key]) => !NOT_DECIDING.has(key))))));
}

/** Text of the fault in `metadata.sim_fault`, if any. */
export function metadataFaultOf(metadata: unknown): string | null {
  return isJsonObject(metadata) && typeof metadata.sim_fault === 'string' ? metadata.sim_fault : null;
}

/** Hands out due times: the first chunk at the time to the first token, each further one after its gap. */
export class Pacer {
  #offsetMs: number;
  #chunk = -1;
  readonly #plan: PlannedAnswer;

  constructor(plan: PlannedAnswer) {
    this.#plan = plan;
    this.#offsetMs = plan.ttftMs;
  }

  /** Due time of the chunk that was handed out last. */
  get nowMs(): number {
    return this.#offsetMs;
  }

  next(): number {
    this.#chunk++;
    if (this.#chunk > 0) this.#offsetMs += this.#plan.gapMs(this.#chunk - 1);
    return this.#offsetMs;
  }
}
