/** Where the last statement begins: after the last semicolon outside of texts; -1 without one. */
function lastStatement(code: string): number {
  let quote: string | null = null;
  let last = -1;
  for (let at = 0; at < code.length; at++) {
    const sign = code.charAt(at);
    if (sign === '\\') at++;
    else if (quote !== null) quote = sign === quote ? null : quote;
    else if (sign === "'" || sign === '"' || sign === '`') quote = sign;
    else if (sign === ';') last = at + 1;
  }
  return last;
}

/**
 * The inside of a function from an assertion, by promptfoo's rules: several lines are taken as they stand (with their own `return`); one line is an
 * expression to be returned, or declarations and, after the last semicolon, an expression.
 */
export function functionBody(value: string): string {
  const code = value.trimEnd();
  if (code.includes('\n')) return code;
  const line = code.trim().replace(/[;\s]+$/, '');
  if (!/^(?:const|let|var)\s/.test(line)) return `return ${line}`;
  const at = lastStatement(line);
  const expression = at < 0 ? '' : line.slice(at).trim();
  return expression === '' ? line : `${line.slice(0, at)} return ${expression}`;
}
