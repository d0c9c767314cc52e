import { count, field, list, text, total } from './loose.ts';
import { type TextCollector, toMessages } from './messages.ts';
import type { ObservedAnswer, ObservedCall } from './span.ts';

/** How one kind of call is read. Each function reads only, and bears anything. */
export interface CallDialect {
  readonly provider: ObservedCall['provider'];
  readonly operation: ObservedCall['operation'];
  input(request: unknown): string | null;
  /** Takes what a whole answer says. @returns its texts */
  readAnswer(answer: ObservedAnswer, value: unknown): string | null;
  /** Takes what an event of a stream says. @returns whether it carries content */
  readEvent(answer: ObservedAnswer, event: unknown, texts: TextCollector): boolean;
}

function readHead(answer: ObservedAnswer, value: unknown): void {
  answer.responseId = text(field(value, 'id')) ?? answer.responseId;
  answer.responseModel = text(field(value, 'model')) ?? answer.responseModel;
}

function readOpenAiUsage(answer: ObservedAnswer, usage: unknown): void {
  const input = count(field(usage, 'prompt_tokens')) ?? count(field(usage, 'input_tokens'));
  if (input === null) return;
  answer.inputTokens = input;
  answer.outputTokens = count(field(usage, 'completion_tokens')) ?? count(field(usage, 'output_tokens'));
  const inputDetails = field(usage, 'prompt_tokens_details') ?? field(usage, 'input_tokens_details');
  const outputDetails = field(usage, 'completion_tokens_details') ?? field(usage, 'output_tokens_details');
  answer.cacheReadTokens = count(field(inputDetails, 'cached_tokens'));
  answer.reasoningTokens = count(field(outputDetails, 'reasoning_tokens'));
}

/** OpenAI's chat completions, and what speaks like it. */
const openAiChat: CallDialect = {
  provider: 'openai',
  operation: 'chat',
  input: (request) => toMessages(list(field(request, 'messages'))),
  readAnswer(answer, value) {
    readHead(answer, value);
    readOpenAiUsage(answer, field(value, 'usage'));
    const choices = list(field(value, 'choices'));
    answer.finishReasons = choices.flatMap((choice) => text(field(choice, 'finish_reason')) ?? []);
    return toMessages(choices.map((choice) => field(choice, 'message')));
  },
  readEvent(answer, event, texts) {
    readHead(answer, event);
    readOpenAiUsage(answer, field(event, 'usage'));
    let hasContent = false;
    for (const choice of list(field(event, 'choices'))) {
      const reason = text(field(choice, 'finish_reason'));
      if (reason !== null) answer.finishReasons.push(reason);
      const delta = field(choice, 'delta');
      const words = text(field(delta, 'content')) ?? text(field(delta, 'refusal'));
      texts.add(words);
      hasContent ||= words !== null || list(field(delta, 'tool_calls')).length > 0;
    }
    return hasContent;
  },
};

function readResponse(answer: ObservedAnswer, value: unknown): string | null {
  readHead(answer, value);
  readOpenAiUsage(answer, field(value, 'usage'));
  const status = text(field(value, 'status'));
  if (status !== null && status !== 'in_progress') answer.finishReasons = [status === 'completed' ? 'stop' : status];
  const output = list(field(value, 'output')).filter((item) => field(item, 'type') === 'message');
  return toMessages(output);
}

/** OpenAI's responses. */
const openAiResponses: CallDialect = {
  provider: 'openai',
  operation: 'chat',
  input(request) {
    const input = field(request, 'input');
    return toMessages(typeof input === 'string' ? [{ role: 'user', content: input }] : list(input));
  },
  readAnswer: readResponse,
  readEvent(answer, event, texts) {
    const type = text(field(event, 'type')) ?? '';
    if (/^response\.(created|completed|incomplete|failed)$/.test(type)) readResponse(answer, field(event, 'response'));
    if (type === 'response.output_text.delta') texts.add(field(event, 'delta'));
    return type.endsWith('.delta');
  },
};

const openAiEmbeddings: CallDialect = {
  provider: 'openai',
  operation: 'embeddings',
  input: () => null,
  readAnswer(answer, value) {
    readHead(answer, value);
    readOpenAiUsage(answer, field(value, 'usage'));
    return null;
  },
  readEvent: () => false,
};

/** Anthropic counts what caches read and wrote beside the input, not in it. */
function readAnthropicUsage(answer: ObservedAnswer, usage: unknown): void {
  const uncached = count(field(usage, 'input_tokens'));
  const read = count(field(usage, 'cache_read_input_tokens'));
  const written = count(field(usage, 'cache_creation_input_tokens'));
  if (uncached !== null) {
    answer.inputTokens = total(uncached, read, written);
    answer.cacheReadTokens = read;
    answer.cacheWriteTokens = written;
  }
  answer.outputTokens = count(field(usage, 'output_tokens')) ?? answer.outputTokens;
}

function readMessage(answer: ObservedAnswer, value: unknown): string | null {
  readHead(answer, value);
  readAnthropicUsage(answer, field(value, 'usage'));
  const reason = text(field(value, 'stop_reason'));
  if (reason !== null) answer.finishReasons = [reason];
  return toMessages([{ role: 'assistant', content: field(value, 'content') }]);
}

const anthropicMessages: CallDialect = {
  provider: 'anthropic',
  operation: 'chat',
  input(request) {
    const system = field(request, 'system');
    return toMessages([...(system === undefined ? [] : [{ role: 'system', content: system }]), ...list(field(request, 'messages'))]);
  },
  readAnswer: readMessage,
  readEvent(answer, event, texts) {
    const type = text(field(event, 'type'));
    if (type === 'message_start') readMessage(answer, field(event, 'message'));
    if (type === 'message_delta') {
      readAnthropicUsage(answer, field(event, 'usage'));
      const reason = text(field(field(event, 'delta'), 'stop_reason'));
      if (reason !== null) answer.finishReasons = [reason];
    }
    if (type === 'content_block_delta') texts.add(field(field(event, 'delta'), 'text'));
    return type === 'content_block_delta';
  },
};

/** Methods that make a call, by where a client has them. */
export const CALLS: Readonly<Record<string, CallDialect>> = {
  'chat.completions.create': openAiChat,
  'beta.chat.completions.create': openAiChat,
  'responses.create': openAiResponses,
  'embeddings.create': openAiEmbeddings,
  'messages.create': anthropicMessages,
  'beta.messages.create': anthropicMessages,
};
