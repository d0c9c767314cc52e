import { z } from 'zod';
import { PlimsollError } from '../../../kernel/errors.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { AnswerFacts } from '../../provider.ts';
import { toOpenAiUsage } from '../../usage.ts';
import { classifyErrorObject } from './errors.ts';
import { readAnthropicUsage } from './usage.ts';

/** Anthropic's reasons in OpenAI's words; a reason that we do not know passes as it is, never as a success. */
const FINISH_REASONS: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

export function finishReason(stopReason: string): string {
  return Object.hasOwn(FINISH_REASONS, stopReason) ? (FINISH_REASONS[stopReason] ?? stopReason) : stopReason;
}

/** The explanation of a refusal, when there is one. */
export function refusalText(stopDetails: unknown): string | null {
  return isObject(stopDetails) && typeof stopDetails.explanation === 'string' ? stopDetails.explanation : null;
}

/** Read loosely: only what we use. */
const Answer = z.object({
  type: z.literal('message'),
  id: z.string(),
  model: z.string().nullish(),
  content: z.array(z.unknown()),
  stop_reason: z.string(),
  stop_details: z.unknown().optional(),
  usage: z.unknown().optional(),
});

/** What the blocks of one answer hold, in OpenAI's terms. Blocks of a type that we do not know are skipped. */
interface Collected {
  text: string;
  reasoning: string;
  readonly thinkingBlocks: JsonObject[];
  readonly toolCalls: JsonObject[];
  characters: number;
}

function collect(blocks: readonly unknown[]): Collected {
  const collected: Collected = { text: '', reasoning: '', thinkingBlocks: [], toolCalls: [], characters: 0 };
  for (const block of blocks) {
    if (!isObject(block)) continue;
    if (block.type === 'text' && typeof block.text === 'string') collected.text += block.text;
    else if (block.type === 'thinking' && typeof block.thinking === 'string') {
      collected.reasoning += block.thinking;
      collected.thinkingBlocks.push({ type: 'thinking', thinking: block.thinking, signature: block.signature ?? '' });
    } else if (block.type === 'redacted_thinking') collected.thinkingBlocks.push({ type: 'redacted_thinking', data: block.data });
    else if (block.type === 'tool_use' && typeof block.id === 'string' && typeof block.name === 'string') {
      const text = JSON.stringify(block.input ?? {});
      collected.characters += block.name.length + text.length;
      collected.toolCalls.push({ id: block.id, type: 'function', function: { name: block.name, arguments: text } });
    }
  }
  collected.characters += collected.text.length + collected.reasoning.length;
  return collected;
}

/**
 * Anthropic message → OpenAI `chat.completion`. Beyond OpenAI's format: `reasoning_content` (the thinking as text) and `thinking_blocks`
 * (thinking with signatures, to be sent back unchanged in the next request).
 * @throws PlimsollError `provider_bad_response`, or the code of the error when the body is one
 */
export function decodeAnswer(body: unknown, requestedModel: string, createdSeconds: number): { completion: unknown; facts: AnswerFacts } {
  if (isObject(body) && body.type === 'error') {
    const { code, message } = classifyErrorObject(body.error, 200);
    throw new PlimsollError(code, message);
  }
  const parsed = Answer.safeParse(body);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
    throw new PlimsollError('provider_bad_response', `Anthropic's answer is not a message: ${issues.join('; ')}`, { details: { issues } });
  }
  const { id, model, content, stop_reason, stop_details, usage: providerUsage } = parsed.data;
  const { text, reasoning, thinkingBlocks, toolCalls, characters } = collect(content);
  const usage = readAnthropicUsage(providerUsage);
  const reason = finishReason(stop_reason);
  const completion = {
    id,
    object: 'chat.completion',
    created: createdSeconds,
    model: model ?? requestedModel,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text !== '' || toolCalls.length === 0 ? text : null,
          refusal: refusalText(stop_details),
          ...(reasoning !== '' ? { reasoning_content: reasoning } : {}),
          ...(thinkingBlocks.length > 0 ? { thinking_blocks: thinkingBlocks } : {}),
          ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
        },
        logprobs: null,
        finish_reason: reason,
      },
    ],
    ...(usage !== null ? { usage: toOpenAiUsage(usage) } : {}),
  };
  const facts = {
    responseId: id,
    responseModel: model ?? null,
    finishReasons: [reason],
    usage,
    providerUsage: providerUsage ?? null,
    outputCharacters: characters,
  };
  return { completion, facts };
}
