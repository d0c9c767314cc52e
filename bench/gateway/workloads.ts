/** Bodies and answers of the gateway bench, the same for every case. */

export interface Workload {
  readonly name: string;
  readonly connections: number;
  readonly isStream: boolean;
  readonly promptBytes: number;
}

const SENTENCE = 'The load line shows how deep a hull may safely lie in the water. ';

function text(bytes: number): string {
  return SENTENCE.repeat(Math.ceil(bytes / SENTENCE.length)).slice(0, bytes);
}

/** Stands in a request where each one of a run holds another number. */
export const COUNTED = '1234567890123';

/** A chat request of about `promptBytes` bytes. @param pace milliseconds between events, 0 = all at once */
export function requestBody(workload: Pick<Workload, 'isStream' | 'promptBytes'>, model: string, pace = 0): string {
  const overhead = 200;
  return JSON.stringify({
    model,
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: text(Math.max(1, workload.promptBytes - overhead)) },
    ],
    temperature: 0.2,
    ...(pace > 0 ? { seed: pace } : {}),
    stop: COUNTED,
    max_tokens: 256,
    ...(workload.isStream ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
}

export const STREAM_EVENTS = 50;

export function jsonAnswer(): Buffer {
  return Buffer.from(
    JSON.stringify({
      id: 'chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz',
      object: 'chat.completion',
      created: 1_760_000_000,
      model: 'stub-model-2026',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: text(520), refusal: null, annotations: [] },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 210,
        completion_tokens: 120,
        total_tokens: 330,
        prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
      },
      service_tier: 'default',
      system_fingerprint: 'fp_0123456789',
    }),
  );
}

/** What a reader of `streamEvents` or `anthropicEvents` puts together. */
export const STREAMED_TEXT = Array.from({ length: STREAM_EVENTS }, (_, event) => ` word${event}`).join('');

/** Begins the first content of both. */
export const FIRST_CONTENT = '" word0"';

/** The same answer in Anthropic's format, for streams that must be translated. */
export function anthropicEvents(): Buffer[] {
  const event = (type: string, value: object): Buffer => Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`);
  const usage = { input_tokens: 210, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 };
  const message = { id: 'msg_01AbCdEfGhIjKlMnOpQrStUv', type: 'message', role: 'assistant', model: 'stub-model-2026', content: [] };
  return [
    event('message_start', { message: { ...message, stop_reason: null, stop_sequence: null, usage } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('ping', {}),
    ...Array.from({ length: STREAM_EVENTS }, (_, index) =>
      event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: ` word${index}` } }),
    ),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: STREAM_EVENTS } }),
    event('message_stop', {}),
  ];
}

/** The events of one streamed answer: role, STREAM_EVENTS words, finish, usage, `[DONE]`. */
export function streamEvents(): Buffer[] {
  const events: string[] = [];
  const push = (choices: unknown[], usage: unknown): void => {
    events.push(
      `data: ${JSON.stringify({ id: 'chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz', object: 'chat.completion.chunk', created: 1_760_000_000, model: 'stub-model-2026', service_tier: 'default', system_fingerprint: 'fp_0123456789', choices, usage })}\n\n`,
    );
  };
  push([{ index: 0, delta: { role: 'assistant', content: '', refusal: null }, logprobs: null, finish_reason: null }], null);
  for (let event = 0; event < STREAM_EVENTS; event++) {
    push([{ index: 0, delta: { content: ` word${event}` }, logprobs: null, finish_reason: null }], null);
  }
  push([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }], null);
  push([], { prompt_tokens: 210, completion_tokens: STREAM_EVENTS, total_tokens: 210 + STREAM_EVENTS });
  events.push('data: [DONE]\n\n');
  return events.map((event) => Buffer.from(event));
}
