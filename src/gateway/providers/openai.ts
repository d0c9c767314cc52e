import { defineProvider } from '../provider.ts';
import { readOpenAiUsage } from '../usage.ts';
import { bearer } from './openai/authorization.ts';
import { chatCompletions } from './openai/chat.ts';
import { classifyOpenAiError } from './openai/errors.ts';
import { encodeForChatFormat, isOpenAiReasoningModel } from './openai/request.ts';

const encodeForOpenAi = encodeForChatFormat({
  outputLimit: 'max_completion_tokens',
  isReasoningModel: isOpenAiReasoningModel,
  maxUserCharacters: 64,
});

export default defineProvider({
  kind: 'openai',
  summary: "OpenAI's API",
  defaultBaseUrl: () => 'https://api.openai.com/v1',
  probePath: '/models',
  priceList: 'openai',
  chat: [{ ...chatCompletions, encodeRequest: encodeForOpenAi }],
  headers: bearer,
  readUsage: readOpenAiUsage,
  classifyError: classifyOpenAiError,
});
