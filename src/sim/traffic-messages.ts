import { z } from 'zod';
import { parseJsonText } from '../kernel/parse-json.ts';
import { type Answer, type CallOrder, Collector, callerHeaders, type Message } from './traffic-calls.ts';

/** An answer of the gateway that is an error. */
export class MessagesError extends Error {
  readonly status: number;
  /** As the body says it. */
  readonly type: string;

  constructor(status: number, type: string) {
    super(`${status} ${type}`);
    this.status = status;
    this.type = type;
  }
}

const ErrorBody = z.looseObject({ error: z.looseObject({ type: z.string(), code: z.string().optional() }) });
const Usage = z.looseObject({ input_tokens: z.number().optional(), output_tokens: z.number().optional() });
const Whole = z.looseObject({
  content: z.array(
    z.looseObject({
      type: z.string(),
      text: z.string().optional(),
      id: z.string().optional(),
      name: z.string().optional(),
      input: z.unknown().optional(),
    }),
  ),
  usage: Usage,
});
const Event = z.looseObject({
  type: z.string(),
  index: z.number().optional(),
  message: z.looseObject({ usage: Usage.optional() }).optional(),
  content_block: z.looseObject({ type: z.string(), id: z.string().optional(), name: z.string().optional() }).optional(),
  delta: z.looseObject({ text: z.string().optional(), partial_json: z.string().optional() }).optional(),
  usage: Usage.optional(),
  error: z.looseObject({ type: z.string() }).optional(),
});

type Role = 'user' | 'assistant';

/** Results of tools stand in messages of the user; several in a row are one message. */
function messagesOf(messages: readonly Message[]): { role: Role; content: unknown }[] {
  const all: { role: Role; content: unknown }[] = [];
  let results: unknown[] | null = null;
  for (const message of messages) {
    if (message.role === 'tool') {
      const result = { type: 'tool_result', tool_use_id: message.callId, content: message.text };
      if (results === null) {
        results = [result];
        all.push({ role: 'user', content: results });
      } else results.push(result);
      continue;
    }
    results = null;
    if (message.role === 'user') all.push({ role: 'user', content: message.text });
    else if (message.role === 'assistant')
      all.push({
        role: 'assistant',
        content:
          message.toolCalls.length === 0
            ? message.text
            : message.toolCalls.map(({ id, name, arguments: text }) => ({
                type: 'tool_use',
                id,
                name,
                input: parseJsonText(text || '{}') as unknown,
              })),
      });
  }
  return all;
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<z.output<typeof Event>> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) yield Event.parse(parseJsonText(data));
    }
  }
}

/** `POST /v1/messages`; without an SDK, since the product itself has none of Anthropic's. @param baseUrl with `/v1` */
export async function callMessages(baseUrl: string, apiKey: string, order: CallOrder): Promise<Answer> {
  const system = order.messages.flatMap((message) => (message.role === 'system' ? [message.text] : [])).join('\n\n');
  const tools = order.tools.map((tool) => ({ name: tool.name, description: tool.description, input_schema: tool.parameters }));
  const response = await fetch(`${baseUrl}/messages`, {
    method: 'POST',
    signal: order.signal,
    headers: { 'content-type': 'application/json', 'x-api-key': apiKey, 'anthropic-version': '2023-06-01', ...callerHeaders(order.caller) },
    body: JSON.stringify({
      model: order.model,
      max_tokens: 1_500,
      messages: messagesOf(order.messages),
      ...(system === '' ? {} : { system }),
      ...(tools.length > 0 ? { tools } : {}),
      ...(order.isStream ? { stream: true } : {}),
    }),
  });
  if (!response.ok || response.body === null) {
    const parsed = ErrorBody.safeParse(await response.json().catch(() => null)); // an error page says no more than its status
    throw new MessagesError(
      response.status,
      parsed.success ? (parsed.data.error.code ?? parsed.data.error.type) : `http_${response.status}`,
    );
  }
  const collected = new Collector(order);
  if (!order.isStream) {
    const { content, usage } = Whole.parse(await response.json());
    for (const block of content)
      if (block.type === 'text') collected.text += block.text ?? '';
      else if (block.type === 'tool_use')
        collected.toolCalls.push({ id: block.id ?? '', name: block.name ?? '', arguments: JSON.stringify(block.input ?? {}) });
    collected.inputTokens = usage.input_tokens ?? 0;
    collected.outputTokens = usage.output_tokens ?? 0;
    return collected.answer();
  }
  let isComplete = false;
  for await (const event of eventsOf(response.body)) {
    if (event.error !== undefined) throw new MessagesError(200, event.error.type);
    collected.inputTokens = event.message?.usage?.input_tokens ?? collected.inputTokens;
    collected.outputTokens = event.usage?.output_tokens ?? collected.outputTokens;
    if (event.content_block?.type === 'tool_use') {
      collected.sawContent();
      collected.toolCalls.push({ id: event.content_block.id ?? '', name: event.content_block.name ?? '', arguments: '' });
    }
    const call = collected.toolCalls.at(-1);
    if (call !== undefined) call.arguments += event.delta?.partial_json ?? '';
    isComplete ||= event.type === 'message_stop';
    if (collected.add(event.delta?.text ?? '')) break;
  }
  if (!isComplete && !collected.wasLeft) throw new MessagesError(200, 'stream_cut');
  return collected.answer();
}
