import type { JsonValue } from '../scorer.ts';
import type { SuiteTarget } from '../suite.ts';
import type { Findings } from './findings.ts';
import { type Located, member, plain, readLocated, textOf } from './located.ts';
import { CODE, filePath, kindOf, type SuiteFiles } from './suite-files.ts';

/** What may be called, of the gateway's names, for a provider id; null when nothing may. */
export type ModelResolver = (providerId: string, model: string) => string | null;

/** promptfoo's provider words whose models are asked as chat through the gateway; the word of the API after them is left out. */
const CHAT_PROVIDERS: ReadonlySet<string> = new Set(
  'openai anthropic google vertex azure azureopenai mistral cohere bedrock openrouter groq deepseek xai ollama togetherai together fireworks perplexity cerebras litellm vllm localai plimsoll'.split(
    ' ',
  ),
);
const API_WORDS: ReadonlySet<string> = new Set(['chat', 'messages', 'responses', 'converse']);
const REFUSED: Readonly<Record<string, string>> = {
  http: 'only models of the gateway are called; give the endpoint to plimsoll.yaml as a provider of kind openai-compatible',
  https: 'only models of the gateway are called; give the endpoint to plimsoll.yaml as a provider of kind openai-compatible',
  ws: 'only models of the gateway are called',
  exec: 'suites run no programs',
  python: 'suites run no programs',
  promptfoo: 'it is a service of promptfoo’s',
  webhook: 'only models of the gateway are called',
  browser: 'only models of the gateway are called',
  mcp: 'only models of the gateway are called',
};
const REFUSED_APIS: ReadonlySet<string> = new Set([
  'completion',
  'assistant',
  'image',
  'realtime',
  'moderation',
  'transcription',
  'speech',
  'video',
  'agents',
]);

/** Members of a provider's config that go into the chat request as they are. */
const PARAMETERS = [
  'temperature',
  'max_tokens',
  'max_completion_tokens',
  'top_p',
  'top_k',
  'frequency_penalty',
  'presence_penalty',
  'stop',
  'seed',
  'response_format',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'reasoning_effort',
  'logprobs',
  'top_logprobs',
];
/** What the gateway decides: said, and not used. */
const OF_THE_GATEWAY = ['apiKey', 'apiKeyEnvar', 'organization', 'apiVersion', 'region', 'projectId', 'maxRetries', 'cost'];

export interface ReadProvider {
  readonly target: SuiteTarget;
  readonly id: string;
  readonly delayMs: number;
}

export interface ProviderReading {
  readonly files: SuiteFiles;
  readonly findings: Findings;
  readonly resolve: ModelResolver;
}

/** @returns the gateway's model; null = `echo`; undefined = refused, said in the findings */
export function modelOf(id: string, place: string, { findings, resolve }: ProviderReading): string | null | undefined {
  if (id === 'echo') return null;
  const [word = '', ...rest] = id.split(':');
  const reason = Object.hasOwn(REFUSED, word) ? REFUSED[word] : undefined;
  if (reason !== undefined || CODE.has(kindOf(id))) {
    findings.refuse(place, `provider "${id}" is not supported: ${reason ?? 'it is a program'}`);
    return undefined;
  }
  if (REFUSED_APIS.has(rest[0] ?? '')) {
    findings.refuse(place, `provider "${id}" is not supported: "${rest[0]}" is no chat API`);
    return undefined;
  }
  if (API_WORDS.has(rest[0] ?? '') || (rest[0] === 'embedding' && rest.length > 1)) rest.shift();
  const model = CHAT_PROVIDERS.has(word) && rest.length > 0 ? rest.join(':') : id;
  const found = resolve(id, model);
  if (found !== null) return found;
  findings.refuse(place, `provider "${id}": the gateway has no model or route "${model}"; map it with --map "${id}=<model or route>"`);
  return undefined;
}

/** Reads `providers` or `targets`. */
export function readProviders(node: Located | undefined, reading: ProviderReading): ReadProvider[] {
  const read = (node === undefined ? [] : node.kind === 'list' ? node.items : [node]).flatMap((entry) => providersOf(entry, reading, 0));
  const labels = new Set<string>();
  return read.map((provider) => {
    let label = provider.target.label;
    for (let number = 2; labels.has(label); number++) label = `${provider.target.label} (${number})`;
    labels.add(label);
    return { ...provider, target: { ...provider.target, label } };
  });
}

function providersOf(entry: Located, reading: ProviderReading, depth: number): ReadProvider[] {
  const { files, findings } = reading;
  if (entry.kind === 'scalar' && typeof entry.value === 'string') {
    const path = filePath(entry.value);
    if (path === null || CODE.has(kindOf(path))) return one(entry.value, entry, entry.place, reading);
    const text = files.read(path);
    if (text === null || depth > 3) {
      findings.refuse(entry.place, `the file "${path}" cannot be read`);
      return [];
    }
    const node = readLocated(text, path);
    return (node.kind === 'list' ? node.items : [node]).flatMap((inner) => providersOf(inner, reading, depth + 1));
  }
  if (entry.kind !== 'map') {
    findings.refuse(entry.place, 'a provider is an id or an object with "id"');
    return [];
  }
  const id = textOf(member(entry, 'id'));
  if (id !== undefined) return one(id, entry, member(entry, 'id')?.place ?? entry.place, reading);
  // The other form: id → options.
  return [...entry.members.values()].flatMap(({ key, keyPlace, value }) => one(key, value, keyPlace, reading));
}

function one(id: string, options: Located, place: string, reading: ProviderReading): ReadProvider[] {
  const { findings } = reading;
  if (options.kind === 'map')
    findings.onlyKnown(options, 'provider key', ['id', 'label', 'config', 'prompts', 'delay'], {
      transform: 'a provider’s transform is code; put it into options.transform of the tests',
      env: 'keys are given to the gateway',
      inputs: 'it is for red teams',
    });
  const model = modelOf(id, place, reading);
  if (model === undefined) return [];
  const prompts = member(options, 'prompts');
  return [
    {
      id,
      delayMs: plainNumber(member(options, 'delay')) ?? 0,
      target: {
        label: textOf(member(options, 'label')) ?? id,
        model,
        parameters: parametersOf(member(options, 'config'), reading),
        prompts: prompts?.kind === 'list' ? prompts.items.map((item) => textOf(item) ?? '') : null,
      },
    },
  ];
}

function plainNumber(node: Located | undefined): number | null {
  return node?.kind === 'scalar' && typeof node.value === 'number' ? node.value : null;
}

export function parametersOf(config: Located | undefined, { files, findings }: ProviderReading): Record<string, JsonValue> {
  if (config?.kind !== 'map') return {};
  findings.onlyKnown(config, 'provider config', [...PARAMETERS, ...OF_THE_GATEWAY], {
    apiBaseUrl: 'the gateway knows where its providers are; give the address to plimsoll.yaml',
    apiHost: 'the gateway knows where its providers are; give the address to plimsoll.yaml',
    functionToolCallbacks: 'suites run no callbacks',
  });
  const parameters: Record<string, JsonValue> = {};
  for (const { key, keyPlace, value } of config.members.values()) {
    if (OF_THE_GATEWAY.includes(key)) findings.note(keyPlace, `"${key}" is not used: the gateway has its own`);
    if (!PARAMETERS.includes(key)) continue;
    const path = filePath(textOf(value) ?? '');
    const text = path === null ? null : CODE.has(kindOf(path)) ? null : files.read(path);
    if (path !== null && text === null) findings.refuse(value.place, `the file "${path}" cannot be read as data`);
    parameters[key] = path !== null && text !== null ? plain(readLocated(text, path)) : plain(value);
  }
  return parameters;
}
