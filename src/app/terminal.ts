import { createInterface } from 'node:readline/promises';
import type { CommandOutput } from '../kernel/commands.ts';
import { PlimsollError } from '../kernel/errors.ts';

export function createTerminal(isJson: boolean): CommandOutput {
  const isTerminal = process.stderr.isTTY === true;
  let hasProgress = false;
  const clear = (): void => {
    if (hasProgress) process.stderr.write('\r\x1b[2K');
    hasProgress = false;
  };
  return {
    isJson,
    isColour: process.stdout.isTTY === true && !process.env.NO_COLOR,
    columns: process.stdout.columns ?? 80,
    print(text, value) {
      clear();
      process.stdout.write(
        `${isJson && value !== undefined ? JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item)) : text}\n`,
      );
    },
    note(text) {
      if (isJson) return;
      clear();
      process.stderr.write(`${text}\n`);
    },
    progress(text) {
      if (isJson || !isTerminal) return;
      clear();
      if (text !== '') {
        process.stderr.write(text.slice(0, (process.stderr.columns ?? 80) - 1));
        hasProgress = true;
      }
    },
    async ask(question, fallback) {
      if (process.stdin.isTTY !== true)
        throw new PlimsollError('invalid_argument', `Nobody is there to answer "${question}"; give it as an option`);
      const reader = createInterface({ input: process.stdin, output: process.stderr });
      try {
        const answer = (await reader.question(`${question} [${fallback}] `)).trim();
        return answer === '' ? fallback : answer;
      } finally {
        reader.close();
      }
    },
  };
}

/** A plain table: columns padded, numbers to the right. */
export function renderTable(
  columns: readonly { readonly title: string; readonly isNumber?: boolean }[],
  rows: readonly (readonly string[])[],
): string {
  const widths = columns.map((column, index) => Math.max(column.title.length, ...rows.map((row) => [...(row[index] ?? '')].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => (columns[index]?.isNumber ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd();
  const isTitled = columns.some((column) => column.title !== '');
  const head = isTitled ? [line(columns.map((column) => column.title)), line(widths.map((width) => '─'.repeat(width)))] : [];
  return [...head, ...rows.map(line)].join('\n');
}
