import { z } from 'zod';
import { wireFailure } from '../chat-request.ts';
import type { FinishReason, PlannedAnswer } from '../completion.ts';
import { SSE } from '../framings.ts';
import { chunksOf, failed, fingerprintOf, metadataFaultOf, Pacer, type ReplyStamp, type WireEndpoint, type WireEvent } from '../wire.ts';
import { chatUsage } from './openai-chat.ts';

const body = z.looseObject({
  model: z.string(),
  prompt: z.union([z.string(), z.array(z.string()).length(1)]),
  max_tokens: z.int().min(1).nullish(),
  n: z.int().min(1).max(128).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  echo: z.boolean().nullish(),
  metadata: z.unknown().optional(),
});

/** What the provider takes when nothing is said. */
const USUAL_OUTPUT_TOKENS = 16;

function finishText(finish: FinishReason): string {
  return finish === 'length' || finish === 'content_filter' ? finish : 'stop';
}

function renderEvents(envelope: object, includesUsage: boolean, plan: PlannedAnswer): WireEvent[] {
  const events: WireEvent[] = [];
  const pacer = new Pacer(plan);
  const push = (choices: unknown[], usage: unknown = null): void => {
    events.push({ event: null, data: JSON.stringify({ ...envelope, choices, ...(includesUsage ? { usage } : {}) }), ...pacer.now });
  };
  for (const [index, choice] of plan.choices.entries()) {
    for (const { text, tokens } of chunksOf(choice.tokens, plan.tokensPerChunk)) {
      pacer.next(tokens);
      push([{ text, index, logprobs: null, finish_reason: null }]);
    }
    push([{ text: '', index, logprobs: null, finish_reason: finishText(choice.finish) }]);
  }
  if (includesUsage) push([], chatUsage(plan, plan.usage.outputTokens));
  events.push({ event: null, data: '[DONE]', ...pacer.now });
  return events;
}

/** `POST /v1/completions`, the older form: one prompt, text back. */
export const openAiCompletions: WireEndpoint = {
  method: 'POST',
  path: /^(?:v1\/)?completions$/,
  handle({ body: raw }) {
    const parsed = body.safeParse(raw);
    if (!parsed.success) {
      const parameter = parsed.error.issues[0]?.path.join('.') || 'prompt';
      return failed(
        wireFailure(400, 'invalid', `Invalid value for '${parameter}' (the simulated provider takes one prompt).`, { parameter }),
      );
    }
    const value = parsed.data;
    const prompt = typeof value.prompt === 'string' ? value.prompt : (value.prompt[0] ?? '');
    const lead = value.echo ? prompt : '';
    const envelopeOf = (stamp: ReplyStamp): object => ({
      id: `cmpl-${stamp.id}`,
      object: 'text_completion',
      created: stamp.createdSeconds,
      model: value.model,
      system_fingerprint: stamp.systemFingerprint,
    });
    return {
      kind: 'generate',
      framing: SSE,
      request: {
        model: value.model,
        turns: [{ role: 'user', text: prompt, extraTokens: 0, cacheMark: null }],
        tools: [],
        toolChoice: { kind: 'none' },
        allowsParallelTools: false,
        maxOutputTokens: value.max_tokens ?? USUAL_OUTPUT_TOKENS,
        stop: typeof value.stop === 'string' ? [value.stop] : (value.stop ?? []),
        format: { kind: 'text' },
        choiceCount: value.n ?? 1,
        showsThinking: false,
        caching: 'automatic',
        isStream: value.stream ?? false,
        fingerprint: fingerprintOf(value),
        metadataFault: metadataFaultOf(value.metadata),
      },
      renderBody: (plan, stamp) => ({
        ...envelopeOf(stamp),
        choices: plan.choices.map((choice, index) => ({
          text: `${lead}${choice.tokens.join('')}`,
          index,
          logprobs: null,
          finish_reason: finishText(choice.finish),
        })),
        usage: chatUsage(plan, plan.usage.outputTokens),
      }),
      renderEvents: (plan, stamp) => renderEvents(envelopeOf(stamp), value.stream_options?.include_usage ?? false, plan),
    };
  },
};
