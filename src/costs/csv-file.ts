/**
 * A cell with text of people. A spreadsheet takes a cell that begins with one of these for a formula, and runs it: an apostrophe before it keeps it
 * text. Names of teams, features, customers and models come from callers and invoices.
 * @see OWASP, CSV Injection
 */
export function csvText(text: string): string {
  const harmless = /^[\s\0]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20|%]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Cells are written already: numbers of our own as they are, text through `csvText`. RFC 4180, with the mark by which spreadsheets know UTF-8. */
export function csvFile(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return `\uFEFF${[head, ...rows].map((row) => row.join(',')).join('\r\n')}\r\n`;
}
