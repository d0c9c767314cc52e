import type { ProviderAdapter } from '../provider.ts';
import { readOpenAiUsage } from '../usage.ts';
import { classifyOpenAiError } from './openai/errors.ts';

const openai: ProviderAdapter = {
  kind: 'openai',
  chatPath: '/chat/completions',
  headers: (credential): Record<string, string> => (credential === null ? {} : { authorization: `Bearer ${credential}` }),
  translation: null,
  readUsage: readOpenAiUsage,
  classifyError: classifyOpenAiError,
};

export default openai;
