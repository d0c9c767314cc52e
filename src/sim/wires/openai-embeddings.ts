import { z } from 'zod';
import { NO_USAGE } from '../../models/usage.ts';
import { wireFailure } from '../chat-request.ts';
import { isJsonObject } from '../schema-values.ts';
import { base64Vector, embedText, roundedVector } from '../text-vectors.ts';
import { countTokens } from '../tokens.ts';
import { failed, fingerprintOf, metadataFaultOf, NO_UNITS, type WireEndpoint } from '../wire.ts';

const tokens = z.array(z.int().nonnegative()).min(1);
const body = z.looseObject({
  model: z.string(),
  input: z.union([z.string().min(1), tokens, z.array(z.string().min(1)).min(1).max(2_048), z.array(tokens).min(1).max(2_048)]),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).max(4_096).nullish(),
  metadata: z.unknown().optional(),
});

const USUAL_DIMENSIONS = 1_536;
const LONGEST_INPUT_TOKENS = 8_192;

/** Each input as text and how many tokens it has; a list of numbers is text that is tokenized already. */
function inputsOf(input: z.output<typeof body>['input']): { readonly text: string; readonly tokens: number }[] {
  if (typeof input === 'string') return [{ text: input, tokens: countTokens(input) }];
  if (typeof input[0] === 'number') return [{ text: input.join(' '), tokens: input.length }];
  return input.map((item) =>
    Array.isArray(item) ? { text: item.join(' '), tokens: item.length } : { text: `${item}`, tokens: countTokens(`${item}`) },
  );
}

/** `POST /v1/embeddings`, also under Azure's deployment paths. */
export const openAiEmbeddings: WireEndpoint = {
  method: 'POST',
  path: /^(?:v1\/|openai\/deployments\/(?<deployment>[^/]+)\/)?embeddings$/,
  handle({ body: raw, groups }) {
    const parsed = body.safeParse(groups.deployment !== undefined && isJsonObject(raw) ? { ...raw, model: groups.deployment } : raw);
    if (!parsed.success) {
      const parameter = parsed.error.issues[0]?.path.join('.') || 'input';
      return failed(wireFailure(400, 'invalid', `Invalid value for '${parameter}'.`, { parameter }));
    }
    const { model, input, encoding_format: format, dimensions, metadata } = parsed.data;
    const inputs = inputsOf(input);
    const tooLong = inputs.find((item) => item.tokens > LONGEST_INPUT_TOKENS);
    if (tooLong !== undefined) {
      const message = `This model's maximum context length is ${LONGEST_INPUT_TOKENS} tokens, however you requested ${tooLong.tokens} tokens. Please reduce your prompt.`;
      return failed(wireFailure(400, 'context_length', message, { parameter: 'input' }));
    }
    const inputTokens = inputs.reduce((sum, item) => sum + item.tokens, 0);
    return {
      kind: 'direct',
      target: {
        model,
        fingerprint: fingerprintOf(parsed.data),
        lastUserText: inputs.at(-1)?.text ?? '',
        metadataFault: metadataFaultOf(metadata),
      },
      answer: () => ({
        contentType: 'application/json',
        body: JSON.stringify({
          object: 'list',
          data: inputs.map((item, index) => {
            const vector = embedText(item.text, dimensions ?? USUAL_DIMENSIONS);
            return { object: 'embedding', index, embedding: format === 'base64' ? base64Vector(vector) : roundedVector(vector) };
          }),
          model,
          usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
        }),
        usage: { ...NO_USAGE, inputUncachedTokens: inputTokens },
        units: NO_UNITS,
        durationMs: 30 + inputTokens / 100,
      }),
    };
  },
};
