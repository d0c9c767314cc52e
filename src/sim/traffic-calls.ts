import type OpenAI from 'openai';
import type { CorpusTool } from './corpus/model.ts';
import type { Caller } from './traffic-scenarios.ts';

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** What was said so far, without the form of an API. */
export type Message =
  | { readonly role: 'system' | 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly toolCalls: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly callId: string; readonly text: string };

export interface Answer {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The first piece of content of a stream came at this time (monotonic milliseconds); null = not a stream, or no content. */
  readonly firstContentMs: number | null;
  /** The person left before the end. */
  readonly wasLeft: boolean;
}

/** One call to be made, in whatever API. */
export interface CallOrder {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools: readonly CorpusTool[];
  readonly isStream: boolean;
  readonly leavesEarly: boolean;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  nowMs(): number;
}

/** Headers that say who calls. */
export function callerHeaders({ user, session, customer, tags }: Caller): Record<string, string> {
  const text = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  return {
    'x-plimsoll-user': user,
    'x-plimsoll-session': session,
    ...(customer === null ? {} : { 'x-plimsoll-customer': customer }),
    ...(text.length === 0 ? {} : { 'x-plimsoll-tags': text.join(',') }),
  };
}

/** Collects what a stream brings. */
export class Collector {
  text = '';
  inputTokens = 0;
  outputTokens = 0;
  firstContentMs: number | null = null;
  wasLeft = false;
  readonly toolCalls: { id: string; name: string; arguments: string }[] = [];
  readonly #order: CallOrder;

  constructor(order: CallOrder) {
    this.#order = order;
  }

  /** @returns true when the person leaves now */
  add(piece: string): boolean {
    this.text += piece;
    if (piece !== '') this.sawContent();
    if (piece === '' || !this.#order.leavesEarly) return false;
    this.wasLeft = true;
    return true;
  }

  sawContent(): void {
    this.firstContentMs ??= this.#order.nowMs();
  }

  answer(): Answer {
    const { text, toolCalls, inputTokens, outputTokens, firstContentMs, wasLeft } = this;
    return { text, toolCalls, inputTokens, outputTokens, firstContentMs, wasLeft };
  }
}

function chatMessage(message: Message): OpenAI.ChatCompletionMessageParam {
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, content: message.text };
    case 'tool':
      return { role: 'tool', tool_call_id: message.callId, content: message.text };
    case 'assistant':
      return message.toolCalls.length === 0
        ? { role: 'assistant', content: message.text }
        : {
            role: 'assistant',
            tool_calls: message.toolCalls.map(({ id, name, arguments: text }) => ({
              id,
              type: 'function',
              function: { name, arguments: text },
            })),
          };
  }
}

/** `POST /v1/chat/completions` */
export async function callChat(client: OpenAI, order: CallOrder): Promise<Answer> {
  const tools = order.tools.map((tool) => ({ type: 'function' as const, function: { ...tool, parameters: { ...tool.parameters } } }));
  const body = { model: order.model, messages: order.messages.map(chatMessage), temperature: 0.3, ...(tools.length > 0 ? { tools } : {}) };
  const options = { headers: callerHeaders(order.caller), signal: order.signal };
  const collected = new Collector(order);
  if (!order.isStream) {
    const { choices, usage } = await client.chat.completions.create(body, options);
    const message = choices[0]?.message;
    collected.text = message?.content ?? message?.refusal ?? '';
    for (const call of message?.tool_calls ?? [])
      if (call.type === 'function') collected.toolCalls.push({ id: call.id, name: call.function.name, arguments: call.function.arguments });
    collected.inputTokens = usage?.prompt_tokens ?? 0;
    collected.outputTokens = usage?.completion_tokens ?? 0;
    return collected.answer();
  }
  const stream = await client.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }, options);
  for await (const chunk of stream) {
    collected.inputTokens += chunk.usage?.prompt_tokens ?? 0;
    collected.outputTokens += chunk.usage?.completion_tokens ?? 0;
    const delta = chunk.choices[0]?.delta;
    for (const part of delta?.tool_calls ?? []) {
      collected.sawContent();
      collected.toolCalls[part.index] ??= { id: part.id ?? '', name: part.function?.name ?? '', arguments: '' };
      const call = collected.toolCalls[part.index];
      if (call) call.arguments += part.function?.arguments ?? '';
    }
    // Leaving the loop cancels the request.
    if (collected.add(delta?.content ?? delta?.refusal ?? '')) break;
  }
  return collected.answer();
}

function responseItems(message: Message): OpenAI.Responses.ResponseInputItem[] {
  switch (message.role) {
    case 'system':
    case 'user':
      return [{ role: message.role, content: message.text }];
    case 'tool':
      return [{ type: 'function_call_output', call_id: message.callId, output: message.text }];
    case 'assistant':
      return message.toolCalls.length === 0
        ? [{ role: 'assistant', content: message.text }]
        : message.toolCalls.map(({ id, name, arguments: text }) => ({ type: 'function_call', call_id: id, name, arguments: text }));
  }
}

/** `POST /v1/responses` */
export async function callResponses(client: OpenAI, order: CallOrder): Promise<Answer> {
  const tools = order.tools.map((tool) => ({ type: 'function' as const, ...tool, parameters: { ...tool.parameters }, strict: false }));
  const body = { model: order.model, input: order.messages.flatMap(responseItems), store: false, ...(tools.length > 0 ? { tools } : {}) };
  const options = { headers: callerHeaders(order.caller), signal: order.signal };
  const collected = new Collector(order);
  const take = (response: OpenAI.Responses.Response): void => {
    for (const item of response.output)
      if (item.type === 'function_call') collected.toolCalls.push({ id: item.call_id, name: item.name, arguments: item.arguments });
    collected.inputTokens = response.usage?.input_tokens ?? 0;
    collected.outputTokens = response.usage?.output_tokens ?? 0;
  };
  if (!order.isStream) {
    const response = await client.responses.create(body, options);
    collected.text = response.output_text;
    take(response);
    return collected.answer();
  }
  for await (const event of await client.responses.create({ ...body, stream: true }, options)) {
    if (event.type === 'response.function_call_arguments.delta') collected.sawContent();
    if (event.type === 'response.completed' || event.type === 'response.incomplete') take(event.response);
    if (event.type === 'response.failed') throw new Error(event.response.error?.code ?? 'response_failed');
    if (event.type === 'response.output_text.delta' && collected.add(event.delta)) break;
  }
  return collected.answer();
}

/** `POST /v1/embeddings` with all that was said. */
export async function callEmbeddings(client: OpenAI, order: CallOrder): Promise<Answer> {
  const input = order.messages.flatMap((message) => (message.text === '' ? [] : [message.text]));
  const { usage } = await client.embeddings.create(
    { model: order.model, input },
    { headers: callerHeaders(order.caller), signal: order.signal },
  );
  return { ...new Collector(order).answer(), inputTokens: usage.prompt_tokens };
}
