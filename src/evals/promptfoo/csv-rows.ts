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
export function readCsv(text: string, file: string, delimiter = ','): CsvRow[] {
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let cell = '';
  let line = 1;
  let rowLine = 1;
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  const endRow = (): void => {
    cells.push(cell);
    if (cells.length > 1 || cell !== '') rows.push({ line: rowLine, cells });
    cells = [];
    cell = '';
  };
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === '"' && cell === '') {
      const opened = line;
      for (at++; ; at++) {
        if (at >= text.length) throw new PlimsollError('invalid_argument', `${file}:${opened}:1: a quote is not closed`);
        if (text[at] === '"' && text[at + 1] === '"') at++;
        else if (text[at] === '"') break;
        if (text[at] === '\n') line++;
        cell += text[at];
      }
      at++;
      continue;
    }
    if (character === delimiter) {
      cells.push(cell);
      cell = '';
    } else if (character === '\n' || (character === '\r' && text[at + 1] === '\n')) {
      if (character === '\r') at++;
      endRow();
      line++;
      rowLine = line;
    } else cell += character;
    at++;
  }
  endRow();
  return rows;
}
