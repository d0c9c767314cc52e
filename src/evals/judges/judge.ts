import { contentHash } from '../../kernel/ids.ts';
import type { JsonValue, ScorerDefinition } from '../scorer.ts';

/** Who judged. Two judges with the same hash were told the same, by the same model, with the same parameters. */
export interface Judge {
  /** As the gateway names it. */
  readonly model: string;
  readonly promptHash: string;
  /** The options of the scorer that tell the judge what is good: of a rubric its text. */
  readonly rubricVersion: string;
  /** Temperature, samples and the like. */
  readonly parameters: Readonly<Record<string, string | number | boolean | null>>;
}

/** @param prompts what the judge is told, as `ScorerDefinition.judgePrompts` gives it */
export function promptHash(prompts: readonly string[]): string {
  return contentHash(JSON.stringify(prompts));
}

export function judgeHash({ model, promptHash: prompt, rubricVersion, parameters }: Judge): string {
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return contentHash(JSON.stringify([model, prompt, rubricVersion, sorted]));
}

/**
 * The judge that a scorer is with these options.
 * @param rubric the assertion's value as the suite has it, before it is filled in for a case: else every case would have a judge of its own
 * @returns null when the scorer asks no judge
 */
export function judgeOf(
  { judgePrompts }: Pick<ScorerDefinition, 'judgePrompts'>,
  options: unknown,
  { model, rubric, parameters }: { readonly model: string; readonly rubric: JsonValue; readonly parameters: Judge['parameters'] },
): Judge | null {
  if (judgePrompts === undefined) return null;
  // The rubric stands for the value; a threshold, votes and the like make other verdicts of the same replies.
  const { value: _, ...others } = typeof options === 'object' && options !== null ? (options as { readonly value?: unknown }) : {};
  return {
    model,
    promptHash: promptHash(judgePrompts(options)),
    rubricVersion: contentHash(JSON.stringify(rubric)),
    parameters: { ...parameters, options: JSON.stringify(others) },
  };
}

const FAMILIES: readonly (readonly [string, RegExp])[] = [
  ['OpenAI', /(^|[^a-z])(gpt|chatgpt|davinci)([^a-z]|$)|(^|[^a-z0-9])o[134](-|$)/],
  ['Claude', /(^|[^a-z])claude/],
  ['Gemini', /(^|[^a-z])(gemini|gemma|palm)/],
  ['Llama', /(^|[^a-z])llama/],
  ['Mistral', /(^|[^a-z])(mistral|mixtral|ministral|magistral|codestral|devstral)/],
  ['Qwen', /(^|[^a-z])(qwen|qwq)/],
  ['DeepSeek', /(^|[^a-z])deepseek/],
  ['Command', /(^|[^a-z])(command|cohere|aya)([^a-z]|$)/],
  ['Grok', /(^|[^a-z])grok/],
  ['Nova', /(^|[^a-z])nova([^a-z]|$)/],
  ['Phi', /(^|[^a-z])phi-?\d/],
  ['GLM', /(^|[^a-z])glm-?\d/],
  ['Kimi', /(^|[^a-z])kimi/],
];

function familyOf(model: string): string | null {
  return FAMILIES.find(([, pattern]) => pattern.test(model.toLowerCase()))?.[0] ?? null;
}

/**
 * Models favour what they or their relatives wrote.
 * @returns a warning, or null when the judge is known to be none of the judged model's kin, or nothing is known
 * @see Panickssery, Bowman & Feng 2024, "LLM Evaluators Recognize and Favor Their Own Generations", arXiv 2404.13076
 */
export function selfPreferenceWarning(judgeModel: string, judgedModel: string): string | null {
  if (judgeModel === judgedModel) return `The judge ${judgeModel} is the model that it judges; models favour what they wrote.`;
  const family = familyOf(judgeModel);
  return family !== null && family === familyOf(judgedModel)
    ? `The judge ${judgeModel} and the judged model ${judgedModel} are both of the ${family} family; models favour what their relatives wrote.`
    : null;
}
