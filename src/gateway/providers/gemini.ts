import { defineProvider } from '../provider.ts';
import { generateContent } from './gemini/chat.ts';
import { geminiEmbeddings } from './gemini/embeddings.ts';
import { classifyGeminiError } from './gemini/errors.ts';
import { LIMITS } from './gemini/limits.ts';
import { readGeminiUsage } from './gemini/usage.ts';

/** `gemini-2.5-pro` → `models/gemini-2.5-pro`; `tunedModels/mine` is a whole name already. */
function resourceName(model: string): string {
  const name = model.includes('/') ? model : `models/${model}`;
  return name.split('/').map(encodeURIComponent).join('/');
}

/** Google's Gemini API with a key of AI Studio; Vertex AI is a kind of its own. */
export default defineProvider({
  kind: 'gemini',
  summary: "Google's Gemini API (generativelanguage.googleapis.com)",
  defaultBaseUrl: () => 'https://generativelanguage.googleapis.com/v1beta',
  versionPath: '/v1beta',
  probePath: '/models',
  priceList: 'google',
  operations: { embeddings: geminiEmbeddings(resourceName) },
  limits: LIMITS,
  headers: ({ apiKey }): Record<string, string> => (apiKey === null ? {} : { 'x-goog-api-key': apiKey.reveal() }),
  chat: [generateContent((model, method) => `/${resourceName(model)}:${method}`)],
  readUsage: readGeminiUsage,
  classifyError: classifyGeminiError,
});
