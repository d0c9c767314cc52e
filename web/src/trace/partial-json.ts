export interface PartialJson {
  readonly value: unknown;
  /** True when the text ended in the middle and was closed here. */
  readonly isCut: boolean;
}

/** Texts that are longer are not repaired, only shown. */
const MAX_REPAIR_LENGTH = 4_000_000;

/**
 * Parses JSON; a text that was cut at a limit is closed where it ends, so that what did arrive can be read.
 * @returns null when the text is no JSON, cut or not
 */
export function parsePartialJson(text: string): PartialJson | null {
  try {
    return { value: JSON.parse(text), isCut: false };
  } catch {
    if (text.length > MAX_REPAIR_LENGTH) return null;
  }
  for (const candidate of closings(text)) {
    try {
      return { value: JSON.parse(candidate), isCut: true };
    } catch {
      // The next candidate drops more of the tail.
    }
  }
  return null;
}

/** What may stand behind the last comma or bracket of cut JSON: a member, a number or the start of a literal. */
const UNFINISHED = /^\s*(?:"[\s\S]*|-?[\d.eE+-]*|t(?:rue?)?|tr|f(?:alse?)?|fal?|n(?:ull?)?|nu)\s*$/;

/** The text closed at its end, then closed at the last complete element. */
function* closings(text: string): Generator<string> {
  if (!/^\s*[[{]/.test(text)) return;
  const stack: string[] = [];
  let inString = false;
  let isEscaped = false;
  let lastComma: { readonly at: number; readonly closers: string } | null = null;
  let lastOpen: { readonly at: number; readonly closers: string } | null = null;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (inString) {
      if (isEscaped) isEscaped = false;
      else if (character === '\\') isEscaped = true;
      else if (character === '"') inString = false;
      continue;
    }
    if (character === '"') inString = true;
    else if (character === '{' || character === '[') {
      stack.push(character === '{' ? '}' : ']');
      lastOpen = { at: i + 1, closers: closersOf(stack) };
    } else if (character === '}' || character === ']') {
      if (stack.pop() !== character) return;
    } else if (character === ',') lastComma = { at: i, closers: closersOf(stack) };
  }
  const closers = closersOf(stack);
  if (inString) {
    const body = isEscaped ? text.slice(0, -1) : text.replace(/\\u[0-9a-fA-F]{0,3}$/, '');
    yield `${body}"${closers}`;
  } else yield `${text}${closers}`;
  const cuts = [lastComma, lastOpen].filter((cut) => cut !== null).sort((a, b) => b.at - a.at);
  for (const cut of cuts)
    if (UNFINISHED.test(text.slice(cut.at + (text[cut.at] === ',' ? 1 : 0)))) yield `${text.slice(0, cut.at)}${cut.closers}`;
}

function closersOf(stack: readonly string[]): string {
  return stack.toReversed().join('');
}
