import { z } from 'zod';
import { PlimsollError } from '../../kernel/errors.ts';
import { contentHash } from '../../kernel/ids.ts';
import type { PicoUsd } from '../../kernel/money.ts';
import type { JsonValue, JudgeReply, JudgeRequest, ScoringTools } from '../scorer.ts';
import type { ModelAnswer, ModelCaller } from './gateway-caller.ts';

const Vectors = z.object({ data: z.array(z.object({ embedding: z.array(z.number()) })) });
const Moderation = z.object({
  results: z.array(z.object({ flagged: z.boolean(), categories: z.record(z.string(), z.boolean().nullish()) })).min(1),
});

export interface ToolModels {
  readonly judge: string | null;
  readonly embedder: string | null;
}

/**
 * What scorers may use of the world, by the gateway.
 * @param key of the item: the same question asked twice for it gets two keys (a judge may be asked again), the same ones in the next process
 * @param call wraps each call: retries, counts
 */
export function gatewayTools(
  caller: ModelCaller,
  { judge, embedder }: ToolModels,
  key: string,
  call: <T>(ask: () => Promise<T>) => Promise<T>,
  spent: (cost: PicoUsd | null) => void,
): ScoringTools {
  const asked = new Map<string, number>();
  const keyOf = (body: JsonValue): string => {
    const hash = contentHash(JSON.stringify(body)).slice(0, 16);
    const count = asked.get(hash) ?? 0;
    asked.set(hash, count + 1);
    return `${key}-${hash}-${count}`;
  };
  return {
    async judge(request: JudgeRequest): Promise<JudgeReply> {
      if (judge === null) throw new PlimsollError('invalid_argument', 'No judge: name a model alias with --judge.');
      const body = {
        model: judge,
        messages: request.messages.map(({ role, content }) => ({ role, content })),
        temperature: request.temperature ?? 0,
        ...(request.wantsLogProbabilities === true ? { logprobs: true, top_logprobs: 20 } : {}),
      };
      const bodyKey = keyOf(body);
      const answer = await call(() => caller.chat(body, bodyKey, { mayUseCache: false }));
      spent(answer.costPicoUsd);
      return replyOf(answer, judge);
    },
    async embed(texts) {
      if (embedder === null) throw new PlimsollError('invalid_argument', 'No embedding model: name one with --embedder.');
      const body = { model: embedder, input: [...texts], encoding_format: 'float' };
      const bodyKey = keyOf(body);
      const { value, costPicoUsd } = await call(() => caller.post('/v1/embeddings', body, bodyKey));
      spent(costPicoUsd);
      const parsed = Vectors.safeParse(value);
      if (!parsed.success || parsed.data.data.length !== texts.length)
        throw new PlimsollError('provider_bad_response', `"${embedder}" gave no vectors for ${texts.length} texts`);
      return parsed.data.data.map(({ embedding }) => embedding);
    },
    async moderate(text) {
      const body = { input: text };
      const bodyKey = keyOf(body);
      const { value, costPicoUsd } = await call(() => caller.post('/v1/moderations', body, bodyKey));
      spent(costPicoUsd);
      const [result] = Moderation.parse(value).results;
      const categories = Object.entries(result?.categories ?? {}).flatMap(([name, isOn]) => (isOn === true ? [name] : []));
      return { isFlagged: result?.flagged ?? false, categories };
    },
  };
}

function replyOf({ answer, model, costPicoUsd }: ModelAnswer, alias: string): JudgeReply {
  const [choice] = answer.choices;
  const content = choice?.message.content;
  const tokens = choice?.logprobs?.content;
  return {
    text: typeof content === 'string' ? content : (content ?? []).map(({ text }) => text ?? '').join(''),
    tokens:
      tokens?.map(({ token, logprob, top_logprobs: top }) => ({
        token,
        logProbability: logprob,
        alternatives: (top ?? []).map((one) => ({ token: one.token, logProbability: one.logprob })),
      })) ?? null,
    model: model ?? alias,
    costUsd: costPicoUsd === null ? null : Number(costPicoUsd) / 1e12,
  };
}
