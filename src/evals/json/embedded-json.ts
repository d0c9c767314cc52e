import { parse } from 'yaml';
import { parseJsonText } from '../../kernel/parse-json.ts';

/** An object is looked for in this many characters from its brace. */
const WINDOW_CHARACTERS = 100_000;
/** What one text may cost: characters that are looked at, and characters that the slow parser reads. */
const MAX_SCANNED = 20_000_000;
const MAX_READ_LOOSELY = 200_000;
/** The slow parser's time grows with the square of the depth. */
const MAX_LOOSE_DEPTH = 100;

/** `// comment` as `# comment`, outside of quotes; addresses keep their slashes. */
function hashComments(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      let quote: string | null = null;
      for (let at = 0; at < line.length; at++) {
        const sign = line.charAt(at);
        if (quote !== null) {
          if (sign === '\\') at++;
          else if (sign === quote) quote = null;
        } else if (sign === '"' || (sign === "'" && !/[a-zA-Z]/.test(line.charAt(at - 1)))) quote = sign;
        else if (line.startsWith('//', at) && line.charAt(at - 1) !== ':') return `${line.slice(0, at)}#${line.slice(at + 2)}`;
      }
      return line;
    })
    .join('\n');
}

function readLoosely(text: string): object | null {
  try {
    const value: unknown = parse(hashComments(text), { uniqueKeys: false, logLevel: 'silent', maxAliasCount: 10 });
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}

function readStrictly(text: string): object | null {
  try {
    return parseJsonText(text) as object; // begins with a brace
  } catch {
    return null;
  }
}

/**
 * The objects in a text, as promptfoo finds them: from each brace to the one that closes it (braces in texts count, too), read as JSON or as YAML's flow
 * style (names without quotes, comments, trailing commas); what the end of the text cuts off is closed.
 * @returns null when the text has more braces than can be tried
 */
export function embeddedObjects(text: string): object[] | null {
  const found: object[] = [];
  let [scanned, loose] = [0, 0];
  for (let start = text.indexOf('{'); start >= 0; start = text.indexOf('{', start)) {
    const limit = Math.min(start + WINDOW_CHARACTERS, text.length);
    let open = 1;
    let lists = 0;
    let depth = 1;
    let end = start + 1;
    for (; end < limit && open > 0; end++) {
      const code = text.charCodeAt(end);
      if (code === 0x7b) open++;
      else if (code === 0x7d) open--;
      else if (code === 0x5b) lists++;
      else if (code === 0x5d) lists--;
      depth = Math.max(depth, open + lists);
    }
    scanned += end - start;
    const part = text.slice(start, end) + '}'.repeat(open);
    let value = readStrictly(part);
    if (value === null && depth <= MAX_LOOSE_DEPTH) {
      loose += part.length;
      if (loose > MAX_READ_LOOSELY) return null;
      value = readLoosely(part);
    }
    if (scanned > MAX_SCANNED) return null;
    if (value !== null) found.push(value);
    start = value === null ? start + 1 : end;
  }
  return found;
}
