import type { ChatEndpoint } from '../../provider.ts';

/** The hub's own dialect: bytes are forwarded and scanned. */
export const chatCompletions: ChatEndpoint = {
  dialect: 'openai-chat',
  path: () => '/chat/completions',
  encodeRequest: null,
  answers: null,
};
