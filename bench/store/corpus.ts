import type { TestSpan } from '../../src/traces/otlp/testing.ts';

/** A small generator of repeatable randomness (mulberry32): the same seed writes the same data. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function vocabulary(random: () => number): readonly string[] {
  return Array.from({ length: 6000 }, (_, rank) => {
    const letters = 2 + Math.floor(random() * 5) + (rank > 200 ? 2 : 0);
    return Array.from({ length: letters }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('');
  });
}

/** Words used with falling frequency: compresses like text, neither like noise nor like one repeated word. The same for every seed. */
const WORDS = vocabulary(seeded(7));

export const FEATURES = ['customer-support', 'contract-summary', 'search-answers', 'code-review', 'translation', 'triage'] as const;
const MODELS = ['gpt-4o-mini', 'gpt-4o', 'claude-haiku-4-5', 'claude-sonnet-4-5'] as const;
const TOOLS = ['search_orders', 'read_document', 'run_query', 'send_mail', 'lookup_customer'] as const;
/** One in so many texts holds a word that is in no other place: what a person searches for. */
export const RARE_WORD_EVERY = 400;

export interface CorpusTrace {
  readonly traceId: string;
  readonly feature: string;
  readonly spans: readonly TestSpan[];
}

/**
 * Agents at work: a root span, then turns of a model call (with the whole conversation so far, as clients resend it) and tools. Median span about
 * 2 KB as protobuf, with a long tail from long conversations and large tool results.
 */
export class AgentCorpus {
  readonly #random: () => number;
  readonly #prompts: readonly string[];
  readonly #tools: readonly string[];
  #texts = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.#prompts = FEATURES.map(() => this.text(1_100));
    this.#tools = FEATURES.map(() =>
      JSON.stringify(TOOLS.map((name) => ({ type: 'function', function: { name, description: this.text(120), parameters: {} } }))),
    );
  }

  random(): number {
    return this.#random();
  }

  #id(bytes: number): string {
    let hex = '';
    while (hex.length < bytes * 2) hex += (Math.floor(this.#random() * 0xffffffff) >>> 0).toString(16).padStart(8, '0');
    return hex.slice(0, bytes * 2);
  }

  #pick<T>(values: readonly [T, ...T[]]): T {
    return values[Math.floor(this.#random() * values.length)] ?? values[0];
  }

  /** Sizes with a long tail: `median` bytes, one in a hundred is about ten times as long. */
  #size(median: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
    return Math.min(60_000, Math.max(20, median * Math.exp(normal)));
  }

  text(bytes: number): string {
    let text = ++this.#texts % RARE_WORD_EVERY === 0 ? `rare${this.#texts / RARE_WORD_EVERY}x ` : '';
    while (text.length < bytes) text += `${WORDS[Math.floor(WORDS.length * this.#random() ** 3)]} `;
    return text;
  }

  trace(startedAtMs: number, turnsAtLeast = 1): CorpusTrace {
    const traceId = this.#id(16);
    const place = Math.floor(this.#random() * FEATURES.length);
    const feature = FEATURES[place] ?? FEATURES[0];
    const session = `session-${this.#id(6)}`;
    const user = `user-${Math.floor(this.#random() ** 2 * 5_000)}`;
    const model = this.#pick(MODELS);
    const provider = model.startsWith('claude') ? 'anthropic' : 'openai';
    const turns = turnsAtLeast + Math.floor(this.#random() ** 3 * 10);
    let atNs = BigInt(Math.floor(startedAtMs)) * 1_000_000n + BigInt(Math.floor(this.#random() * 1e6));
    const startNs = atNs;
    const common = { 'plimsoll.feature': feature, 'gen_ai.conversation.id': session, 'user.id': user };
    const messages: Record<string, unknown>[] = [
      { role: 'system', parts: [{ type: 'text', content: this.#prompts[place] }] },
      { role: 'user', parts: [{ type: 'text', content: this.text(this.#size(250)) }] },
    ];
    const spans: TestSpan[] = [];
    const rootId = this.#id(8);
    const advance = (medianMs: number): { startNs: bigint; endNs: bigint } => {
      const from = atNs;
      atNs += BigInt(Math.round(this.#size(medianMs) * 1e6));
      return { startNs: from, endNs: atNs };
    };
    let inputTokens = 400;
    for (let turn = 0; turn < turns; turn++) {
      const isLast = turn === turns - 1;
      const isError = this.#random() < 0.02;
      const answer = this.text(this.#size(220));
      const tools = isLast ? [] : Array.from({ length: 1 + Math.floor(this.#random() * 2) }, () => this.#pick(TOOLS));
      const calls = tools.map((name) => ({ type: 'tool_call', id: `call_${this.#id(9)}`, name, arguments: { query: this.text(60) } }));
      const reply = { role: 'assistant', parts: [{ type: 'text', content: answer }, ...calls] };
      spans.push({
        traceId,
        spanId: this.#id(8),
        parentSpanId: rootId,
        name: `chat ${model}`,
        kind: 3,
        ...advance(900),
        ...(isError ? { status: { code: 2, message: 'upstream timed out' } } : {}),
        attributes: {
          ...common,
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': provider,
          'gen_ai.request.model': model,
          'gen_ai.response.model': model,
          'gen_ai.response.id': `chatcmpl-${this.#id(12)}`,
          'gen_ai.response.finish_reasons': [isLast ? 'stop' : 'tool_calls'],
          'gen_ai.request.temperature': 0.2,
          'gen_ai.request.max_tokens': 1024,
          'gen_ai.usage.input_tokens': inputTokens,
          'gen_ai.usage.output_tokens': Math.ceil(answer.length / 4),
          'gen_ai.usage.cache_read.input_tokens': turn === 0 ? 0 : Math.floor(inputTokens * 0.7),
          'server.address': `api.${provider}.com`,
          ...(isError ? { 'error.type': 'timeout' } : {}),
          'gen_ai.tool.definitions': this.#tools[place] ?? '[]',
          'gen_ai.input.messages': JSON.stringify(messages),
          'gen_ai.output.messages': JSON.stringify([{ ...reply, finish_reason: isLast ? 'stop' : 'tool_call' }]),
        },
      });
      messages.push(reply);
      for (const call of calls) {
        const result = this.text(this.#size(560));
        spans.push({
          traceId,
          spanId: this.#id(8),
          parentSpanId: rootId,
          name: `execute_tool ${call.name}`,
          kind: 1,
          ...advance(120),
          attributes: {
            ...common,
            'gen_ai.operation.name': 'execute_tool',
            'gen_ai.tool.name': call.name,
            'gen_ai.tool.call.id': call.id,
            'gen_ai.tool.call.arguments': JSON.stringify(call.arguments),
            'gen_ai.tool.call.result': result,
            'thread.id': 1,
            'code.function.name': `tools.${call.name}`,
          },
        });
        messages.push({ role: 'tool', parts: [{ type: 'tool_call_response', id: call.id, response: result }] });
        inputTokens += Math.ceil(result.length / 4);
      }
      inputTokens += Math.ceil(answer.length / 4);
    }
    spans.push({
      traceId,
      spanId: rootId,
      name: `invoke_agent ${feature}`,
      startNs,
      endNs: atNs,
      attributes: { ...common, 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': `${feature}-agent` },
    });
    return { traceId, feature, spans };
  }
}

export function percentile(values: readonly number[], ratio: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * ratio) - 1))] ?? Number.NaN;
}
