import { extname } from 'node:path';

/** The files beside a suite. All reading goes through it, so that tests and imports need no disk. */
export interface SuiteFiles {
  /** @param path relative to the suite's folder, or absolute @returns null when there is none */
  read(path: string): string | null;
  /** Paths that match a pattern such as `prompts/*.txt`, sorted. */
  find(pattern: string): string[];
}

/** `file://a/b.txt` → `a/b.txt`; null for what names no file. */
export function filePath(text: string): string | null {
  return text.startsWith('file://') ? text.slice('file://'.length) : null;
}

export function hasPattern(path: string): boolean {
  return /[*?{}[\]]/.test(path);
}

/** Extension in small letters, without a function's name after it: `x.js:create` is `.js`. */
export function kindOf(path: string): string {
  return extname(path.replace(/:[A-Za-z_$][\w$]*$/, '')).toLowerCase();
}

/** Files that are programs: promptfoo would run them. */
export const CODE: ReadonlySet<string> = new Set(['.js', '.cjs', '.mjs', '.ts', '.cts', '.mts', '.py', '.rb', '.go', '.sh', '.exe']);
