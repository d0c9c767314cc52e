import { detect } from 'tinyld/light';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { estimateTokensFromCharacters } from '../../models/token-estimate.ts';
import { requestParameters } from '../body/chat-body.ts';
import type { Call } from '../call.ts';
import type { RouteFacts } from './condition.ts';
import { type PromptView, viewCall } from './prompt-view.ts';

/** Enough to tell a language; more only takes longer. */
const LANGUAGE_CHARACTERS = 120;

/** What conditions and strategies ask of a call; each answer is worked out when it is first asked for. */
export class CallFacts implements RouteFacts {
  readonly tags: Readonly<Record<string, string>>;
  readonly feature: string;
  readonly team: string | null;
  readonly estimatedInputTokens: number;
  readonly isStream: boolean;
  readonly nowMs: number;
  readonly #call: Call;
  #parameters: Readonly<Record<string, unknown>> | null = null;
  #prompt: PromptView | null | undefined;
  #language: string | null = null;

  constructor(call: Call, nowMs: number) {
    this.#call = call;
    this.tags = call.tags;
    this.feature = call.caller?.feature.name ?? '';
    this.team = call.caller?.key.team ?? null;
    this.estimatedInputTokens = estimateTokensFromCharacters(call.body?.bytes.length ?? 0);
    this.isStream = call.body?.isStream ?? false;
    this.nowMs = nowMs;
  }

  /** Null when the request cannot be read. */
  prompt(): PromptView | null {
    if (this.#prompt === undefined) this.#prompt = viewCall(this.#call);
    return this.#prompt;
  }

  language(): string {
    this.#language ??= detect((this.prompt()?.text ?? '').slice(0, LANGUAGE_CHARACTERS));
    return this.#language;
  }

  parameter(name: string): number | null {
    this.#parameters ??= this.#call.body === null ? {} : (parseJsonText(requestParameters(this.#call.body)) as Record<string, unknown>);
    const value = this.#parameters[name];
    return typeof value === 'number' ? value : null;
  }

  maxOutputTokens(): number | null {
    return this.parameter('max_completion_tokens') ?? this.parameter('max_tokens');
  }

  hasTools(): boolean {
    return (this.prompt()?.tools ?? 0) > 0;
  }
}
