import { defineProvider } from '../provider.ts';
import { readOpenAiUsage } from '../usage.ts';
import { bearer } from './openai/authorization.ts';
import { openAiChatCompletions, responses } from './openai/chat.ts';
import { classifyOpenAiError } from './openai/errors.ts';
import { ALL_OPERATIONS, openAiOperations } from './openai/operations.ts';

export default defineProvider({
  kind: 'openai',
  summary: "OpenAI's API",
  defaultBaseUrl: () => 'https://api.openai.com/v1',
  probePath: '/models',
  priceList: 'openai',
  operations: openAiOperations(ALL_OPERATIONS.filter((name) => name !== 'rerank')),
  chat: [openAiChatCompletions, responses],
  headers: bearer,
  readUsage: readOpenAiUsage,
  classifyError: classifyOpenAiError,
});
