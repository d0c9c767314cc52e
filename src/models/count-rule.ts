/**
 * Whether a sum of tokens holds its parts (inclusive: `prompt_tokens` with the cached ones in it) or leaves them out (exclusive: they are counted
 * beside it).
 */
export type CountRule = 'inclusive' | 'exclusive';

/** What a sender counted. `cached` = all that was read from and written to its cache. */
export interface CountedTokens {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
  /** The sender's own total; null = it gave none. */
  readonly total: number | null;
}

export interface CountRules {
  readonly input: CountRule;
  readonly output: CountRule;
  /** False when the sender's total comes out under no reading, or under two that differ: then the rules are the dialect's, and may be wrong. */
  readonly isConsistent: boolean;
}

const BOTH: readonly CountRule[] = ['inclusive', 'exclusive'];

/**
 * By which rules the counts are to be read. Arithmetic first: parts that exceed their sum are beside it, and a total proves what was added up.
 * Where the numbers prove nothing, the rule is what the sender's dialect defines.
 */
export function countRules(counts: CountedTokens, dialect: { readonly input: CountRule; readonly output: CountRule }): CountRules {
  const { input, cached, output, reasoning, total } = counts;
  const inputRules = cached === 0 ? [dialect.input] : cached > input ? BOTH.slice(1) : BOTH;
  const outputRules = reasoning === 0 ? [dialect.output] : reasoning > output ? BOTH.slice(1) : BOTH;
  const choose = (rules: readonly CountRule[], preferred: CountRule) => (rules.includes(preferred) ? preferred : (rules[0] ?? preferred));
  const unproven = { input: choose(inputRules, dialect.input), output: choose(outputRules, dialect.output) };
  if (total === null) return { ...unproven, isConsistent: true };
  const fitting = inputRules.flatMap((inputRule) =>
    outputRules.flatMap((outputRule) => {
      const sum = input + (inputRule === 'exclusive' ? cached : 0) + output + (outputRule === 'exclusive' ? reasoning : 0);
      return sum === total ? [{ input: inputRule, output: outputRule }] : [];
    }),
  );
  const [only] = fitting;
  return fitting.length === 1 && only !== undefined ? { ...only, isConsistent: true } : { ...unproven, isConsistent: false };
}
