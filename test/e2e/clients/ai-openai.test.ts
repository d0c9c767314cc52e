import { createOpenAI } from '@ai-sdk/openai';
import { aiSdkCases } from './ai-sdk.ts';
import { KEY, proveClient, type World } from './harness.ts';

function provider(world: World, apiKey = KEY) {
  return createOpenAI({ baseURL: `${world.origin}/v1`, apiKey });
}

proveClient(
  'ai-openai-chat',
  aiSdkCases((world, model, apiKey) => provider(world, apiKey).chat(model)),
);
proveClient(
  'ai-openai-responses',
  aiSdkCases((world, model, apiKey) => provider(world, apiKey).responses(model)),
);
