import { parseAnthropicRequest } from './anthropic-request.ts';
import type { WireFailure } from './chat-request.ts';
import type { FinishReason, PlannedAnswer } from './completion.ts';
import { seededRandom } from './seeded-random.ts';
import { tokenize } from './tokens.ts';
import { Pacer, type ReplyStamp, type WireDialect, type WireEvent } from './wire.ts';

function stopReason(finish: FinishReason): string {
  switch (finish) {
    case 'stop':
      return 'end_turn';
    case 'stop_sequence':
      return 'stop_sequence';
    case 'length':
      return 'max_tokens';
    case 'tool_calls':
      return 'tool_use';
    case 'refusal':
    case 'content_filter':
      return 'refusal';
  }
}

function usageBody({ usage }: PlannedAnswer, outputTokens: number): Record<string, unknown> {
  return {
    input_tokens: usage.uncachedInputTokens,
    cache_creation_input_tokens: usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
    cache_read_input_tokens: usage.cacheReadTokens,
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite5mTokens, ephemeral_1h_input_tokens: usage.cacheWrite1hTokens },
    output_tokens: outputTokens,
    service_tier: 'standard',
  };
}

interface Block {
  /** The block as it stands in a JSON answer. */
  readonly whole: Readonly<Record<string, unknown>>;
  /** The block as `content_block_start` shows it. */
  readonly start: Readonly<Record<string, unknown>>;
  readonly deltas: readonly Readonly<Record<string, unknown>>[];
}

function chunksOf(tokens: readonly string[], tokensPerChunk: number): string[] {
  const chunks: string[] = [];
  for (let at = 0; at < tokens.length; at += tokensPerChunk) chunks.push(tokens.slice(at, at + tokensPerChunk).join(''));
  return chunks;
}

function blocksOf(plan: PlannedAnswer, stamp: ReplyStamp): Block[] {
  const [choice] = plan.choices;
  const blocks: Block[] = [];
  if (plan.thinking !== '') {
    const signature = Buffer.from(`simulated:${seededRandom(stamp.id, 'signature').hex(48)}`).toString('base64');
    blocks.push({
      whole: { type: 'thinking', thinking: plan.thinking, signature },
      start: { type: 'thinking', thinking: '', signature: '' },
      deltas: [
        ...chunksOf(tokenize(plan.thinking), plan.tokensPerChunk).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature },
      ],
    });
  }
  const text = choice.tokens.join('');
  if (text !== '')
    blocks.push({
      whole: { type: 'text', text },
      start: { type: 'text', text: '' },
      deltas: chunksOf(choice.tokens, plan.tokensPerChunk).map((piece) => ({ type: 'text_delta', text: piece })),
    });
  for (const [position, call] of choice.toolCalls.entries()) {
    const id = `toolu_${seededRandom(stamp.id, 'tool', position).hex(24)}`;
    const input: unknown = JSON.parse(call.arguments);
    blocks.push({
      whole: { type: 'tool_use', id, name: call.name, input },
      start: { type: 'tool_use', id, name: call.name, input: {} },
      deltas: ['', ...chunksOf(tokenize(call.arguments), plan.tokensPerChunk)].map((piece) => ({
        type: 'input_json_delta',
        partial_json: piece,
      })),
    });
  }
  return blocks;
}

function messageBody(model: string, stamp: ReplyStamp): Record<string, unknown> {
  return { id: `msg_${stamp.id}`, type: 'message', role: 'assistant', model };
}

function renderBody(model: string, plan: PlannedAnswer, stamp: ReplyStamp): unknown {
  const [choice] = plan.choices;
  return {
    ...messageBody(model, stamp),
    content: blocksOf(plan, stamp).map((block) => block.whole),
    stop_reason: stopReason(choice.finish),
    stop_sequence: choice.stopSequence,
    ...(stamp.omitsUsage
      ? {}
      : { usage: { ...usageBody(plan, plan.usage.outputTokens), output_tokens_details: { thinking_tokens: plan.usage.reasoningTokens } } }),
  };
}

function renderEvents(model: string, plan: PlannedAnswer, stamp: ReplyStamp): WireEvent[] {
  const events: WireEvent[] = [];
  const pacer = new Pacer(plan);
  const [choice] = plan.choices;
  const push = (type: string, offsetMs: number, fields: Readonly<Record<string, unknown>>): void => {
    events.push({ event: type, data: JSON.stringify({ type, ...fields }), offsetMs });
  };
  push('message_start', plan.ttftMs, {
    message: {
      ...messageBody(model, stamp),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      ...(stamp.omitsUsage ? {} : { usage: usageBody(plan, 1) }),
    },
  });
  for (const [index, block] of blocksOf(plan, stamp).entries()) {
    push('content_block_start', pacer.nowMs, { index, content_block: block.start });
    if (index === 0) push('ping', pacer.nowMs, {});
    for (const delta of block.deltas) push('content_block_delta', pacer.next(), { index, delta });
    push('content_block_stop', pacer.nowMs, { index });
  }
  push('message_delta', pacer.nowMs, {
    delta: { stop_reason: stopReason(choice.finish), stop_sequence: choice.stopSequence },
    ...(stamp.omitsUsage
      ? {}
      : { usage: { ...usageBody(plan, plan.usage.outputTokens), output_tokens_details: { thinking_tokens: plan.usage.reasoningTokens } } }),
  });
  push('message_stop', pacer.nowMs, {});
  return events;
}

function errorType(failure: WireFailure): string {
  switch (failure.reason) {
    case 'bad_key':
      return 'authentication_error';
    case 'unknown_model':
    case 'unknown_path':
      return 'not_found_error';
    case 'rate_limited':
      return 'rate_limit_error';
    case 'overloaded':
      return 'overloaded_error';
    case 'server_error':
      return 'api_error';
    case 'too_large':
      return 'request_too_large';
    case 'invalid':
    case 'missing_parameter':
    case 'wrong_method':
    case 'context_length':
    case 'content_filter':
      return failure.status === 403 ? 'permission_error' : 'invalid_request_error';
  }
}

function errorBody(failure: WireFailure, requestId: string): unknown {
  return { type: 'error', error: { type: errorType(failure), message: failure.message }, request_id: requestId };
}

function model(name: string): unknown {
  return { type: 'model', id: name, display_name: `${name} (simulated)`, created_at: '2026-01-01T00:00:00Z' };
}

/** The wire format of Anthropic's messages. */
export const ANTHROPIC_WIRE: WireDialect = {
  name: 'anthropic',
  requestIdHeader: 'request-id',
  parse(raw) {
    const parsed = parseAnthropicRequest(raw);
    if (!parsed.ok) return parsed;
    const { request } = parsed;
    return {
      ok: true,
      wire: {
        request,
        renderBody: (plan, stamp) => renderBody(request.model, plan, stamp),
        renderEvents: (plan, stamp) => renderEvents(request.model, plan, stamp),
      },
    };
  },
  errorBody,
  errorEvent: (failure, requestId) => ({ event: 'error', data: JSON.stringify(errorBody(failure, requestId)), offsetMs: 0 }),
  modelList: (names) => ({ data: names.map(model), has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null }),
  model,
};
