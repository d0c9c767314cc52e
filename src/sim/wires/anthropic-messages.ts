import { parseJsonText } from '../../kernel/parse-json.ts';
import { countInputTokens, type FinishReason, type PlannedAnswer } from '../completion.ts';
import { SSE } from '../framings.ts';
import { seededRandom } from '../seeded-random.ts';
import { countTokens, tokenize } from '../tokens.ts';
import { chunksOf, Pacer, type ReplyStamp, type WireEndpoint, type WireEvent } from '../wire.ts';
import { parseAnthropicRequest } from './anthropic-messages-request.ts';

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
  /** Tokens that `content_block_start` stands for (count). */
  readonly startTokens: number;
  readonly deltas: readonly { readonly body: Readonly<Record<string, unknown>>; readonly tokens: number }[];
}

function blocksOf(plan: PlannedAnswer, stamp: ReplyStamp): Block[] {
  const [choice] = plan.choices;
  const blocks: Block[] = [];
  if (plan.thinking !== '') {
    const signature = Buffer.from(`simulated:${seededRandom(stamp.id, 'signature').hex(48)}`).toString('base64');
    blocks.push({
      whole: { type: 'thinking', thinking: plan.thinking, signature },
      start: { type: 'thinking', thinking: '', signature: '' },
      startTokens: 0,
      deltas: [
        ...chunksOf(tokenize(plan.thinking), plan.tokensPerChunk).map((chunk) => ({
          body: { type: 'thinking_delta', thinking: chunk.text },
          tokens: chunk.tokens,
        })),
        { body: { type: 'signature_delta', signature }, tokens: 0 },
      ],
    });
  }
  const text = choice.tokens.join('');
  if (text !== '')
    blocks.push({
      whole: { type: 'text', text },
      start: { type: 'text', text: '' },
      startTokens: 0,
      deltas: chunksOf(choice.tokens, plan.tokensPerChunk).map((chunk) => ({
        body: { type: 'text_delta', text: chunk.text },
        tokens: chunk.tokens,
      })),
    });
  for (const [position, call] of choice.toolCalls.entries()) {
    const id = `toolu_${seededRandom(stamp.id, 'tool', position).hex(24)}`;
    const input: unknown = parseJsonText(call.arguments);
    blocks.push({
      whole: { type: 'tool_use', id, name: call.name, input },
      start: { type: 'tool_use', id, name: call.name, input: {} },
      startTokens: countTokens(call.name),
      deltas: [{ text: '', tokens: 0 }, ...chunksOf(tokenize(call.arguments), plan.tokensPerChunk)].map((chunk) => ({
        body: { type: 'input_json_delta', partial_json: chunk.text },
        tokens: chunk.tokens,
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
    usage: { ...usageBody(plan, plan.usage.outputTokens), output_tokens_details: { thinking_tokens: plan.usage.reasoningTokens } },
  };
}

function renderEvents(model: string, plan: PlannedAnswer, stamp: ReplyStamp): WireEvent[] {
  const events: WireEvent[] = [];
  const pacer = new Pacer(plan);
  const [choice] = plan.choices;
  const push = (type: string, fields: Readonly<Record<string, unknown>>): void => {
    events.push({ event: type, data: JSON.stringify({ type, ...fields }), ...pacer.now });
  };
  push('message_start', {
    message: {
      ...messageBody(model, stamp),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: usageBody(plan, 1),
    },
  });
  for (const [index, block] of blocksOf(plan, stamp).entries()) {
    pacer.count(block.startTokens);
    push('content_block_start', { index, content_block: block.start });
    if (index === 0) push('ping', {});
    for (const { body, tokens } of block.deltas) {
      pacer.next(tokens);
      push('content_block_delta', { index, delta: body });
    }
    push('content_block_stop', { index });
  }
  push('message_delta', {
    delta: { stop_reason: stopReason(choice.finish), stop_sequence: choice.stopSequence },
    usage: { ...usageBody(plan, plan.usage.outputTokens), output_tokens_details: { thinking_tokens: plan.usage.reasoningTokens } },
  });
  push('message_stop', {});
  return events;
}

/** `POST /v1/messages` and its `count_tokens`. */
export const anthropicMessages: readonly WireEndpoint[] = [
  {
    method: 'POST',
    path: /^(?:v1\/)?messages$/,
    handle({ body }) {
      const parsed = parseAnthropicRequest(body);
      if (!parsed.ok) return { kind: 'failure', failure: parsed.failure };
      const { request } = parsed;
      return {
        kind: 'generate',
        request,
        framing: SSE,
        renderBody: (plan, stamp) => renderBody(request.model, plan, stamp),
        renderEvents: (plan, stamp) => renderEvents(request.model, plan, stamp),
      };
    },
  },
  {
    method: 'POST',
    path: /^(?:v1\/)?messages\/count_tokens$/,
    handle({ body }) {
      const parsed = parseAnthropicRequest(body, true);
      return parsed.ok
        ? { kind: 'reply', body: { input_tokens: countInputTokens(parsed.request) } }
        : { kind: 'failure', failure: parsed.failure };
    },
  },
];
