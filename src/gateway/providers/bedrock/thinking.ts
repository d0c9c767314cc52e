import { isObject, type JsonObject } from '../../hub/json.ts';
import { type Effort, readEffort } from '../../hub/parameters.ts';
import { modelTraits } from '../anthropic/model-traits.ts';

/** Tokens that an effort stands for where a model wants a budget; the same as for Anthropic's own API. */
const BUDGETS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 0,
  low: 1024,
  medium: 4096,
  high: 16_384,
  xhigh: 24_576,
  max: 24_576,
};
const MINIMUM_BUDGET_TOKENS = 1024;

export interface ThinkingSituation {
  readonly outputLimit: number | null;
  /** A tool must be called. */
  readonly isForced: boolean;
  readonly isToolLoopWithoutThinking: boolean;
}

/** Converse has no member for thinking: each family takes it in `additionalModelRequestFields`, in its own way. Empty = none is asked for. */
export function encodeThinking(
  body: JsonObject,
  upstreamModel: string,
  situation: ThinkingSituation,
  warnings: Set<string>,
): Readonly<Record<string, unknown>> {
  const effort = readEffort(body);
  if (/anthropic\.claude/i.test(upstreamModel)) return claudeThinking(body, effort, upstreamModel, situation, warnings);
  if (effort === null) return {};
  const level = effort === 'none' || effort === 'minimal' ? 'low' : effort === 'xhigh' || effort === 'max' ? 'high' : effort;
  if (/amazon\.nova-2/i.test(upstreamModel))
    return BUDGETS[effort] === 0 ? {} : { reasoningConfig: { type: 'enabled', maxReasoningEffort: level } };
  if (/openai\.gpt/i.test(upstreamModel)) return { reasoning_effort: level };
  if (effort !== 'none') warnings.add('reasoning_effort is not sent: this model has no such setting at Bedrock');
  return {};
}

function claudeThinking(
  body: JsonObject,
  effort: Effort | null,
  upstreamModel: string,
  { outputLimit, isForced, isToolLoopWithoutThinking }: ThinkingSituation,
  warnings: Set<string>,
): Readonly<Record<string, unknown>> {
  // Clients of Anthropic's dialect bring it along; its own words are kept.
  if (isObject(body.thinking)) return body.thinking.type === 'disabled' ? {} : { thinking: body.thinking };
  if (effort === null) return {};
  const { thinking } = modelTraits(upstreamModel);
  const none = (reason: string): Readonly<Record<string, unknown>> => {
    if (BUDGETS[effort] > 0) warnings.add(`reasoning_effort is not sent: ${reason}`);
    return {};
  };
  if (thinking === 'none') return none('this model does not think');
  if (thinking === 'adaptive') {
    const output_config = { effort: effort === 'none' || effort === 'minimal' ? 'low' : effort };
    return isForced || BUDGETS[effort] === 0 ? { output_config } : { thinking: { type: 'adaptive' }, output_config };
  }
  if (isForced) return none('thinking and a forced tool_choice exclude each other');
  if (isToolLoopWithoutThinking) return none('the assistant message before the tool answers has no thinking_blocks');
  const budget = outputLimit === null ? BUDGETS[effort] : Math.min(BUDGETS[effort], Math.floor(outputLimit / 2));
  if (budget < MINIMUM_BUDGET_TOKENS)
    return none(`max_tokens of ${outputLimit} leaves no room for the least budget of ${MINIMUM_BUDGET_TOKENS}`);
  return { thinking: { type: 'enabled', budget_tokens: budget } };
}
