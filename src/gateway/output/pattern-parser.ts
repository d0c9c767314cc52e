/** A pattern that is not checked, with the reason. */
export class PatternRefused extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'PatternRefused';
  }
}

export type PatternNode =
  | { readonly kind: 'atom'; readonly matches: (codePoint: number) => boolean }
  | { readonly kind: 'assert'; readonly at: 'start' | 'end' | 'word' | 'notWord' }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  /** `max` null = no bound. */
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly min: number; readonly max: number | null };

const MAX_PATTERN_CHARACTERS = 1000;
const MAX_GROUP_DEPTH = 50;

/** One code point against one atom, by the engine of the language: a class or an escape means what it means there. */
function atomMatcher(source: string): (codePoint: number) => boolean {
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${source})$`, 'su');
  } catch {
    throw new PatternRefused(`"${source}" is not a valid part of a pattern`);
  }
  // -1 = not asked yet.
  const ascii = new Int8Array(128).fill(-1);
  return (codePoint) => {
    if (codePoint > 127) return expression.test(String.fromCodePoint(codePoint));
    const known = ascii[codePoint];
    if (known !== -1) return known === 1;
    const matches = expression.test(String.fromCharCode(codePoint));
    ascii[codePoint] = matches ? 1 : 0;
    return matches;
  };
}

const DOT = '[^\\n\\r\\u2028\\u2029]';

/**
 * Reads a JSON Schema `pattern` (ECMA 262 with the u flag). What needs backtracking is refused: look-around and back references.
 * @throws PatternRefused
 */
export function parsePattern(text: string): PatternNode {
  if (text.length > MAX_PATTERN_CHARACTERS) throw new PatternRefused(`a pattern has at most ${MAX_PATTERN_CHARACTERS} characters`);
  let position = 0;
  let depth = 0;
  const rest = (): string => text.slice(position);

  function parseChoice(): PatternNode {
    const options = [parseSequence()];
    while (text[position] === '|') {
      position++;
      options.push(parseSequence());
    }
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options };
  }

  function parseSequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (position < text.length && text[position] !== '|' && text[position] !== ')') parts.push(parseTerm());
    return { kind: 'sequence', parts };
  }

  function parseTerm(): PatternNode {
    const node = parseAtom();
    const quantifier = /^(?:([*+?])|\{(\d{1,4})(,?)(\d{0,4})\})\??/.exec(rest());
    if (quantifier === null) {
      if (text[position] === '{') throw new PatternRefused('a "{" that begins no repetition must be written as "\\{"');
      return node;
    }
    if (node.kind === 'assert') throw new PatternRefused('an assertion cannot be repeated');
    position += quantifier[0].length;
    const [, sign, least, comma, most] = quantifier;
    if (sign === '*') return { kind: 'repeat', node, min: 0, max: null };
    if (sign === '+') return { kind: 'repeat', node, min: 1, max: null };
    if (sign === '?') return { kind: 'repeat', node, min: 0, max: 1 };
    const min = Number(least);
    const max = comma === '' ? min : most === '' ? null : Number(most);
    if (max !== null && max < min) throw new PatternRefused('a repetition ends before it begins');
    return { kind: 'repeat', node, min, max };
  }

  function parseGroup(): PatternNode {
    const opening = /^\((?:\?(?::|<[A-Za-z_$][\w$]*>))?/.exec(rest())?.[0] ?? '(';
    position += opening.length;
    if (opening === '(' && text[position] === '?') throw new PatternRefused('look-around is not checked');
    if (++depth > MAX_GROUP_DEPTH) throw new PatternRefused('the groups are nested too deep');
    const node = parseChoice();
    depth--;
    if (text[position] !== ')') throw new PatternRefused('a group is not closed');
    position++;
    return node;
  }

  function atom(source: string, length = source.length): PatternNode {
    position += length;
    return { kind: 'atom', matches: atomMatcher(source) };
  }

  function parseEscape(): PatternNode {
    const assertion = /^\\[bB]/.exec(rest())?.[0];
    if (assertion !== undefined) {
      position += 2;
      return { kind: 'assert', at: assertion === '\\b' ? 'word' : 'notWord' };
    }
    if (/^\\(?:[1-9]|k)/.test(rest())) throw new PatternRefused('back references are not checked');
    const escaped = /^\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[pP]\{[^}]*\}|c[A-Za-z]|[\s\S])/u.exec(rest())?.[0];
    if (escaped === undefined) throw new PatternRefused('a pattern ends in "\\"');
    return atom(escaped);
  }

  function parseAtom(): PatternNode {
    const first = text[position];
    switch (first) {
      case '(':
        return parseGroup();
      case '[': {
        const found = /^\[(?:\\[\s\S]|[^\]\\])*\]/.exec(rest())?.[0];
        if (found === undefined) throw new PatternRefused('a class is not closed');
        return atom(found);
      }
      case '^':
      case '$':
        position++;
        return { kind: 'assert', at: first === '^' ? 'start' : 'end' };
      case '.':
        return atom(DOT, 1);
      case '\\':
        return parseEscape();
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        throw new PatternRefused(`"${first}" must be written as "\\${first}"`);
      default: {
        const literal = String.fromCodePoint(text.codePointAt(position) ?? 0);
        position += literal.length;
        const codePoint = literal.codePointAt(0);
        return { kind: 'atom', matches: (other) => other === codePoint };
      }
    }
  }

  const node = parseChoice();
  if (position < text.length) throw new PatternRefused('a ")" closes nothing');
  return node;
}
