import { z } from 'zod';
import { NO_USAGE } from '../../models/usage.ts';
import { wireFailure } from '../chat-request.ts';
import { embedText, roundedVector } from '../text-vectors.ts';
import { countTokens } from '../tokens.ts';
import { failed, fingerprintOf, NO_UNITS, type WireEndpoint, type WireOutcome } from '../wire.ts';
import { geminiPath } from './gemini.ts';

const request = z.looseObject({
  model: z.string().optional(),
  content: z.looseObject({ parts: z.array(z.looseObject({ text: z.string() })).min(1) }),
  outputDimensionality: z.int().min(1).max(4_096).optional(),
});
const batch = z.looseObject({ requests: z.array(request).min(1).max(2_048) });

const USUAL_DIMENSIONS = 768;

function embed(model: string, requests: readonly z.output<typeof request>[], isBatch: boolean): WireOutcome {
  const texts = requests.map(({ content }) => content.parts.map((part) => part.text).join('\n'));
  const inputTokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
  return {
    kind: 'direct',
    target: { model, fingerprint: fingerprintOf({ model, requests }), lastUserText: texts.at(-1) ?? '', metadataFault: null },
    answer() {
      const embeddings = texts.map((text, at) => ({
        values: roundedVector(embedText(text, requests[at]?.outputDimensionality ?? USUAL_DIMENSIONS)),
      }));
      const usageMetadata = { promptTokenCount: inputTokens, totalTokenCount: inputTokens };
      return {
        contentType: 'application/json',
        body: JSON.stringify(isBatch ? { embeddings, usageMetadata } : { embedding: embeddings[0], usageMetadata }),
        usage: { ...NO_USAGE, inputUncachedTokens: inputTokens },
        units: NO_UNITS,
        durationMs: 30 + inputTokens / 100,
      };
    },
  };
}

/** `:embedContent` and `:batchEmbedContents`. */
export const geminiEmbed: readonly WireEndpoint[] = [
  {
    method: 'POST',
    path: geminiPath('/(?<model>[^/:]+):embedContent'),
    handle({ body, groups }) {
      const parsed = request.safeParse(body);
      return parsed.success
        ? embed(groups.model ?? '', [parsed.data], false)
        : failed(wireFailure(400, 'invalid', '* EmbedContentRequest.content: contents is not specified'));
    },
  },
  {
    method: 'POST',
    path: geminiPath('/(?<model>[^/:]+):batchEmbedContents'),
    handle({ body, groups }) {
      const parsed = batch.safeParse(body);
      return parsed.success
        ? embed(groups.model ?? '', parsed.data.requests, true)
        : failed(wireFailure(400, 'invalid', '* BatchEmbedContentsRequest.requests: contents is not specified'));
    },
  },
];
