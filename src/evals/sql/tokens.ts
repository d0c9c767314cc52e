export interface SqlToken {
  readonly kind: 'word' | 'quoted' | 'text' | 'number' | 'sign';
  /** Words in lower case; quoted names without their quotes. */
  readonly text: string;
}

/** Space or one comment; one at a time, so that nothing is read in two ways. */
const GAP = /\s+|--[^\n]*|\/\*[\s\S]*?\*\//uy;
const TOKEN =
  /(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<text>'(?:[^'\\]|\\[\s\S]|'')*')|(?<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[\p{L}_][^\]\n]*\])|(?<sign><>|!=|<=|>=|\|\||[-+*/%=<>(),.;])/uy;

/** @returns null when some of it is no token: an open quote, a sign that SQL does not have */
export function readTokens(sql: string): SqlToken[] | null {
  const tokens: SqlToken[] = [];
  let at = 0;
  const read = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(sql);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  for (;;) {
    while (read(GAP) !== null);
    if (at >= sql.length) return tokens;
    const found = read(TOKEN)?.groups;
    if (found === undefined) return null;
    const { word, number, text, quoted, sign = '' } = found;
    if (word !== undefined) tokens.push({ kind: 'word', text: word.toLowerCase() });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (text !== undefined) tokens.push({ kind: 'text', text });
    else if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted.slice(1, -1) });
    else tokens.push({ kind: 'sign', text: sign });
  }
}
