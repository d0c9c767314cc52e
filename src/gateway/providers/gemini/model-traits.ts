/** What a Gemini model takes, as far as its id tells. */
export interface ModelTraits {
  /** How thinking is asked for: a level, a budget of tokens, or not at all. */
  readonly thinking: 'level' | 'budget' | 'none';
  /** Thinking cannot be switched off (2.5 Pro). */
  readonly alwaysThinks: boolean;
  /** Tool calls in the history must carry a thought signature. */
  readonly needsSignature: boolean;
}

/** An id without a version (an alias, a test server) is taken for a current model. */
export function modelTraits(modelId: string): ModelTraits {
  const match = /gemini-(\d{1,2})(?:\.(\d{1,2}))?/.exec(modelId.toLowerCase());
  if (match === null) return { thinking: /gemini/i.test(modelId) ? 'level' : 'none', alwaysThinks: true, needsSignature: false };
  const version = Number(match[1]) + Number(match[2] ?? '0') / 100;
  return {
    thinking: version >= 3 ? 'level' : version >= 2.05 ? 'budget' : 'none',
    alwaysThinks: version >= 3 || /-pro/.test(modelId),
    needsSignature: version >= 3,
  };
}
