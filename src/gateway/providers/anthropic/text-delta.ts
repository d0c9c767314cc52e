const BEFORE_INDEX = '{"type":"content_block_delta","index":';
const AFTER_INDEX = ',"delta":{"type":"text_delta","text":"';
const QUOTE = 0x22;
const SPACE = 0x20;
const CLOSE_BRACE = 0x7d;

export interface TextDelta {
  readonly index: number;
  readonly text: string;
  /** The text as the JSON string that came, quotes included. */
  readonly textJson: string;
}

/**
 * Reads the event that nearly all of an answer's stream consists of, when it is written as Anthropic writes it (members in its order, no spaces
 * but those in front of the braces at the end, which it pads with): a third of the time that parsing the whole event takes.
 * @returns null for everything else, well formed or not
 */
export function readTextDelta(data: string): TextDelta | null {
  if (!data.startsWith(BEFORE_INDEX)) return null;
  let at = BEFORE_INDEX.length;
  let index = 0;
  for (let code = data.charCodeAt(at); code >= 0x30 && code <= 0x39; code = data.charCodeAt(++at)) index = index * 10 + code - 0x30;
  const digits = at - BEFORE_INDEX.length;
  if (digits === 0 || digits > 6 || (digits > 1 && data.charCodeAt(BEFORE_INDEX.length) === 0x30)) return null;
  if (!data.startsWith(AFTER_INDEX, at)) return null;
  let end = data.length - 1;
  for (let braces = 0; braces < 2; end--) {
    const code = data.charCodeAt(end);
    if (code === CLOSE_BRACE) braces++;
    else if (code !== SPACE) return null;
  }
  while (data.charCodeAt(end) === SPACE) end--;
  const start = at + AFTER_INDEX.length - 1;
  if (end <= start || data.charCodeAt(end) !== QUOTE) return null;
  const textJson = data.slice(start, end + 1);
  try {
    // Whatever is more than one string is no JSON: a text cannot hide a further member.
    return { index, text: JSON.parse(textJson) as string, textJson };
  } catch {
    return null;
  }
}
