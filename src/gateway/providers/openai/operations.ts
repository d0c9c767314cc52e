import { isObject } from '../../hub/json.ts';
import type { Metered, Operation, OperationEndpoint, Settings } from '../../provider.ts';
import { readOpenAiUsage } from '../../usage.ts';

const PATHS: Readonly<Record<Operation, string>> = {
  text_completion: '/completions',
  embeddings: '/embeddings',
  rerank: '/rerank',
  moderation: '/moderations',
  image_generation: '/images/generations',
  image_edit: '/images/edits',
  speech: '/audio/speech',
  transcription: '/audio/transcriptions',
  translation: '/audio/translations',
};

export const ALL_OPERATIONS = Object.keys(PATHS) as readonly Operation[]; // the keys of a record of operations

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/**
 * Usage of OpenAI's operations in its three forms: that of chat, that of images and sound (`input_tokens` with their details), and a duration.
 * Sound that is made is audio tokens; image tokens of the input have a price of their own. Rerankers tell only a total.
 * @see https://platform.openai.com/docs/api-reference/images/object, https://platform.openai.com/docs/api-reference/audio/json-object
 */
export function readOperationUsage(reported: unknown): Metered {
  if (!isObject(reported)) return { usage: null, units: {} };
  const seconds = reported.type === 'duration' ? count(reported.seconds) : count(reported.prompt_audio_seconds);
  const units = seconds > 0 ? { seconds } : {};
  if (typeof reported.input_tokens === 'number') {
    const details = reported.input_tokens_details ?? reported.input_token_details;
    const parts = isObject(details) ? details : {};
    const images = Math.min(count(reported.input_tokens), count(parts.image_tokens));
    const usage = readOpenAiUsage({
      prompt_tokens: count(reported.input_tokens) - images,
      completion_tokens: reported.output_tokens,
      prompt_tokens_details: { cached_tokens: parts.cached_tokens, audio_tokens: parts.audio_tokens },
    });
    return { usage, units: images > 0 ? { ...units, inputImageTokens: images } : units };
  }
  const usage =
    readOpenAiUsage(reported) ??
    (typeof reported.total_tokens === 'number' ? readOpenAiUsage({ prompt_tokens: reported.total_tokens }) : null);
  return { usage, units };
}

/** Operations that a server of OpenAI's format serves: bytes are forwarded. @param toPath of an operation, where the provider has paths of its own */
export function openAiOperations(
  names: readonly Operation[],
  toPath: (path: string, upstreamModel: string, settings: Settings) => string = (path) => path,
): Partial<Record<Operation, OperationEndpoint>> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      { path: (model: string, settings: Settings) => toPath(PATHS[name], model, settings), readMetered: readOperationUsage },
    ]),
  );
}
