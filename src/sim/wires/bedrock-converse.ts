import { parseJsonText } from '../../kernel/parse-json.ts';
import type { FinishReason, PlannedAnswer } from '../completion.ts';
import { AWS_EVENT_STREAM } from '../framings.ts';
import { seededRandom } from '../seeded-random.ts';
import { countTokens, tokenize } from '../tokens.ts';
import { chunksOf, failed, Pacer, type ReplyStamp, type WireEndpoint, type WireEvent, type WireInput, type WireOutcome } from '../wire.ts';
import { signatureFailure } from './bedrock.ts';
import { parseBedrockRequest } from './bedrock-request.ts';

function stopReason(finish: FinishReason): string {
  switch (finish) {
    case 'stop':
      return 'end_turn';
    case 'stop_sequence':
      return 'stop_sequence';
    case 'length':
      return 'max_tokens';
    case 'tool_calls':
      return 'tool_use';
    case 'refusal':
    case 'content_filter':
      return 'content_filtered';
  }
}

/** `inputTokens` leaves out what was read from or written to the cache; the total has all. */
function usageBody({ usage }: PlannedAnswer): Record<string, unknown> {
  const cacheWrite = usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  return {
    inputTokens: usage.uncachedInputTokens,
    outputTokens: usage.outputTokens,
    totalTokens: usage.uncachedInputTokens + usage.cacheReadTokens + cacheWrite + usage.outputTokens,
    cacheReadInputTokens: usage.cacheReadTokens,
    cacheWriteInputTokens: cacheWrite,
    ...(cacheWrite > 0
      ? {
          cacheDetails: [
            ...(usage.cacheWrite5mTokens > 0 ? [{ inputTokens: usage.cacheWrite5mTokens, ttl: '5m' }] : []),
            ...(usage.cacheWrite1hTokens > 0 ? [{ inputTokens: usage.cacheWrite1hTokens, ttl: '1h' }] : []),
          ],
        }
      : {}),
  };
}

const toolUseId = (stamp: ReplyStamp, position: number): string => `tooluse_${seededRandom(stamp.id, 'tool', position).hex(22)}`;
const signatureOf = (stamp: ReplyStamp): string =>
  Buffer.from(`simulated:${seededRandom(stamp.id, 'signature').hex(48)}`).toString('base64');

function renderBody(plan: PlannedAnswer, stamp: ReplyStamp): unknown {
  const [choice] = plan.choices;
  const text = choice.tokens.join('');
  return {
    metrics: { latencyMs: Math.round(plan.durationMs) },
    output: {
      message: {
        content: [
          ...(plan.thinking === ''
            ? []
            : [{ reasoningContent: { reasoningText: { text: plan.thinking, signature: signatureOf(stamp) } } }]),
          ...(text === '' ? [] : [{ text }]),
          ...choice.toolCalls.map((call, position) => ({
            toolUse: { toolUseId: toolUseId(stamp, position), name: call.name, input: parseJsonText(call.arguments) as unknown },
          })),
        ],
        role: 'assistant',
      },
    },
    stopReason: stopReason(choice.finish),
    usage: usageBody(plan),
  };
}

function renderEvents(plan: PlannedAnswer, stamp: ReplyStamp): WireEvent[] {
  const events: WireEvent[] = [];
  const pacer = new Pacer(plan);
  const [choice] = plan.choices;
  const push = (event: string, fields: Readonly<Record<string, unknown>>): void => {
    // The real service pads its events, against guessing of texts by their length.
    const padding = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.slice(0, 4 + (events.length % 31));
    events.push({ event, data: JSON.stringify({ ...fields, p: padding }), ...pacer.now });
  };
  push('messageStart', { role: 'assistant' });
  let contentBlockIndex = 0;
  const endBlock = (): void => {
    push('contentBlockStop', { contentBlockIndex });
    contentBlockIndex++;
  };
  if (plan.thinking !== '') {
    for (const { text, tokens } of chunksOf(tokenize(plan.thinking), plan.tokensPerChunk)) {
      pacer.next(tokens);
      push('contentBlockDelta', { contentBlockIndex, delta: { reasoningContent: { text } } });
    }
    push('contentBlockDelta', { contentBlockIndex, delta: { reasoningContent: { signature: signatureOf(stamp) } } });
    endBlock();
  }
  if (choice.tokens.length > 0) {
    // Text has no contentBlockStart.
    for (const { text, tokens } of chunksOf(choice.tokens, plan.tokensPerChunk)) {
      pacer.next(tokens);
      push('contentBlockDelta', { contentBlockIndex, delta: { text } });
    }
    endBlock();
  }
  for (const [position, call] of choice.toolCalls.entries()) {
    pacer.next(countTokens(call.name));
    push('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId: toolUseId(stamp, position), name: call.name } } });
    for (const { text, tokens } of chunksOf(tokenize(call.arguments), plan.tokensPerChunk)) {
      pacer.next(tokens);
      push('contentBlockDelta', { contentBlockIndex, delta: { toolUse: { input: text } } });
    }
    endBlock();
  }
  push('messageStop', { stopReason: stopReason(choice.finish) });
  push('metadata', { usage: usageBody(plan), metrics: { latencyMs: Math.round(plan.durationMs) } });
  return events;
}

function converse({ body, groups, headers }: WireInput, isStream: boolean): WireOutcome {
  const refused = signatureFailure(headers);
  if (refused !== null) return failed(refused);
  const parsed = parseBedrockRequest(body, groups.model ?? '', isStream);
  if (!parsed.ok) return failed(parsed.failure);
  return { kind: 'generate', request: parsed.request, framing: AWS_EVENT_STREAM, renderBody, renderEvents };
}

/** `POST /model/{id}/converse` and `/converse-stream`. */
export const bedrockConverse: readonly WireEndpoint[] = [
  { method: 'POST', path: /^model\/(?<model>[^/]+)\/converse$/, handle: (input) => converse(input, false) },
  { method: 'POST', path: /^model\/(?<model>[^/]+)\/converse-stream$/, handle: (input) => converse(input, true) },
];
