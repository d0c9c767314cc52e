/** What `plimsoll init` asks. */
export interface FirstAnswers {
  readonly provider: ProviderChoice;
  readonly feature: string;
  readonly owner: string;
  readonly costOwner: string;
}

export const PROVIDER_CHOICES = ['openai', 'anthropic', 'ollama', 'sim'] as const;
export type ProviderChoice = (typeof PROVIDER_CHOICES)[number];

interface Choice {
  readonly provider: string;
  readonly models: readonly [alias: string, model: string][];
  readonly prices: string;
}

const CHOICES: Readonly<Record<ProviderChoice, Choice>> = {
  openai: {
    provider:
      'openai:\n    kind: openai\n    apiKey: "${OPENAI_API_KEY}"   # only ever the name of a variable; the key stays in the environment',
    models: [
      ['gpt-5-mini', 'gpt-5-mini'],
      ['gpt-5-nano', 'gpt-5-nano'],
    ],
    prices: '',
  },
  anthropic: {
    provider:
      'anthropic:\n    kind: anthropic\n    apiKey: "${ANTHROPIC_API_KEY}"   # only ever the name of a variable; the key stays in the environment',
    models: [
      ['claude-sonnet', 'claude-sonnet-4-5'],
      ['claude-haiku', 'claude-haiku-4-5'],
    ],
    prices: '',
  },
  ollama: {
    provider: 'ollama:\n    kind: openai-compatible   # also vLLM, LM Studio, Groq, Together …\n    baseUrl: http://127.0.0.1:11434/v1',
    models: [
      ['llama', 'llama3.2'],
      ['qwen', 'qwen3'],
    ],
    prices:
      '\n# What a local model costs you: without a price its calls are shown as "unpriced", never as 0.\n# prices:\n#   llama: { inputPerMillionUsd: 0.05, outputPerMillionUsd: 0.1 }\n',
  },
  sim: {
    provider: 'simulated:\n    kind: sim   # made-up answers, marked as simulated everywhere; good for a first look and for drills',
    models: [
      ['sim-large', 'sim-large'],
      ['sim-small', 'sim-small'],
    ],
    prices:
      '\n# Simulated models have no list price; these are made up.\nprices:\n  sim-large: { inputPerMillionUsd: 2.5, outputPerMillionUsd: 10 }\n  sim-small: { inputPerMillionUsd: 0.15, outputPerMillionUsd: 0.6 }\n',
  },
};

function providerName(choice: Choice): string {
  return choice.provider.slice(0, choice.provider.indexOf(':'));
}

export function firstConfig({ provider, feature, owner, costOwner }: FirstAnswers): string {
  const choice = CHOICES[provider];
  return `# Plimsoll: every field is explained in docs/reference/config.md; "plimsoll config check" tests this file.
# A change is taken up at once; a mistake leaves the old configuration in force and says why.
version: 1

# Where models are reached.
providers:
  ${choice.provider}

# Models by the alias that requests and routes use.
models:
${choice.models.map(([alias, model]) => `  ${alias}: { provider: ${providerName(choice)}, model: ${model} }`).join('\n')}
${choice.prices}
# A request's "model" names a route (or a model alias): targets are tried in order, the first is primary.
routes:
  default: { targets: [${choice.models.map(([alias]) => alias).join(', ')}] }

# A feature is what has an owner, a cost owner, a route, and everything that is measured.
features:
  ${feature}:
    owner: ${JSON.stringify(owner)}
    costOwner: ${JSON.stringify(costOwner)}
    route: default
    payloads: full   # full | preview | none: what is kept of prompts and answers

# Virtual keys can live here, or be made with "plimsoll keys create" (then only a hash is stored).
# keys:
#   - { name: dev, key: "\${PLIMSOLL_DEV_KEY}", feature: ${feature}, team: my-team }
`;
}

export function firstPrompt({ feature }: FirstAnswers): string {
  return `---
model: default
config:
  temperature: 0.2
  maxOutputTokens: 500
input:
  schema:
    question: string
---
{{role "system"}}
You answer for ${feature}. Be short and concrete. When you do not know something, say so and say who does.
{{role "user"}}
{{question}}
`;
}

export function firstEval({ feature }: FirstAnswers): string {
  return `# A first suite for ${feature}: "plimsoll eval run evals/${feature}.yaml" asks its cases through the gateway,
# "plimsoll gate evals/${feature}.yaml --baseline <run>" says whether a change made it worse. docs/evaluation.md has every member.
feature: ${feature}
prompts:
  - |
    - role: system
      content: You answer for ${feature}. Be short and concrete. When you do not know something, say so and say who does.
    - role: user
      content: "{{ question }}"
targets: [default]
cases:
  - description: a known question is answered
    vars: { question: "What can you help me with?" }
    assert:
      - { type: javascript, value: "output.length > 20" }
  - description: says so when it cannot know
    vars: { question: "What will the weather be on my birthday in 2031?" }
    assert:
      - { type: icontains-any, value: ["not know", "can't", "cannot", "unable", "don't"] }
metrics:
  pass: { margin: 0.05 }
`;
}
