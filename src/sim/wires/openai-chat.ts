import { type WireFailure, wireFailure } from '../chat-request.ts';
import type { FinishReason, PlannedAnswer, PlannedChoice } from '../completion.ts';
import { SSE } from '../framings.ts';
import { isJsonObject } from '../schema-values.ts';
import { seededRandom } from '../seeded-random.ts';
import { countTokens, tokenize } from '../tokens.ts';
import { chunksOf, failed, Pacer, type ReplyStamp, type WireEndpoint, type WireEvent } from '../wire.ts';
import { type OpenAiOptions, parseOpenAiRequest } from './openai-chat-request.ts';

/** In what a provider that speaks this format differs from OpenAI. */
export interface ChatQuirks {
  toolCallId(stamp: ReplyStamp, choice: number, call: number): string;
  /** A call comes in one delta with all its arguments. */
  readonly sendsCallsWhole: boolean;
  /** The last chunk of a stream has the usage, asked for or not, and there is no chunk for it alone. */
  readonly sendsUsageWithFinish: boolean;
  /** Members of a request that are refused. */
  readonly refused: readonly string[];
  refusal(name: string): WireFailure;
  /** Words of the dialect as OpenAI has them. */
  adapt(body: unknown): unknown;
}

const OPENAI_QUIRKS: ChatQuirks = {
  toolCallId: (stamp, choice, call) => `call_${seededRandom(stamp.id, choice, call).hex(24)}`,
  sendsCallsWhole: false,
  sendsUsageWithFinish: false,
  refused: [],
  refusal: (name) => wireFailure(400, 'invalid', `Unrecognized request argument supplied: ${name}`, { parameter: name }),
  adapt: (body) => body,
};

function finishText(finish: FinishReason): string {
  return finish === 'stop_sequence' || finish === 'refusal' ? 'stop' : finish;
}

/** The `usage` object of chat and text completions, with so many output tokens. */
export function chatUsage({ usage }: PlannedAnswer, generatedTokens: number): unknown {
  const prompt = usage.uncachedInputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  return {
    prompt_tokens: prompt,
    completion_tokens: generatedTokens,
    total_tokens: prompt + generatedTokens,
    prompt_tokens_details: { cached_tokens: usage.cacheReadTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: Math.min(usage.reasoningTokens, generatedTokens),
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

const ALTERNATIVES = [
  ' the',
  ' a',
  ' and',
  ',',
  '.',
  ' to',
  ' of',
  ' in',
  ' is',
  ' you',
  ' it',
  ' for',
  ' on',
  ' that',
  ' with',
  ' be',
  ' we',
  ' as',
  ' at',
  ' or',
];

function logprobsOf(tokens: readonly string[], top: number, stamp: ReplyStamp, from: number): unknown {
  const row = (token: string, logprob: number): Record<string, unknown> => ({ token, logprob, bytes: [...Buffer.from(token)] });
  return {
    content: tokens.map((token, position) => {
      const random = seededRandom(stamp.seed, token, from + position);
      const logprob = -random.exponential(0.25);
      const others = ALTERNATIVES.filter((other) => other !== token).slice(0, Math.max(0, top - 1));
      return {
        ...row(token, logprob),
        top_logprobs:
          top === 0 ? [] : [row(token, logprob), ...others.map((other, rank) => row(other, logprob - 1.5 - rank - random.next()))],
      };
    }),
    refusal: null,
  };
}

function envelope(object: string, model: string, stamp: ReplyStamp): Record<string, unknown> {
  return {
    id: `chatcmpl-${stamp.id}`,
    object,
    created: stamp.createdSeconds,
    model,
    service_tier: 'default',
    system_fingerprint: stamp.systemFingerprint,
  };
}

function choiceBody(choice: PlannedChoice, index: number, options: OpenAiOptions, stamp: ReplyStamp, quirks: ChatQuirks): unknown {
  const text = choice.tokens.join('');
  const isRefusal = choice.finish === 'refusal';
  const toolCalls = choice.toolCalls.map((call, position) => ({
    id: quirks.toolCallId(stamp, index, position),
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
  }));
  return {
    index,
    message: {
      role: 'assistant',
      content: isRefusal || toolCalls.length > 0 ? null : text,
      refusal: isRefusal ? text : null,
      annotations: [],
      ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
    },
    logprobs: options.topLogprobs === null ? null : logprobsOf(choice.tokens, options.topLogprobs, stamp, 0),
    finish_reason: finishText(choice.finish),
  };
}

interface ChoiceDelta {
  readonly delta: Readonly<Record<string, unknown>>;
  /** Tokens of visible text, for log probabilities. */
  readonly tokens: readonly string[];
  readonly from: number;
  /** Tokens that were generated for it (count). */
  readonly generated: number;
}

/** The deltas of one choice, one list entry for each chunk in time. */
function deltasOf(choice: PlannedChoice, index: number, tokensPerChunk: number, stamp: ReplyStamp, quirks: ChatQuirks): ChoiceDelta[] {
  const deltas: ChoiceDelta[] = [];
  for (let from = 0; from < choice.tokens.length; from += tokensPerChunk) {
    const tokens = choice.tokens.slice(from, from + tokensPerChunk);
    const delta = { [choice.finish === 'refusal' ? 'refusal' : 'content']: tokens.join('') };
    deltas.push({ delta, tokens, from, generated: tokens.length });
  }
  for (const [position, call] of choice.toolCalls.entries()) {
    const started = { index: position, id: quirks.toolCallId(stamp, index, position), type: 'function' };
    const begin = (text: string): unknown => ({ ...started, function: { name: call.name, arguments: text } });
    const nameTokens = countTokens(call.name);
    if (quirks.sendsCallsWhole) {
      const generated = nameTokens + countTokens(call.arguments);
      deltas.push({ delta: { content: '', tool_calls: [begin(call.arguments)] }, tokens: [], from: 0, generated });
      continue;
    }
    deltas.push({ delta: { tool_calls: [begin('')] }, tokens: [], from: 0, generated: nameTokens });
    for (const { text, tokens } of chunksOf(tokenize(call.arguments), tokensPerChunk))
      deltas.push({
        delta: { tool_calls: [{ index: position, function: { arguments: text } }] },
        tokens: [],
        from: 0,
        generated: tokens,
      });
  }
  return deltas;
}

function renderEvents(model: string, options: OpenAiOptions, plan: PlannedAnswer, stamp: ReplyStamp, quirks: ChatQuirks): WireEvent[] {
  const events: WireEvent[] = [];
  const pacer = new Pacer(plan);
  const base = envelope('chat.completion.chunk', model, stamp);
  const push = (choices: unknown[], usage: unknown = null): void => {
    const running = options.continuousUsage ? chatUsage(plan, pacer.now.generatedTokens) : usage;
    const hasUsage = options.includesUsage || (quirks.sendsUsageWithFinish && usage !== null);
    events.push({ event: null, data: JSON.stringify({ ...base, choices, ...(hasUsage ? { usage: running } : {}) }), ...pacer.now });
  };
  const lists = plan.choices.map((choice, index) => deltasOf(choice, index, plan.tokensPerChunk, stamp, quirks));
  for (const [index, choice] of plan.choices.entries()) {
    const content = choice.toolCalls.length > 0 || choice.finish === 'refusal' ? null : '';
    push([{ index, delta: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: null }]);
  }
  const longest = Math.max(...lists.map((list) => list.length));
  for (let chunk = 0; chunk < longest; chunk++) {
    pacer.next(0);
    for (const [index, list] of lists.entries()) {
      const entry = list[chunk];
      if (entry === undefined) continue;
      pacer.count(entry.generated);
      const logprobs =
        options.topLogprobs === null || entry.tokens.length === 0 ? null : logprobsOf(entry.tokens, options.topLogprobs, stamp, entry.from);
      push([{ index, delta: entry.delta, logprobs, finish_reason: null }]);
    }
  }
  const total = chatUsage(plan, plan.usage.outputTokens);
  for (const [index, choice] of plan.choices.entries()) {
    const isLast = index === plan.choices.length - 1;
    const ended = { index, delta: {}, logprobs: null, finish_reason: finishText(choice.finish) };
    push([ended], quirks.sendsUsageWithFinish && isLast ? total : null);
  }
  if (options.includesUsage) push([], total);
  events.push({ event: null, data: '[DONE]', ...pacer.now });
  return events;
}

/** Chat completions of a provider that speaks this format. */
export function chatEndpoint(path: RegExp, quirks: ChatQuirks): WireEndpoint {
  return {
    method: 'POST',
    path,
    handle({ body, groups }) {
      const refused = isJsonObject(body) ? quirks.refused.find((name) => body[name] !== undefined) : undefined;
      if (refused !== undefined) return failed(quirks.refusal(refused));
      const parsed = parseOpenAiRequest(quirks.adapt(body), groups.deployment ?? null);
      if (!parsed.ok) return failed(parsed.failure);
      const { request, options } = parsed;
      return {
        kind: 'generate',
        request,
        framing: SSE,
        renderBody: (plan, stamp) => ({
          ...envelope('chat.completion', request.model, stamp),
          choices: plan.choices.map((choice, index) => choiceBody(choice, index, options, stamp, quirks)),
          usage: chatUsage(plan, plan.usage.outputTokens),
        }),
        renderEvents: (plan, stamp) => renderEvents(request.model, options, plan, stamp, quirks),
      };
    },
  };
}

/** `POST /v1/chat/completions`, also under Azure's deployment paths. */
export const openAiChat = chatEndpoint(/^(?:v1\/|openai\/deployments\/(?<deployment>[^/]+)\/)?chat\/completions$/, OPENAI_QUIRKS);
