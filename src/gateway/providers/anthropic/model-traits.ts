/** What an Anthropic model accepts, as far as its id tells. */
export interface ModelTraits {
  /** `none`: temperature, top_p and top_k are refused; `one`: temperature or top_p, not both; `free`: both. */
  readonly sampling: 'free' | 'one' | 'none';
  /** How thinking is asked for: a token budget, an effort, or not at all. */
  readonly thinking: 'none' | 'budget' | 'adaptive';
  readonly hasStructuredOutput: boolean;
}

/** `claude-3-5-haiku-20241022` → 3.5, `claude-sonnet-4-5` → 4.5, `claude-opus-4-20250514` → 4; null when there is no version in it. */
function versionOf(modelId: string): number | null {
  const match = /claude-(?:[a-z]+-)*(\d{1,2})(?:[-.](\d{1,2}))?(?=$|[^0-9.])/.exec(modelId.toLowerCase());
  return match ? Number(match[1]) + Number(match[2] ?? '0') / 100 : null;
}

/**
 * Sources (Anthropic's model migration guide and API errors, as of 2026): sampling parameters are refused since 4.7 and exclude each other since 4.1;
 * `thinking: enabled` with a budget exists from 3.7 to 4.6 and is refused since 4.7, `adaptive` and `output_config.effort` exist since 4.6;
 * structured output exists since 4.1. An id without a version (an alias, a test server) is taken for a current model that still samples.
 */
export function modelTraits(modelId: string): ModelTraits {
  const version = versionOf(modelId);
  if (version === null) {
    const isCurrent = /claude-(mythos|fable)/.test(modelId.toLowerCase());
    return { sampling: isCurrent ? 'none' : 'free', thinking: 'adaptive', hasStructuredOutput: true };
  }
  return {
    sampling: version >= 4.07 ? 'none' : version >= 4.01 ? 'one' : 'free',
    thinking: version >= 4.06 ? 'adaptive' : version >= 3.07 ? 'budget' : 'none',
    hasStructuredOutput: version >= 4.01,
  };
}
