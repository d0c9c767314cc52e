import { openAiErrorBody } from '../../kernel/errors.ts';
import { scanChatBody, upstreamChatBody } from '../body/chat-body.ts';
import type { ClientDialect } from '../client-dialect.ts';

/** OpenAI's chat completions: the hub's own format. */
export const openAiChat: ClientDialect = {
  name: 'openai-chat',
  limits: ['This is the hub’s own format: what another provider cannot do of it stands with that provider'],
  scan: scanChatBody,
  forwardBody: upstreamChatBody,
  translation: null,
  errorBody: (error) => openAiErrorBody(error),
  errorEvent: (error) => `data: ${JSON.stringify(openAiErrorBody(error))}\n\n`,
};
