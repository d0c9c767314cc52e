import { parseJsonText } from '../../kernel/parse-json.ts';
import { inputTokens, outputTokens, type Usage } from '../../models/usage.ts';
import type { Call } from '../call.ts';
import { SseScanner } from '../streams/sse-scanner.ts';
import type { CachedAnswer } from './answer-cache.ts';

type Loose = Record<string, unknown>;
const OPEN_BRACE = 0x7b;

/** Members of a delta whose texts are put end to end; every other member is kept as it came last. */
const LISTS: ReadonlySet<string> = new Set(['annotations', 'reasoning_details', 'thinking_blocks']);

function object(value: unknown): Loose | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : null;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** The chunks of a stream that was kept; null when it was none. */
function chunksOf(answer: CachedAnswer): Loose[] | null {
  if (!answer.isStream) return null;
  if (answer.hub !== null)
    return answer.hub
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => parseJsonText(line) as Loose); // written by Flight
  const chunks: Loose[] = [];
  const scanner = new SseScanner(
    {
      onComment: () => {},
      onEvent(_raw, _rawStart, _rawEnd, data, start, end) {
        if (data[start] === OPEN_BRACE) chunks.push(parseJsonText(data.toString('utf8', start, end)) as Loose); // read field by field below
        return true;
      },
    },
    answer.body.length + 1,
  );
  scanner.push(answer.body);
  scanner.end();
  return chunks;
}

function addToolCall(calls: Loose[], part: Loose): void {
  const index = typeof part.index === 'number' ? part.index : calls.length;
  const known = calls.find((call) => call.index === index);
  if (known === undefined) {
    calls.push({ ...part, index, function: { ...object(part.function) } });
    return;
  }
  for (const [name, value] of Object.entries(part)) if (name !== 'function' && name !== 'index' && value !== null) known[name] = value;
  const called = object(known.function) ?? {};
  for (const [name, value] of Object.entries(object(part.function) ?? {}))
    called[name] = typeof value === 'string' && typeof called[name] === 'string' ? `${called[name]}${value}` : value;
  known.function = called;
}

function addDelta(message: Loose, delta: Loose): void {
  for (const [name, value] of Object.entries(delta)) {
    if (name === 'role') message.role = value;
    else if (name === 'tool_calls') {
      message.tool_calls ??= [];
      const calls = message.tool_calls as Loose[]; // made here
      for (const part of list(value)) addToolCall(calls, object(part) ?? {});
    } else if (typeof value === 'string' && typeof message[name] === 'string') message[name] = `${message[name]}${value}`;
    else if (LISTS.has(name) && Array.isArray(value)) message[name] = [...list(message[name]), ...value];
    else if (value !== null || message[name] === undefined) message[name] = value;
  }
}

/** OpenAI's `usage` from ours. */
export function hubUsage(usage: Usage): Loose {
  const prompt = inputTokens(usage);
  const output = outputTokens(usage);
  return {
    prompt_tokens: prompt,
    completion_tokens: output,
    total_tokens: prompt + output,
    prompt_tokens_details: { cached_tokens: usage.cacheReadTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

function assemble(chunks: readonly Loose[], usage: Usage | null): Loose {
  const choices = new Map<number, { message: Loose; logprobs: Loose | null; finish: unknown }>();
  let reported: unknown = null;
  for (const chunk of chunks) {
    if (chunk.usage != null) reported = chunk.usage;
    for (const entry of list(chunk.choices)) {
      const part = object(entry) ?? {};
      const index = typeof part.index === 'number' ? part.index : 0;
      const choice = choices.get(index) ?? { message: { role: 'assistant', content: null }, logprobs: null, finish: null };
      choices.set(index, choice);
      addDelta(choice.message, object(part.delta) ?? {});
      for (const [name, values] of Object.entries(object(part.logprobs) ?? {})) {
        choice.logprobs ??= {};
        if (Array.isArray(values)) choice.logprobs[name] = [...list(choice.logprobs[name]), ...values];
      }
      if (typeof part.finish_reason === 'string') choice.finish = part.finish_reason;
    }
  }
  const { choices: _choices, usage: _usage, object: _object, ...head } = chunks[0] ?? {};
  return {
    ...head,
    object: 'chat.completion',
    choices: [...choices]
      .sort(([a], [b]) => a - b)
      .map(([index, { message, logprobs, finish }]) => ({ index, message: finished(message), logprobs, finish_reason: finish })),
    ...(reported !== null ? { usage: reported } : usage === null ? {} : { usage: hubUsage(usage) }),
  };
}

/** Tool calls of a message carry no index; a text that never came is null. */
function finished(message: Loose): Loose {
  const { tool_calls: calls, ...rest } = message;
  if (rest.content === '' && Array.isArray(calls)) rest.content = null;
  return Array.isArray(calls) ? { ...rest, tool_calls: (calls as Loose[]).map(({ index: _index, ...call }) => call) } : rest; // made above
}

/** The kept answer as a hub `chat.completion`. @throws SyntaxError when it is not what it should be */
export function completionOf(answer: CachedAnswer): Loose {
  const chunks = chunksOf(answer);
  if (chunks !== null) return assemble(chunks, answer.origin.usage);
  return parseJsonText((answer.hub ?? answer.body).toString()) as Loose; // an answer that was sent to a client
}

/** A completion as the chunks of a stream: per choice its beginning, its content and its end; then the usage. */
function chunksOfCompletion(completion: Loose): Loose[] {
  const { choices, usage, ...rest } = completion;
  const head = { ...rest, object: 'chat.completion.chunk' };
  const chunks: Loose[] = [];
  for (const entry of list(choices)) {
    const { index = 0, message, logprobs, finish_reason: finish } = object(entry) ?? {};
    const { role = 'assistant', tool_calls: calls, ...delta } = object(message) ?? {};
    chunks.push({ ...head, choices: [{ index, delta: { role, content: '' }, finish_reason: null }] });
    const toolCalls = list(calls).map((call, at) => ({ index: at, ...object(call) }));
    const content = { ...delta, ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}) };
    chunks.push({ ...head, choices: [{ index, delta: content, ...(logprobs == null ? {} : { logprobs }), finish_reason: null }] });
    chunks.push({ ...head, choices: [{ index, delta: {}, finish_reason: finish ?? 'stop' }] });
  }
  if (usage != null) chunks.push({ ...head, choices: [], usage });
  return chunks;
}

const DONE = 'data: [DONE]\n\n';

/** The bytes of a stream: what may leave at once, and what says that it is over. */
export interface StreamBytes {
  readonly content: Buffer;
  readonly lastBytes: Buffer;
}

/** The kept answer as the JSON body that this call's client expects. */
export function jsonBodyFor(call: Call, answer: CachedAnswer): Buffer {
  const { translation, name } = call.dialect;
  if (!answer.isStream && answer.dialect === name) return answer.body;
  const completion = completionOf(answer);
  return Buffer.from(JSON.stringify(translation === null ? completion : translation.encodeAnswer(completion, call.parsedBody())));
}

/** Whether the kept bytes are what this call's client would have got. */
export function isSameStream(call: Call, answer: CachedAnswer): boolean {
  if (!answer.isStream || answer.dialect !== call.dialect.name || call.body === null) return false;
  return answer.hasUsageChunk === call.body.includeUsage && answer.isEventStream === call.body.isEventStream;
}

/** The kept answer as the stream that this call's client expects. @param createdSeconds epoch seconds */
export function streamBytesFor(call: Call, answer: CachedAnswer, createdSeconds: number): StreamBytes {
  if (isSameStream(call, answer)) {
    const end = answer.body.length - answer.lastBytes;
    return { content: answer.body.subarray(0, end), lastBytes: answer.body.subarray(end) };
  }
  const { translation } = call.dialect;
  const chunks = chunksOfCompletion(completionOf(answer));
  if (translation === null) {
    const wanted = call.body?.includeUsage === true ? chunks : chunks.filter((chunk) => chunk.usage === undefined);
    return { content: Buffer.from(wanted.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')), lastBytes: Buffer.from(DONE) };
  }
  const encoder = translation.createStreamEncoder({
    requestedModel: call.body?.model ?? '',
    createdSeconds,
    request: call.parsedBody(),
    path: call.path,
  });
  return { content: Buffer.from(chunks.map((chunk) => encoder.onChunk(chunk)).join('')), lastBytes: Buffer.from(encoder.end()) };
}
