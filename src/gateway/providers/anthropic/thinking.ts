import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import type { ModelTraits } from './model-traits.ts';
import type { AnthropicMessage, Effort, Thinking, ToolChoice } from './wire.ts';

/** Sent when the client names no limit: Anthropic needs one. */
const DEFAULT_MAX_TOKENS = 4096;
const MINIMUM_BUDGET_TOKENS = 1024;

/**
 * `reasoning_effort` → thinking. Models up to 4.6 get a budget, newer ones adaptive thinking with an effort.
 * `none` and `minimal` ask for no thinking (newer models: the lowest effort, as thinking cannot be switched off everywhere).
 */
const EFFORTS: Readonly<Record<string, { budgetTokens: number; effort: Effort }>> = {
  none: { budgetTokens: 0, effort: 'low' },
  minimal: { budgetTokens: 0, effort: 'low' },
  low: { budgetTokens: 1024, effort: 'low' },
  medium: { budgetTokens: 4096, effort: 'medium' },
  high: { budgetTokens: 16_384, effort: 'high' },
  xhigh: { budgetTokens: 24_576, effort: 'xhigh' },
  max: { budgetTokens: 24_576, effort: 'max' },
};

export interface EncodedThinking {
  readonly maxTokens: number;
  readonly thinking: Thinking | null;
  readonly effort: Effort | null;
}

function outputLimit(body: JsonObject): number | null {
  for (const name of ['max_completion_tokens', 'max_tokens']) {
    const value = body[name];
    if (value === undefined || value === null) continue;
    if (!Number.isInteger(value) || (value as number) < 1) return refuse(name, 'a whole number of at least 1 is needed');
    return value as number;
  }
  return null;
}

function ownThinking({ type, budget_tokens: budget }: JsonObject): Thinking {
  if (type === 'adaptive' || type === 'disabled') return { type };
  if (type === 'enabled' && Number.isInteger(budget)) return { type, budget_tokens: budget as number };
  return refuse('thinking', '{ type: "enabled", budget_tokens }, { type: "adaptive" } or { type: "disabled" } is needed');
}

/** In a tool loop a budget needs the thinking that led to the calls; without it Anthropic refuses the request. */
function isToolLoopWithoutThinking(messages: readonly AnthropicMessage[]): boolean {
  const [before, last] = messages.slice(-2);
  return (
    last?.content[0]?.type === 'tool_result' &&
    before?.content.some((block) => block.type === 'thinking' || block.type === 'redacted_thinking') === false
  );
}

/**
 * `max_tokens` / `max_completion_tokens`, `reasoning_effort` and Anthropic's own `thinking` (passed through and preferred; an effort goes
 * beside it where it is adaptive).
 * Thinking counts toward Anthropic's max_tokens as reasoning does toward max_completion_tokens: a given limit is kept, and the budget
 * takes at most half of it; without a limit it is the default plus the budget.
 */
export function encodeThinking(
  body: JsonObject,
  traits: ModelTraits,
  messages: readonly AnthropicMessage[],
  toolChoice: ToolChoice | undefined,
  warnings: Set<string>,
): EncodedThinking {
  const limit = outputLimit(body);
  const asked = body.reasoning_effort ?? null;
  if (asked !== null && (typeof asked !== 'string' || !Object.hasOwn(EFFORTS, asked)))
    return refuse('reasoning_effort', `${JSON.stringify(asked)} is not one of ${Object.keys(EFFORTS).join(', ')}`);
  const level = asked === null ? null : (EFFORTS[asked as string] ?? null);
  const withDefault = (extraTokens: number): number => {
    if (limit !== null) return limit;
    warnings.add(`max_tokens is missing and Anthropic needs it: ${DEFAULT_MAX_TOKENS + extraTokens} was sent`);
    return DEFAULT_MAX_TOKENS + extraTokens;
  };
  if (isObject(body.thinking)) {
    const thinking = ownThinking(body.thinking);
    const effort = thinking.type === 'adaptive' ? (level?.effort ?? null) : null;
    return { maxTokens: withDefault(thinking.type === 'enabled' ? thinking.budget_tokens : 0), thinking, effort };
  }
  const none = (reason?: string): EncodedThinking => {
    if (reason !== undefined) warnings.add(`reasoning_effort is not sent: ${reason}`);
    return { maxTokens: withDefault(0), thinking: null, effort: null };
  };
  if (level === null) return none();
  const isForced = toolChoice?.type === 'any' || toolChoice?.type === 'tool';
  switch (traits.thinking) {
    case 'none':
      return level.budgetTokens === 0 ? none() : none('this model does not think');
    case 'adaptive': {
      const effort = level.effort === 'xhigh' && traits.sampling !== 'none' ? 'high' : level.effort;
      if (isForced || level.budgetTokens === 0) return { maxTokens: withDefault(0), thinking: null, effort };
      return { maxTokens: withDefault(level.budgetTokens), thinking: { type: 'adaptive' }, effort };
    }
    case 'budget': {
      if (level.budgetTokens === 0) return none();
      if (isForced) return none('thinking and a forced tool_choice exclude each other at Anthropic');
      if (isToolLoopWithoutThinking(messages)) return none('the assistant message before the tool answers has no thinking_blocks');
      const budget = limit === null ? level.budgetTokens : Math.min(level.budgetTokens, Math.floor(limit / 2));
      if (budget < MINIMUM_BUDGET_TOKENS)
        return none(`max_tokens of ${limit} leaves no room for the least budget of ${MINIMUM_BUDGET_TOKENS} tokens`);
      return { maxTokens: withDefault(budget), thinking: { type: 'enabled', budget_tokens: budget }, effort: null };
    }
    default:
      return traits.thinking satisfies never;
  }
}
