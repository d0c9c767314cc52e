/** What SDKs call providers → the provider as the price book calls it. Compared in lower case, with everything but letters and digits left out. */
const NAMES: Readonly<Record<string, string>> = {
  openai: 'openai',
  azure: 'azure',
  azureopenai: 'azure',
  azureaiopenai: 'azure',
  azaiopenai: 'azure',
  azureaiinference: 'azure',
  azaiinference: 'azure',
  anthropic: 'anthropic',
  claude: 'anthropic',
  google: 'google',
  gemini: 'google',
  gcpgemini: 'google',
  gcpgenai: 'google',
  gcpvertexai: 'google',
  vertexai: 'google',
  vertex: 'google',
  googlevertex: 'google',
  googlevertexai: 'google',
  googlegenai: 'google',
  googlegenerativeai: 'google',
  googlevertexchat: 'google',
  aws: 'aws',
  awsbedrock: 'aws',
  bedrock: 'aws',
  amazonbedrock: 'aws',
  bedrockconverse: 'aws',
  mistral: 'mistral',
  mistralai: 'mistral',
  cohere: 'cohere',
  deepseek: 'deepseek',
  groq: 'groq',
  xai: 'x-ai',
  perplexity: 'perplexity',
  together: 'together',
  togetherai: 'together',
  fireworks: 'fireworks',
  fireworksai: 'fireworks',
  openrouter: 'openrouter',
  cerebras: 'cerebras',
};

/** Beginnings of model ids that only their maker uses. */
const MAKERS: readonly (readonly [RegExp, string])[] = [
  [/^(gpt-|chatgpt-|o[1-9](-|$)|text-embedding-(3|ada)|davinci)/, 'openai'],
  [/^claude-/, 'anthropic'],
  [/^(models\/)?gemini-/, 'google'],
  [/^(mistral|codestral|ministral|magistral|pixtral)-/, 'mistral'],
  [/^command-/, 'cohere'],
  [/^deepseek-(chat|reasoner)$/, 'deepseek'],
  [/^grok-/, 'x-ai'],
];

export interface NamedProvider {
  /** As the price book calls it where it knows it, else as it was sent, in lower case. */
  readonly name: string;
  /** True when only the model's name told it. */
  readonly isInferred: boolean;
}

/**
 * @param sent what the span calls its provider, e.g. `openai`, `azure.ai.openai`, `anthropic.messages`
 * @returns null when neither provider nor model tells it
 */
export function providerOf(sent: string | null, model: string | null): NamedProvider | null {
  if (sent !== null && sent.trim() !== '') {
    const lower = sent.trim().toLowerCase();
    const name =
      known(lower) ??
      known(lower.replace(/[./](chat|responses|messages|completions?|embeddings?|generative-ai)$/, '')) ??
      lower.slice(0, 128);
    return { name, isInferred: false };
  }
  const maker = model === null ? undefined : MAKERS.find(([start]) => start.test(model.toLowerCase()));
  return maker === undefined ? null : { name: maker[1], isInferred: true };
}

function known(name: string): string | undefined {
  const plain = name.replace(/[^a-z0-9]/g, '');
  return Object.hasOwn(NAMES, plain) ? NAMES[plain] : undefined;
}
