import type { WireFailure } from './chat-request.ts';
import type { FinishReason, PlannedAnswer, PlannedChoice } from './completion.ts';
import { type OpenAiOptions, parseOpenAiRequest } from './openai-request.ts';
import { seededRandom } from './seeded-random.ts';
import { tokenize } from './tokens.ts';
import { Pacer, type ReplyStamp, type WireDialect, type WireEvent } from './wire.ts';

function finishText(finish: FinishReason): string {
  return finish === 'stop_sequence' || finish === 'refusal' ? 'stop' : finish;
}

function usageBody({ usage }: PlannedAnswer): unknown {
  const prompt = usage.uncachedInputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.outputTokens,
    total_tokens: prompt + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cacheReadTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
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

const callId = (stamp: ReplyStamp, choice: number, call: number): string => `call_${seededRandom(stamp.id, choice, call).hex(24)}`;

function envelope(object: string, model: string, stamp: ReplyStamp): Record<string, unknown> {
  return {
    id: `chatcmpl-${stamp.id}`,
    object,
    created: stamp.createdSeconds,
    model,
    service_tier: 'default',
    system_fingerprint: `fp_sim_${seededRandom(stamp.seed, model).hex(10)}`,
  };
}

function choiceBody(choice: PlannedChoice, index: number, options: OpenAiOptions, stamp: ReplyStamp): unknown {
  const text = choice.tokens.join('');
  const isRefusal = choice.finish === 'refusal';
  const toolCalls = choice.toolCalls.map((call, position) => ({
    id: callId(stamp, index, position),
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

/** The deltas of one choice, one list entry for each chunk in time. */
function deltasOf(
  choice: PlannedChoice,
  index: number,
  tokensPerChunk: number,
  stamp: ReplyStamp,
): { delta: Record<string, unknown>; tokens: readonly string[]; from: number }[] {
  const deltas: { delta: Record<string, unknown>; tokens: readonly string[]; from: number }[] = [];
  for (let from = 0; from < choice.tokens.length; from += tokensPerChunk) {
    const tokens = choice.tokens.slice(from, from + tokensPerChunk);
    deltas.push({ delta: { [choice.finish === 'refusal' ? 'refusal' : 'content']: tokens.join('') }, tokens, from });
  }
  for (const [position, call] of choice.toolCalls.entries()) {
    const start = { index: position, id: callId(stamp, index, position), type: 'function', function: { name: call.name, arguments: '' } };
    deltas.push({ delta: { tool_calls: [start] }, tokens: [], from: 0 });
    const tokens = tokenize(call.arguments);
    for (let from = 0; from < tokens.length; from += tokensPerChunk) {
      const piece = tokens.slice(from, from + tokensPerChunk).join('');
      deltas.push({ delta: { tool_calls: [{ index: position, function: { arguments: piece } }] }, tokens: [], from });
    }
  }
  return deltas;
}

function renderEvents(model: string, options: OpenAiOptions, plan: PlannedAnswer, stamp: ReplyStamp): WireEvent[] {
  const events: WireEvent[] = [];
  const pacer = new Pacer(plan);
  const sendsUsage = options.includesUsage && !stamp.omitsUsage;
  const base = envelope('chat.completion.chunk', model, stamp);
  const push = (offsetMs: number, choices: unknown[], usage: unknown = null): void => {
    events.push({ event: null, data: JSON.stringify({ ...base, choices, ...(sendsUsage ? { usage } : {}) }), offsetMs });
  };
  const lists = plan.choices.map((choice, index) => deltasOf(choice, index, plan.tokensPerChunk, stamp));
  for (const [index, choice] of plan.choices.entries()) {
    const content = choice.toolCalls.length > 0 || choice.finish === 'refusal' ? null : '';
    push(plan.ttftMs, [{ index, delta: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: null }]);
  }
  const longest = Math.max(...lists.map((list) => list.length));
  for (let chunk = 0; chunk < longest; chunk++) {
    const offsetMs = pacer.next();
    for (const [index, list] of lists.entries()) {
      const entry = list[chunk];
      if (entry === undefined) continue;
      const logprobs =
        options.topLogprobs === null || entry.tokens.length === 0 ? null : logprobsOf(entry.tokens, options.topLogprobs, stamp, entry.from);
      push(offsetMs, [{ index, delta: entry.delta, logprobs, finish_reason: null }]);
    }
  }
  for (const [index, choice] of plan.choices.entries())
    push(pacer.nowMs, [{ index, delta: {}, logprobs: null, finish_reason: finishText(choice.finish) }]);
  if (sendsUsage) push(pacer.nowMs, [], usageBody(plan));
  events.push({ event: null, data: '[DONE]', offsetMs: pacer.nowMs });
  return events;
}

/** `error.type` and `error.code` as OpenAI sets them. */
function errorWords(reason: WireFailure['reason']): { type: string; code: string | null } {
  switch (reason) {
    case 'unknown_model':
      return { type: 'invalid_request_error', code: 'model_not_found' };
    case 'missing_parameter':
      return { type: 'invalid_request_error', code: 'missing_required_parameter' };
    case 'bad_key':
      return { type: 'invalid_request_error', code: 'invalid_api_key' };
    case 'rate_limited':
      return { type: 'requests', code: 'rate_limit_exceeded' };
    case 'overloaded':
    case 'server_error':
      return { type: 'server_error', code: null };
    case 'context_length':
      return { type: 'invalid_request_error', code: 'context_length_exceeded' };
    case 'content_filter':
      return { type: 'invalid_request_error', code: 'content_filter' };
    case 'unknown_path':
      return { type: 'invalid_request_error', code: 'unknown_url' };
    case 'invalid':
    case 'wrong_method':
    case 'too_large':
      return { type: 'invalid_request_error', code: null };
  }
}

function errorBody(failure: WireFailure): unknown {
  return { error: { message: failure.message, ...errorWords(failure.reason), param: failure.parameter } };
}

function model(name: string): unknown {
  return { id: name, object: 'model', created: 1_767_225_600, owned_by: 'plimsoll-simulated' };
}

/** The wire format of OpenAI's chat completions. */
export const OPENAI_WIRE: WireDialect = {
  name: 'openai',
  requestIdHeader: 'x-request-id',
  parse(raw) {
    const parsed = parseOpenAiRequest(raw);
    if (!parsed.ok) return parsed;
    const { request, options } = parsed;
    return {
      ok: true,
      wire: {
        request,
        renderBody: (plan, stamp) => ({
          ...envelope('chat.completion', request.model, stamp),
          choices: plan.choices.map((choice, index) => choiceBody(choice, index, options, stamp)),
          ...(stamp.omitsUsage ? {} : { usage: usageBody(plan) }),
        }),
        renderEvents: (plan, stamp) => renderEvents(request.model, options, plan, stamp),
      },
    };
  },
  errorBody,
  errorEvent: (failure) => ({ event: null, data: JSON.stringify(errorBody(failure)), offsetMs: 0 }),
  modelList: (names) => ({ object: 'list', data: names.map(model) }),
  model,
};
