import { defineProvider, type ProviderAdapter } from '../provider.ts';
import { readOpenAiUsage } from '../usage.ts';
import { bearer } from './openai/authorization.ts';
import { chatCompletions } from './openai/chat.ts';
import { classifyOpenAiError } from './openai/errors.ts';
import { ALL_OPERATIONS, openAiOperations } from './openai/operations.ts';
import { SERVICES, type Service } from './openai-compatible/services.ts';

/** Servers that speak OpenAI's chat format: their bytes are forwarded. `openai-compatible` is any of them, the rest have a name of their own. */
function compatible({ kind, title, baseUrl, priceList, operations, readCost, outputRule = 'inclusive' }: Service): ProviderAdapter {
  return defineProvider({
    kind,
    summary: title,
    defaultBaseUrl: () => baseUrl,
    probePath: '/models',
    priceList: priceList ?? null,
    operations: openAiOperations(operations ?? []),
    chat: [chatCompletions],
    headers: bearer,
    readUsage: (usage) => readOpenAiUsage(usage, { input: 'inclusive', output: outputRule }),
    readCost: readCost ?? null,
    classifyError: classifyOpenAiError,
  });
}

const openAiCompatible: readonly ProviderAdapter[] = [
  compatible({ kind: 'openai-compatible', title: "Any server that speaks OpenAI's format", baseUrl: null, operations: ALL_OPERATIONS }),
  ...SERVICES.map(compatible),
];

export default openAiCompatible;
