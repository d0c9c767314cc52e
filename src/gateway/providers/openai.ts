import type { ProviderAdapter } from '../provider.ts';
import { readOpenAiUsage } from '../usage.ts';
import { classifyOpenAiError } from './openai/errors.ts';

const openai: ProviderAdapter = {
  kind: 'openai',
  chat: [{ dialect: 'openai-chat', path: () => '/chat/completions', encodeRequest: null, answers: null }],
  headers: (credential): Record<string, string> => (credential === null ? {} : { authorization: `Bearer ${credential}` }),
  readUsage: readOpenAiUsage,
  classifyError: classifyOpenAiError,
};

export default openai;
