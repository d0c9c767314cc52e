import { createAnthropic } from '@ai-sdk/anthropic';
import { aiSdkCases } from './ai-sdk.ts';
import { KEY, proveClient } from './harness.ts';

proveClient(
  'ai-anthropic',
  aiSdkCases((world, model, apiKey = KEY) => createAnthropic({ baseURL: `${world.origin}/v1`, apiKey })(model)),
);
