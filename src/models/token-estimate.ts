/**
 * Token counts guessed from text, for admission before a call and for streams that were aborted before usage was reported.
 * An estimate, marked as one wherever it is used: never the base of a bill when the provider reported usage.
 *
 * Sources: OpenAI, "What are tokens and how to count them" (English: 1 token ≈ 4 characters); Anthropic's glossary gives ≈ 3.5 for
 * English. Byte-pair encoders spend about one token per character on Han, Kana and Hangul and about one per two characters on Cyrillic, Greek, Arabic and accented Latin.
 */
const CHARACTERS_PER_TOKEN = 4;

/**
 * The cheap form, when only a length is known: takes the text to be English.
 * @param count UTF-16 code units (or bytes of ASCII), ≥ 0
 * @returns tokens, rounded up; 0 only for 0
 */
export function estimateTokensFromCharacters(count: number): number {
  return Math.ceil(count / CHARACTERS_PER_TOKEN);
}

/** Estimated tokens of a text, rounded up; scripts that encode densely count for more. Never below `estimateTokensFromCharacters(text.length)`. */
export function estimateTokens(text: string): number {
  let quarters = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    quarters += unit < 0x80 ? 1 : unit < 0x2e80 ? 2 : 4;
  }
  return Math.ceil(quarters / 4);
}
