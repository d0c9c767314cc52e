import type { PicoUsd } from '../../../kernel/money.ts';
import type { CountRule } from '../../../models/count-rule.ts';
import type { Operation } from '../../provider.ts';
import { openRouterCost, perplexityCost } from './reported-cost.ts';

/** A service that speaks OpenAI's format, or a server that one runs: data only. */
export interface Service {
  readonly kind: string;
  readonly title: string;
  /** Null = the operator must name one. */
  readonly baseUrl: string | null;
  /** Provider id of the price book; absent = it has no list. */
  readonly priceList?: string;
  /** What it serves besides chat; absent = nothing. */
  readonly operations?: readonly Operation[];
  readonly readCost?: (usage: unknown) => PicoUsd | null;
  /** `exclusive` = its completion tokens leave reasoning out; absent = they include it, as OpenAI's do. */
  readonly outputRule?: CountRule;
}

export const SERVICES: readonly Service[] = [
  {
    kind: 'cerebras',
    title: 'Cerebras Inference',
    baseUrl: 'https://api.cerebras.ai/v1',
    priceList: 'cerebras',
    operations: ['text_completion'],
  },
  {
    kind: 'dashscope',
    title: 'Alibaba Cloud Model Studio (Qwen)',
    baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    operations: ['embeddings'],
  },
  {
    kind: 'deepinfra',
    title: 'DeepInfra',
    baseUrl: 'https://api.deepinfra.com/v1/openai',
    operations: ['text_completion', 'embeddings', 'image_generation', 'speech', 'transcription'],
  },
  { kind: 'deepseek', title: 'DeepSeek', baseUrl: 'https://api.deepseek.com/v1', priceList: 'deepseek' },
  {
    kind: 'fireworks',
    title: 'Fireworks AI',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    priceList: 'fireworks',
    operations: ['text_completion', 'embeddings', 'rerank'],
  },
  { kind: 'github-models', title: 'GitHub Models', baseUrl: 'https://models.github.ai/inference', operations: ['embeddings'] },
  {
    kind: 'groq',
    title: 'Groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    priceList: 'groq',
    operations: ['speech', 'transcription', 'translation'],
  },
  { kind: 'huggingface', title: 'Hugging Face Inference Providers', baseUrl: 'https://router.huggingface.co/v1' },
  { kind: 'hyperbolic', title: 'Hyperbolic', baseUrl: 'https://api.hyperbolic.xyz/v1', operations: ['text_completion'] },
  {
    kind: 'llama-cpp',
    title: "llama.cpp's llama-server",
    baseUrl: 'http://127.0.0.1:8080/v1',
    operations: ['text_completion', 'embeddings', 'rerank'],
  },
  { kind: 'lm-studio', title: 'LM Studio', baseUrl: 'http://127.0.0.1:1234/v1', operations: ['text_completion', 'embeddings'] },
  { kind: 'minimax', title: 'MiniMax', baseUrl: 'https://api.minimax.io/v1', priceList: 'minimax' },
  { kind: 'moonshot', title: 'Moonshot AI (Kimi)', baseUrl: 'https://api.moonshot.ai/v1', priceList: 'moonshotai' },
  {
    kind: 'nebius',
    title: 'Nebius Token Factory',
    baseUrl: 'https://api.tokenfactory.nebius.com/v1',
    operations: ['text_completion', 'embeddings', 'image_generation'],
  },
  {
    kind: 'novita',
    title: 'Novita AI',
    baseUrl: 'https://api.novita.ai/openai/v1',
    priceList: 'novita',
    operations: ['text_completion', 'embeddings'],
  },
  { kind: 'nvidia', title: 'NVIDIA NIM', baseUrl: 'https://integrate.api.nvidia.com/v1', operations: ['text_completion', 'embeddings'] },
  { kind: 'ollama', title: 'Ollama', baseUrl: 'http://127.0.0.1:11434/v1', operations: ['text_completion', 'embeddings'] },
  {
    kind: 'openrouter',
    title: 'OpenRouter; its reported cost is the cost',
    baseUrl: 'https://openrouter.ai/api/v1',
    priceList: 'openrouter',
    readCost: openRouterCost,
    operations: ['text_completion', 'embeddings'],
  },
  {
    kind: 'perplexity',
    title: 'Perplexity; its reported cost is the cost',
    baseUrl: 'https://api.perplexity.ai',
    priceList: 'perplexity',
    readCost: perplexityCost,
    outputRule: 'exclusive',
  },
  { kind: 'sambanova', title: 'SambaNova Cloud', baseUrl: 'https://api.sambanova.ai/v1', operations: ['embeddings', 'transcription'] },
  { kind: 'sglang', title: 'SGLang', baseUrl: 'http://127.0.0.1:30000/v1', operations: ['text_completion', 'embeddings', 'rerank'] },
  {
    kind: 'together',
    title: 'Together AI',
    baseUrl: 'https://api.together.xyz/v1',
    priceList: 'together',
    operations: ['text_completion', 'embeddings', 'rerank', 'image_generation', 'speech', 'transcription', 'translation'],
  },
  {
    kind: 'vllm',
    title: 'vLLM',
    baseUrl: 'http://127.0.0.1:8000/v1',
    operations: ['text_completion', 'embeddings', 'rerank', 'transcription', 'translation'],
  },
  {
    kind: 'xai',
    title: 'xAI (Grok)',
    baseUrl: 'https://api.x.ai/v1',
    priceList: 'x-ai',
    operations: ['text_completion', 'image_generation'],
    outputRule: 'exclusive',
  },
  { kind: 'zai', title: 'Z.ai (GLM)', baseUrl: 'https://api.z.ai/api/paas/v4', operations: ['embeddings', 'image_generation'] },
];
