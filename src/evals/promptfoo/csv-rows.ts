import { PlimsollError } from '../../kernel/errors.ts';

export interface CsvRow {
  /** 1-based, of its first character. */
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * RFC 4180, with a byte order mark, CRLF or LF, and quoted cells over several lines. Empty lines are no rows.
 * @throws PlimsollError `invalid_argument` with the line of a quote that is not closed
 */
export function* readCsv(text: string, file: string, delimiter = ','): Generator<CsvRow> {
  const isPlain = new RegExp(`[^${delimiter === '\t' ? '\\t' : delimiter}\\r\\n]*`, 'y');
  let cells: string[] = [];
  let line = 1;
  let rowLine = 1;
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      const opened = line;
      for (let from = ++at; ; ) {
        const quote = text.indexOf('"', at);
        if (quote < 0) throw new PlimsollError('invalid_argument', `${file}:${opened}:1: a quote is not closed`);
        at = quote + 1;
        if (text[at] === '"') {
          cell += text.slice(from, at);
          from = ++at;
          continue;
        }
        cell += text.slice(from, quote);
        break;
      }
      line += cell.split('\n').length - 1;
    }
    // What stands after a closing quote belongs to the cell.
    isPlain.lastIndex = at;
    const rest = isPlain.exec(text)?.[0] ?? '';
    at += rest.length;
    cells.push(cell === '' ? rest : cell + rest);
    if (text[at] === delimiter) {
      at++;
      if (at < text.length) continue;
      cells.push('');
    }
    while (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    if (cells.length > 1 || cells[0] !== '') yield { line: rowLine, cells };
    cells = [];
    line++;
    rowLine = line;
  }
}
