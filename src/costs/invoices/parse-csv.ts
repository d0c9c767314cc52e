import { PlimsollError } from '../../kernel/errors.ts';

const MAX_CELLS = 2_000_000;

/**
 * Rows of a CSV file (RFC 4180; `\n` or `\r\n`; a byte order mark is dropped). Quotes inside an unquoted cell are text.
 * @throws PlimsollError `invalid_argument` for an open quote, or more than two million cells
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let cells = 0;
  while (at < text.length) {
    let cell: string;
    if (text[at] === '"') {
      let end = at + 1;
      let value = '';
      for (;;) {
        const quote = text.indexOf('"', end);
        if (quote < 0)
          throw new PlimsollError('invalid_argument', `The CSV has a quote in row ${rows.length + 1} that is never closed.`, {
            details: { param: 'csv' },
          });
        value += text.slice(end, quote);
        if (text[quote + 1] !== '"') {
          at = quote + 1;
          break;
        }
        value += '"';
        end = quote + 2;
      }
      // What stands between the closing quote and the next comma belongs to no rule; it is kept.
      const rest = /^[^,\r\n]*/.exec(text.slice(at, at + 4096))?.[0] ?? '';
      at += rest.length;
      cell = value + rest;
    } else {
      let end = at;
      while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '\r') end++;
      cell = text.slice(at, end);
      at = end;
    }
    row.push(cell);
    if (++cells > MAX_CELLS)
      throw new PlimsollError('invalid_argument', 'The CSV has more than two million cells.', { details: { param: 'csv' } });
    if (text[at] === ',') {
      at++;
      if (at === text.length) row.push('');
      continue;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  if (row.length > 0 && (row.length > 1 || row[0] !== '')) rows.push(row);
  return rows;
}
