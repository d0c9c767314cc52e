import { globSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import type { SuiteFiles } from './suite-files.ts';

/** Larger files are no prompts and no tests that one reads into memory. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Files beside a suite on this disk. @param folder of the suite */
export function diskFiles(folder: string): SuiteFiles {
  return {
    read(path) {
      try {
        const bytes = readFileSync(isAbsolute(path) ? path : join(folder, path));
        return bytes.length > MAX_BYTES ? null : bytes.toString('utf8').replace(/^\uFEFF/, '');
      } catch {
        // The caller says which file, and where it was named.
        return null;
      }
    },
    find(pattern) {
      const found = globSync(pattern, { cwd: folder }).sort();
      return found.map((path) => (isAbsolute(path) ? relative(folder, path) : path));
    },
  };
}
