import { wireFailure } from '../chat-request.ts';
import { type PlannedAnswer, thinkingText } from '../completion.ts';
import { SSE } from '../framings.ts';
import type { ResponseMemory } from '../response-memory.ts';
import { seededRandom } from '../seeded-random.ts';
import { countTokens, tokenize } from '../tokens.ts';
import { chunksOf, failed, Pacer, type ReplyStamp, type WireEndpoint, type WireEvent } from '../wire.ts';
import { addedTurns, parseResponsesRequest, type ResponsesBody } from './openai-responses-request.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One item of the output, and how it arrives in a stream. */
interface OutputItem {
  /** As it stands in the finished answer. */
  readonly whole: Fields;
  /** As `response.output_item.added` shows it. */
  readonly started: Fields;
  /** Events between its beginning and its end; the item's id and index are added to each. */
  readonly steps: readonly { readonly type: string; readonly fields: Fields; readonly tokens: number; readonly isChunk: boolean }[];
}

const itemId = (prefix: string, stamp: ReplyStamp, position: number): string =>
  `${prefix}_${seededRandom(stamp.id, prefix, position).hex(40)}`;

/** The model's thinking stays hidden; a summary is shown to who asks for one. */
const SUMMARY_TOKENS = 40;

function reasoningItem(value: ResponsesBody, plan: PlannedAnswer, stamp: ReplyStamp): OutputItem[] {
  if (plan.usage.reasoningTokens === 0) return [];
  const id = itemId('rs', stamp, 0);
  const wish = value.reasoning?.summary ?? null;
  const text = wish === null ? '' : thinkingText('what was asked', SUMMARY_TOKENS);
  const part = { type: 'summary_text', text };
  const at = { summary_index: 0 };
  const steps =
    text === ''
      ? []
      : [
          { type: 'response.reasoning_summary_part.added', fields: { ...at, part: { ...part, text: '' } }, tokens: 0, isChunk: false },
          ...chunksOf(tokenize(text), 8).map((chunk) => ({
            type: 'response.reasoning_summary_text.delta',
            fields: { ...at, delta: chunk.text },
            tokens: 0,
            isChunk: false,
          })),
          { type: 'response.reasoning_summary_text.done', fields: { ...at, text }, tokens: 0, isChunk: false },
          { type: 'response.reasoning_summary_part.done', fields: { ...at, part }, tokens: 0, isChunk: false },
        ];
  return [{ whole: { id, type: 'reasoning', summary: text === '' ? [] : [part] }, started: { id, type: 'reasoning', summary: [] }, steps }];
}

function messageItem(plan: PlannedAnswer, stamp: ReplyStamp): OutputItem[] {
  const [choice] = plan.choices;
  if (choice.toolCalls.length > 0) return [];
  const id = itemId('msg', stamp, 0);
  const text = choice.tokens.join('');
  const isRefusal = choice.finish === 'refusal';
  const part = isRefusal ? { type: 'refusal', refusal: text } : { type: 'output_text', text, annotations: [], logprobs: [] };
  const empty = isRefusal ? { type: 'refusal', refusal: '' } : { type: 'output_text', text: '', annotations: [], logprobs: [] };
  const kind = isRefusal ? 'response.refusal' : 'response.output_text';
  const base = { id, type: 'message', role: 'assistant' };
  const at = { content_index: 0 };
  const extra = isRefusal ? {} : { logprobs: [] };
  return [
    {
      whole: {
        ...base,
        status: choice.finish === 'length' || choice.finish === 'content_filter' ? 'incomplete' : 'completed',
        content: [part],
      },
      started: { ...base, status: 'in_progress', content: [] },
      steps: [
        { type: 'response.content_part.added', fields: { ...at, part: empty }, tokens: 0, isChunk: false },
        ...chunksOf(choice.tokens, plan.tokensPerChunk).map((chunk) => ({
          type: `${kind}.delta`,
          fields: { ...at, delta: chunk.text, ...extra },
          tokens: chunk.tokens,
          isChunk: true,
        })),
        { type: `${kind}.done`, fields: { ...at, [isRefusal ? 'refusal' : 'text']: text, ...extra }, tokens: 0, isChunk: false },
        { type: 'response.content_part.done', fields: { ...at, part }, tokens: 0, isChunk: false },
      ],
    },
  ];
}

function callItems(plan: PlannedAnswer, stamp: ReplyStamp): OutputItem[] {
  return plan.choices[0].toolCalls.map((call, position) => {
    const base = {
      id: itemId('fc', stamp, position),
      type: 'function_call',
      call_id: `call_${seededRandom(stamp.id, 'call', position).hex(24)}`,
      name: call.name,
    };
    const deltas = chunksOf(tokenize(call.arguments), plan.tokensPerChunk).map((chunk, at) => ({
      type: 'response.function_call_arguments.delta',
      fields: { delta: chunk.text },
      // The name was generated before the first piece of the arguments.
      tokens: chunk.tokens + (at === 0 ? countTokens(call.name) : 0),
      isChunk: true,
    }));
    return {
      whole: { ...base, status: 'completed', arguments: call.arguments },
      started: { ...base, status: 'in_progress', arguments: '' },
      steps: [
        ...deltas,
        { type: 'response.function_call_arguments.done', fields: { arguments: call.arguments }, tokens: 0, isChunk: false },
      ],
    };
  });
}

function usageBody({ usage }: PlannedAnswer): Fields {
  const input = usage.uncachedInputTokens + usage.cacheReadTokens;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cacheReadTokens },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: input + usage.outputTokens,
  };
}

type Phase = 'in_progress' | 'ended';

function responseBody(value: ResponsesBody, plan: PlannedAnswer, stamp: ReplyStamp, phase: Phase, output: readonly OutputItem[]): Fields {
  const { finish } = plan.choices[0];
  const reason = finish === 'length' ? 'max_output_tokens' : finish === 'content_filter' ? 'content_filter' : null;
  const isEnded = phase === 'ended';
  return {
    id: `resp_${stamp.id}`,
    object: 'response',
    created_at: stamp.createdSeconds,
    status: isEnded ? (reason === null ? 'completed' : 'incomplete') : 'in_progress',
    background: false,
    error: null,
    incomplete_details: isEnded && reason !== null ? { reason } : null,
    instructions: value.instructions ?? null,
    max_output_tokens: value.max_output_tokens ?? null,
    model: value.model,
    output: isEnded ? output.map(({ whole }) => whole) : [],
    parallel_tool_calls: value.parallel_tool_calls ?? true,
    previous_response_id: value.previous_response_id ?? null,
    reasoning: { effort: value.reasoning?.effort ?? null, summary: value.reasoning?.summary ?? null },
    service_tier: 'default',
    store: value.store ?? true,
    temperature: value.temperature ?? 1,
    text: value.text ?? { format: { type: 'text' } },
    tool_choice: value.tool_choice ?? 'auto',
    tools: value.tools ?? [],
    top_p: value.top_p ?? 1,
    truncation: value.truncation ?? 'disabled',
    usage: isEnded ? usageBody(plan) : null,
    metadata: value.metadata ?? {},
  };
}

function renderEvents(value: ResponsesBody, plan: PlannedAnswer, stamp: ReplyStamp): WireEvent[] {
  const events: WireEvent[] = [];
  const pacer = new Pacer(plan);
  const output = [...reasoningItem(value, plan, stamp), ...messageItem(plan, stamp), ...callItems(plan, stamp)];
  const push = (type: string, fields: Fields): void => {
    events.push({ event: type, data: JSON.stringify({ type, sequence_number: events.length, ...fields }), ...pacer.now });
  };
  const begun = responseBody(value, plan, stamp, 'in_progress', output);
  push('response.created', { response: begun });
  push('response.in_progress', { response: begun });
  for (const [index, item] of output.entries()) {
    push('response.output_item.added', { output_index: index, item: item.started });
    for (const { type, fields, tokens, isChunk } of item.steps) {
      if (isChunk) pacer.next(tokens);
      push(type, { item_id: item.whole.id, output_index: index, ...fields });
    }
    push('response.output_item.done', { output_index: index, item: item.whole });
  }
  const ended = responseBody(value, plan, stamp, 'ended', output);
  push(ended.status === 'completed' ? 'response.completed' : 'response.incomplete', { response: ended });
  return events;
}

/** `POST /v1/responses`, and reading and deleting what was stored. */
export function openAiResponses(memory: ResponseMemory): readonly WireEndpoint[] {
  const missing = (id: string): ReturnType<typeof failed> =>
    failed(wireFailure(404, 'not_found', `Response with id '${id}' not found.`, { parameter: 'response_id' }));
  return [
    {
      method: 'POST',
      path: /^(?:v1\/)?responses$/,
      handle({ body }) {
        const parsed = parseResponsesRequest(body, memory);
        if (!parsed.ok) return failed(parsed.failure);
        const { request, value } = parsed;
        const bodyOf = (plan: PlannedAnswer, stamp: ReplyStamp): Fields =>
          responseBody(value, plan, stamp, 'ended', [
            ...reasoningItem(value, plan, stamp),
            ...messageItem(plan, stamp),
            ...callItems(plan, stamp),
          ]);
        return {
          kind: 'generate',
          request,
          framing: SSE,
          renderBody: bodyOf,
          renderEvents: (plan, stamp) => renderEvents(value, plan, stamp),
          remember(plan, stamp) {
            if (value.store === false) return;
            const [choice] = plan.choices;
            const text = choice.tokens.join('');
            const extraTokens = choice.toolCalls.reduce((sum, call) => sum + countTokens(call.name) + countTokens(call.arguments), 0);
            const turns = addedTurns(value, request, { role: 'assistant', text, extraTokens, cacheMark: null });
            const callIds = new Set([
              ...(memory.get(value.previous_response_id ?? '')?.callIds ?? []),
              ...callItems(plan, stamp).map(({ whole }) => `${whole.call_id}`),
            ]);
            const answer = bodyOf(plan, stamp);
            const characters = turns.reduce((sum, turn) => sum + turn.text.length, 0) + JSON.stringify(answer).length;
            memory.put(`resp_${stamp.id}`, { turns, callIds, body: answer, characters });
          },
        };
      },
    },
    {
      method: 'GET',
      path: /^(?:v1\/)?responses\/(?<id>[^/]+)$/,
      handle({ groups: { id = '' } }) {
        const stored = memory.get(id);
        return stored === null ? missing(id) : { kind: 'reply', body: stored.body };
      },
    },
    {
      method: 'DELETE',
      path: /^(?:v1\/)?responses\/(?<id>[^/]+)$/,
      handle: ({ groups: { id = '' } }) =>
        memory.remove(id) ? { kind: 'reply', body: { id, object: 'response', deleted: true } } : missing(id),
    },
  ];
}
