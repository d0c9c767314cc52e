import { JsonScanner } from '../../body/json-scanner.ts';
import { replaceMember } from '../../body/replace-member.ts';
import type { ChatEndpoint, Settings } from '../../provider.ts';
import { decodeAnswer } from '../anthropic/answer.ts';
import { encodeRequest } from '../anthropic/request.ts';
import { AnthropicStreamDecoder } from '../anthropic/stream.ts';

const VERSION = 'vertex-2023-10-16';
const VERSION_MEMBER = Buffer.from(`"anthropic_version":"${VERSION}"`);
/** Deeper than any real request; the text was validated with the operator's own limit before. */
const MAX_DEPTH = 4096;

/**
 * Anthropic's models on Vertex AI: its Messages API, but the model stands in the path and the version in the body.
 * @see https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude
 */
export function claudeOnVertex(path: (publisher: string, model: string, method: string, settings: Settings) => string): ChatEndpoint {
  const scanner = new JsonScanner(MAX_DEPTH);
  return {
    dialect: 'anthropic-messages',
    serves: (model) => /claude/i.test(model),
    path: (model, isStream, settings) => path('anthropic', model, isStream ? 'streamRawPredict' : 'rawPredict', settings),
    editForwarded: (body) => replaceMember(body, 'model', VERSION_MEMBER, scanner),
    encodeRequest(hub, model) {
      const { body, warnings } = encodeRequest(hub, model);
      const { model: _, ...rest } = body;
      return { body: { anthropic_version: VERSION, ...rest }, warnings };
    },
    answers: { decodeResponse: decodeAnswer, createStreamDecoder: (options) => new AnthropicStreamDecoder(options) },
  };
}
