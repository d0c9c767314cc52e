import { Pool } from 'undici';
import { z } from 'zod';
import { isErrorCode, PlimsollError } from '../../kernel/errors.ts';
import { type PicoUsd, picoUsdFromDecimal } from '../../kernel/money.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { JsonValue } from '../scorer.ts';

/** Read loosely: only what we use. */
const Token = z.object({
  token: z.string(),
  logprob: z.number(),
  top_logprobs: z.array(z.object({ token: z.string(), logprob: z.number() })).nullish(),
});
const ChatAnswer = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({
          content: z.union([z.string(), z.array(z.object({ text: z.string().optional() }))]).nullish(),
          tool_calls: z.array(z.object({ function: z.object({ name: z.string(), arguments: z.string().nullish() }) })).nullish(),
        }),
        logprobs: z.object({ content: z.array(Token).nullish() }).nullish(),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() }).nullish(),
});
export type ChatAnswer = z.infer<typeof ChatAnswer>;
const Problem = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) });

export interface ModelAnswer {
  readonly answer: ChatAnswer;
  readonly latencyMs: number;
  /** Null = unpriced. */
  readonly costPicoUsd: PicoUsd | null;
  readonly traceId: string | null;
  /** Model alias that answered. */
  readonly model: string | null;
  readonly isCached: boolean;
  /** Given again for its idempotency key; paid for before. */
  readonly isReplayed: boolean;
}

/** How the runner reaches models: a gateway's `/v1`. */
export interface ModelCaller {
  /**
   * @param key the same for the same item of the same run: what was paid for is not paid for again
   * @throws PlimsollError the gateway's own error; `provider_unavailable` when none answers; `retry-after` seconds in details.retryAfterMs
   */
  chat(body: Readonly<Record<string, JsonValue>>, key: string, options: { readonly mayUseCache: boolean }): Promise<ModelAnswer>;
  /** Any other JSON path of /v1, for scorers. */
  post(path: string, body: JsonValue, key: string): Promise<{ readonly value: unknown; readonly costPicoUsd: PicoUsd | null }>;
}

export interface GatewayAccess {
  /** Without a path. */
  readonly url: string;
  readonly virtualKey: string;
  readonly feature: string | null;
  /** Tags of every call: `eval=<run>`. */
  readonly tags: string;
  readonly connections: number;
}

const TIMEOUT_MS = 600_000;

export class GatewayCaller implements ModelCaller {
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, virtualKey, feature, tags, connections }: GatewayAccess) {
    this.#pool = new Pool(new URL(url).origin, { connections, pipelining: 1, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
    this.#headers = {
      authorization: `Bearer ${virtualKey}`,
      'content-type': 'application/json',
      'x-plimsoll-tags': tags,
      ...(feature === null ? {} : { 'x-plimsoll-feature': feature }),
    };
  }

  async chat(
    body: Readonly<Record<string, JsonValue>>,
    key: string,
    { mayUseCache }: { readonly mayUseCache: boolean },
  ): Promise<ModelAnswer> {
    const startedMs = performance.now();
    const { text, headers } = await this.#send('/v1/chat/completions', body, key, mayUseCache);
    const latencyMs = performance.now() - startedMs;
    const parsed = ChatAnswer.safeParse(jsonOf(text));
    if (!parsed.success) throw new PlimsollError('provider_bad_response', `The answer is no chat completion: ${text.slice(0, 200)}`);
    const { 'x-plimsoll-cache': cache = '' } = headers;
    return {
      answer: parsed.data,
      latencyMs,
      costPicoUsd: costOf(headers),
      traceId: headers['x-plimsoll-trace-id'] ?? null,
      model: headers['x-plimsoll-model'] ?? null,
      isCached: /^(hit|exact|near|semantic)/.test(cache),
      isReplayed: headers['x-plimsoll-idempotent-replay'] === 'true',
    };
  }

  async post(path: string, body: JsonValue, key: string): Promise<{ value: unknown; costPicoUsd: PicoUsd | null }> {
    const { text, headers } = await this.#send(path, body, key, true);
    return { value: jsonOf(text), costPicoUsd: costOf(headers) };
  }

  async #send(
    path: string,
    body: JsonValue,
    key: string,
    mayUseCache: boolean,
  ): Promise<{ text: string; headers: Record<string, string> }> {
    let answer: Awaited<ReturnType<Pool['request']>>;
    let text: string;
    try {
      answer = await this.#pool.request({
        path,
        method: 'POST',
        headers: { ...this.#headers, 'idempotency-key': key, ...(mayUseCache ? {} : { 'x-plimsoll-cache': 'bypass' }) },
        body: JSON.stringify(body),
      });
      text = await answer.body.text();
    } catch (cause) {
      throw new PlimsollError('provider_unavailable', `The gateway did not answer: ${(cause as Error).message}`, { cause });
    }
    const headers = answer.headers as Record<string, string>; // those we read come once
    if (answer.statusCode < 300) return { text, headers };
    const problem = Problem.safeParse(jsonOf(text));
    const code = problem.data?.error.code;
    const retryAfter = Number(headers['retry-after']);
    throw new PlimsollError(
      isErrorCode(code) ? code : codeOf(answer.statusCode),
      problem.data?.error.message ?? `HTTP ${answer.statusCode}`,
      {
        details: { status: answer.statusCode, ...(retryAfter >= 0 ? { retryAfterMs: retryAfter * 1000 } : {}) },
      },
    );
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

/** Of an answer that is not our gateway's, so that other OpenAI-compatible servers can be asked too. */
function codeOf(status: number): 'rate_limited' | 'provider_unavailable' | 'unauthenticated' | 'permission_denied' | 'invalid_argument' {
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'provider_unavailable';
  return status === 401 ? 'unauthenticated' : status === 403 ? 'permission_denied' : 'invalid_argument';
}

function costOf(headers: Record<string, string>): PicoUsd | null {
  const text = headers['x-plimsoll-cost-usd'];
  return text === undefined ? null : picoUsdFromDecimal(text);
}

function jsonOf(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return null;
  }
}
