import type { Fault } from './faults.ts';

/** A request after parsing, without the dialect it came in. */
export interface ChatTurn {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly text: string;
  /** Tokens that are not text: images, sound, the arguments of earlier tool calls. */
  readonly extraTokens: number;
  /** Ends a prefix to be cached (Anthropic's `cache_control`). */
  readonly cacheMark: '5m' | '1h' | null;
}

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON schema of the arguments. */
  readonly parameters: unknown;
}

/** `named` forces one tool. */
export type ToolChoice = { readonly kind: 'auto' | 'none' | 'required' } | { readonly kind: 'named'; readonly name: string };

export type AnswerFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json_object' }
  | { readonly kind: 'json_schema'; readonly schema: unknown };

export interface ChatRequest {
  readonly model: string;
  readonly turns: readonly ChatTurn[];
  readonly tools: readonly ToolSpec[];
  readonly toolChoice: ToolChoice;
  readonly allowsParallelTools: boolean;
  /** Null = the model's own maximum. */
  readonly maxOutputTokens: number | null;
  readonly stop: readonly string[];
  readonly format: AnswerFormat;
  readonly choiceCount: number;
  /** Visible thinking was asked for (Anthropic's `thinking`). */
  readonly showsThinking: boolean;
  /** How the provider caches prefixes: by itself, or only where the request marks them. */
  readonly caching: 'automatic' | 'marked';
  readonly isStream: boolean;
  /** sha-256 of everything that decides the answer. */
  readonly fingerprint: string;
  /** From `metadata.sim_fault`. */
  readonly metadataFault: string | null;
}

/** Why a provider does not answer, without the dialect of its error body. */
export interface WireFailure {
  readonly status: number;
  readonly reason:
    | 'invalid'
    | 'missing_parameter'
    | 'unknown_model'
    | 'unknown_path'
    | 'not_found'
    | 'wrong_method'
    | 'bad_key'
    | 'rate_limited'
    | 'overloaded'
    | 'server_error'
    | 'context_length'
    | 'content_filter'
    | 'too_large';
  readonly message: string;
  /** Name of the wrong parameter. */
  readonly parameter: string | null;
  /** Header that says when to try again. */
  readonly retryAfter: Fault['retryAfter'];
}

export function wireFailure(
  status: number,
  reason: WireFailure['reason'],
  message: string,
  options: { readonly parameter?: string; readonly retryAfter?: Fault['retryAfter'] } = {},
): WireFailure {
  return { status, reason, message, parameter: options.parameter ?? null, retryAfter: options.retryAfter ?? null };
}
