import { parseJsonText } from '../../kernel/parse-json.ts';
import { countInputTokens, type FinishReason, type PlannedAnswer, type PlannedChoice } from '../completion.ts';
import { JSON_ARRAY, SSE } from '../framings.ts';
import { isJsonObject } from '../schema-values.ts';
import { seededRandom } from '../seeded-random.ts';
import { countTokens, tokenize } from '../tokens.ts';
import { chunksOf, failed, Pacer, type ReplyStamp, type WireEndpoint, type WireEvent, type WireInput, type WireOutcome } from '../wire.ts';
import { geminiPath } from './gemini.ts';
import { parseGeminiRequest } from './gemini-request.ts';

function finishText(finish: FinishReason): string {
  switch (finish) {
    case 'stop':
    case 'stop_sequence':
    case 'tool_calls':
    case 'refusal':
      return 'STOP';
    case 'length':
      return 'MAX_TOKENS';
    case 'content_filter':
      return 'SAFETY';
  }
}

/** Usage of an answer so far; Gemini says it with every chunk. Thoughts are no part of the candidates' tokens. */
function usageBody({ usage }: PlannedAnswer, generatedTokens: number): Record<string, unknown> {
  const prompt = usage.uncachedInputTokens + usage.cacheReadTokens;
  const thoughts = Math.min(usage.reasoningTokens, generatedTokens);
  return {
    promptTokenCount: prompt,
    ...(generatedTokens - thoughts > 0 ? { candidatesTokenCount: generatedTokens - thoughts } : {}),
    totalTokenCount: prompt + generatedTokens,
    ...(usage.cacheReadTokens > 0 ? { cachedContentTokenCount: usage.cacheReadTokens } : {}),
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
    ...(thoughts > 0 ? { thoughtsTokenCount: thoughts } : {}),
  };
}

function functionCallParts(choice: PlannedChoice, plan: PlannedAnswer, stamp: ReplyStamp): Record<string, unknown>[] {
  return choice.toolCalls.map((call, position) => ({
    functionCall: { id: seededRandom(stamp.id, 'call', position).hex(8), name: call.name, args: parseJsonText(call.arguments) as unknown },
    // A model that thinks signs its first call; the signature must come back with it.
    ...(position === 0 && plan.usage.reasoningTokens > 0
      ? { thoughtSignature: Buffer.from(`simulated:${seededRandom(stamp.id, 'signature').hex(32)}`).toString('base64') }
      : {}),
  }));
}

function envelope(model: string, stamp: ReplyStamp): Record<string, unknown> {
  return { modelVersion: model, responseId: stamp.id };
}

function renderBody(model: string, plan: PlannedAnswer, stamp: ReplyStamp): unknown {
  return {
    candidates: plan.choices.map((choice, index) => {
      const text = choice.tokens.join('');
      const parts = [
        ...(plan.thinking === '' ? [] : [{ text: plan.thinking, thought: true }]),
        ...(text === '' ? [] : [{ text }]),
        ...functionCallParts(choice, plan, stamp),
      ];
      // An answer without parts has no `parts` at all.
      return { content: { ...(parts.length > 0 ? { parts } : {}), role: 'model' }, finishReason: finishText(choice.finish), index };
    }),
    usageMetadata: usageBody(plan, plan.usage.outputTokens),
    ...envelope(model, stamp),
  };
}

function renderEvents(model: string, plan: PlannedAnswer, stamp: ReplyStamp): WireEvent[] {
  const events: WireEvent[] = [];
  const pacer = new Pacer(plan);
  const push = (index: number, part: Record<string, unknown>, finish: FinishReason | null): void => {
    const candidate = {
      content: { parts: [part], role: 'model' },
      ...(finish === null ? {} : { finishReason: finishText(finish) }),
      index,
    };
    const body = { candidates: [candidate], usageMetadata: usageBody(plan, pacer.now.generatedTokens), ...envelope(model, stamp) };
    events.push({ event: null, data: JSON.stringify(body), ...pacer.now });
  };
  for (const { text, tokens } of chunksOf(tokenize(plan.thinking), plan.tokensPerChunk)) {
    pacer.next(tokens);
    push(0, { text, thought: true }, null);
  }
  for (const [index, choice] of plan.choices.entries()) {
    for (const { text, tokens } of chunksOf(choice.tokens, plan.tokensPerChunk)) {
      pacer.next(tokens);
      push(index, { text }, null);
    }
    for (const [position, part] of functionCallParts(choice, plan, stamp).entries()) {
      const call = choice.toolCalls[position];
      pacer.next(call === undefined ? 0 : countTokens(call.name) + countTokens(call.arguments));
      push(index, part, null);
    }
  }
  for (const [index, choice] of plan.choices.entries()) push(index, { text: '' }, choice.finish);
  return events;
}

function generate({ body, groups, query }: WireInput, isStream: boolean): WireOutcome {
  const model = groups.model ?? '';
  const parsed = parseGeminiRequest(body, model, isStream);
  if (!parsed.ok) return failed(parsed.failure);
  return {
    kind: 'generate',
    request: parsed.request,
    framing: query.get('alt') === 'sse' ? SSE : JSON_ARRAY,
    renderBody: (plan, stamp) => renderBody(model, plan, stamp),
    renderEvents: (plan, stamp) => renderEvents(model, plan, stamp),
  };
}

/** `:generateContent`, `:streamGenerateContent` (server-sent events with `alt=sse`, else a JSON array) and `:countTokens`. */
export const geminiGenerate: readonly WireEndpoint[] = [
  { method: 'POST', path: geminiPath('/(?<model>[^/:]+):generateContent'), handle: (input) => generate(input, false) },
  { method: 'POST', path: geminiPath('/(?<model>[^/:]+):streamGenerateContent'), handle: (input) => generate(input, true) },
  {
    method: 'POST',
    path: geminiPath('/(?<model>[^/:]+):countTokens'),
    handle({ body, groups }) {
      const inner = isJsonObject(body) && isJsonObject(body.generateContentRequest) ? body.generateContentRequest : body;
      const parsed = parseGeminiRequest(inner, groups.model ?? '', false);
      if (!parsed.ok) return failed(parsed.failure);
      const totalTokens = countInputTokens(parsed.request);
      return { kind: 'reply', body: { totalTokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: totalTokens }] } };
    },
  },
];
