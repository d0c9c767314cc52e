import type { ProviderAdapter } from '../provider.ts';
import openai from './openai.ts';

/** Servers that speak OpenAI's chat format: Ollama, vLLM, llama.cpp, Groq, Together … Their bytes are forwarded. */
const openaiCompatible: ProviderAdapter = { ...openai, kind: 'openai-compatible' };

export default openaiCompatible;
