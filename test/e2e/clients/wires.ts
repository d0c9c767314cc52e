/** Answers of providers as they go over the wire, written down from their documentation, apart from the gateway's own code. */
import { pieces, type Scenario, USAGE } from './scenario.ts';

type Answer = Extract<Scenario, { kind: 'answer' }>;
type Json = Record<string, unknown>;

export interface Wire {
  json(answer: Answer, model: string): Json;
  /** Events in order; the first piece of text stands before any other. */
  events(answer: Answer, model: string): string[];
  error(status: number, message: string): Json;
}

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function named(value: Json): string {
  return `event: ${String(value.type)}\n${data(value)}`;
}

const CHAT_USAGE = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  prompt_tokens_details: { cached_tokens: USAGE.cached },
};

export const openAiChat: Wire = {
  json: ({ text, calls }, model) => ({
    id: 'chatcmpl-7f',
    object: 'chat.completion',
    created: 1_760_000_000,
    model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text === '' ? null : text,
          refusal: null,
          ...(calls.length === 0
            ? {}
            : {
                tool_calls: calls.map(({ id, name, input }) => ({
                  id,
                  type: 'function',
                  function: { name, arguments: JSON.stringify(input) },
                })),
              }),
        },
        logprobs: null,
        finish_reason: calls.length > 0 ? 'tool_calls' : 'stop',
      },
    ],
    usage: CHAT_USAGE,
  }),
  events({ text, calls }, model) {
    const chunk = (delta: Json, finish: string | null = null): string =>
      data({
        id: 'chatcmpl-7f',
        object: 'chat.completion.chunk',
        created: 1_760_000_000,
        model,
        choices: [{ index: 0, delta, finish_reason: finish }],
      });
    return [
      chunk({ role: 'assistant', content: '' }),
      ...pieces(text).map((content) => chunk({ content })),
      ...calls.flatMap(({ id, name, input }, index) => [
        chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
        ...pieces(JSON.stringify(input)).map((part) => chunk({ tool_calls: [{ index, function: { arguments: part } }] })),
      ]),
      chunk({}, calls.length > 0 ? 'tool_calls' : 'stop'),
      data({ id: 'chatcmpl-7f', object: 'chat.completion.chunk', created: 1_760_000_000, model, choices: [], usage: CHAT_USAGE }),
      'data: [DONE]\n\n',
    ];
  },
  error: (status, message) => ({
    error: { message, type: status === 429 ? 'rate_limit_error' : 'invalid_request_error', param: null, code: null },
  }),
};

const RESPONSE_USAGE = {
  input_tokens: USAGE.input,
  input_tokens_details: { cached_tokens: USAGE.cached },
  output_tokens: USAGE.output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: USAGE.input + USAGE.output,
};

function responseItems({ text, calls }: Answer): Json[] {
  const message = {
    id: 'msg_7f',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  };
  return [
    ...(text === '' ? [] : [message]),
    ...calls.map(({ id, name, input }, index) => ({
      id: `fc_${index}`,
      type: 'function_call',
      status: 'completed',
      call_id: id,
      name,
      arguments: JSON.stringify(input),
    })),
  ];
}

function response(answer: Answer, model: string, status: string): Json {
  const isDone = status === 'completed';
  return {
    id: 'resp_7f',
    object: 'response',
    created_at: 1_760_000_000,
    status,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    model,
    output: isDone ? responseItems(answer) : [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: isDone ? RESPONSE_USAGE : null,
    user: null,
    metadata: {},
  };
}

function textEvents(item: Json, at: Json, text: string): Json[] {
  const part = (filled: string): Json => ({ type: 'output_text', text: filled, annotations: [], logprobs: [] });
  const within = { ...at, content_index: 0 };
  return [
    { type: 'response.output_item.added', output_index: at.output_index, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...within, part: part('') },
    ...pieces(text).map((delta) => ({ type: 'response.output_text.delta', ...within, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...within, text, logprobs: [] },
    { type: 'response.content_part.done', ...within, part: part(text) },
  ];
}

function callEvents(item: Json, at: Json): Json[] {
  const text = String(item.arguments);
  return [
    { type: 'response.output_item.added', output_index: at.output_index, item: { ...item, status: 'in_progress', arguments: '' } },
    ...pieces(text).map((delta) => ({ type: 'response.function_call_arguments.delta', ...at, delta })),
    { type: 'response.function_call_arguments.done', ...at, name: item.name, arguments: text },
  ];
}

export const openAiResponses: Wire = {
  json: (answer, model) => response(answer, model, 'completed'),
  events(answer, model) {
    const begun = response(answer, model, 'in_progress');
    const events: Json[] = [
      { type: 'response.created', response: begun },
      { type: 'response.in_progress', response: begun },
      ...responseItems(answer).flatMap((item, index) => {
        const at = { item_id: item.id, output_index: index };
        const inner = item.type === 'message' ? textEvents(item, at, answer.text) : callEvents(item, at);
        return [...inner, { type: 'response.output_item.done', output_index: index, item }];
      }),
      { type: 'response.completed', response: response(answer, model, 'completed') },
    ];
    return events.map((event, index) => named({ ...event, sequence_number: index }));
  },
  error: openAiChat.error,
};

function anthropicUsage(output: number): Json {
  return {
    input_tokens: USAGE.input - USAGE.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: USAGE.cached,
    output_tokens: output,
  };
}

export const anthropicMessages: Wire = {
  json: ({ text, calls }, model) => ({
    id: 'msg_7f',
    type: 'message',
    role: 'assistant',
    model,
    content: [
      ...(text === '' ? [] : [{ type: 'text', text }]),
      ...calls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input })),
    ],
    stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: anthropicUsage(USAGE.output),
  }),
  events({ text, calls }, model) {
    const block = (index: number, start: Json, deltas: readonly Json[]): Json[] => [
      { type: 'content_block_start', index, content_block: start },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ];
    const first = text === '' ? 0 : 1;
    const message = {
      id: 'msg_7f',
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: anthropicUsage(1),
    };
    const events: Json[] = [
      { type: 'message_start', message },
      ...(text === ''
        ? []
        : block(
            0,
            { type: 'text', text: '' },
            pieces(text).map((part) => ({ type: 'text_delta', text: part })),
          )),
      ...calls.flatMap(({ id, name, input }, index) =>
        block(
          first + index,
          { type: 'tool_use', id, name, input: {} },
          pieces(JSON.stringify(input)).map((part) => ({ type: 'input_json_delta', partial_json: part })),
        ),
      ),
      {
        type: 'message_delta',
        delta: { stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null },
        usage: { output_tokens: USAGE.output },
      },
      { type: 'message_stop' },
    ];
    return events.map(named);
  },
  error: (status, message) => ({
    type: 'error',
    error: { type: status === 429 ? 'rate_limit_error' : status === 400 ? 'invalid_request_error' : 'api_error', message },
  }),
};

const GEMINI_USAGE = {
  promptTokenCount: USAGE.input,
  cachedContentTokenCount: USAGE.cached,
  candidatesTokenCount: USAGE.output,
  totalTokenCount: USAGE.input + USAGE.output,
};

export const gemini: Wire = {
  json: ({ text, calls }, model) => ({
    candidates: [
      {
        content: {
          role: 'model',
          parts: [...(text === '' ? [] : [{ text }]), ...calls.map(({ id, name, input }) => ({ functionCall: { id, name, args: input } }))],
        },
        finishReason: 'STOP',
        index: 0,
      },
    ],
    usageMetadata: GEMINI_USAGE,
    modelVersion: model,
    responseId: 'r7f',
  }),
  events({ text, calls }, model) {
    const element = (parts: readonly Json[], rest: Json = {}, candidate: Json = {}): string =>
      `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts }, index: 0, ...candidate }], modelVersion: model, responseId: 'r7f', ...rest })}\r\n\r\n`;
    return [
      ...pieces(text).map((part) => element([{ text: part }])),
      ...calls.map(({ id, name, input }) => element([{ functionCall: { id, name, args: input } }])),
      element([{ text: '' }], { usageMetadata: GEMINI_USAGE }, { finishReason: 'STOP' }),
    ];
  },
  error: (status, message) => ({
    error: { code: status, message, status: status === 429 ? 'RESOURCE_EXHAUSTED' : status === 400 ? 'INVALID_ARGUMENT' : 'INTERNAL' },
  }),
};
