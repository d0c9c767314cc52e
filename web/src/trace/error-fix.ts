import { ERROR_FIXES } from './error-fixes.gen.ts';

/** The next action for an error code of the closed table; null for none or an unknown one. */
export function errorFix(code: string | null): string | null {
  return code !== null && Object.hasOwn(ERROR_FIXES, code) ? (ERROR_FIXES[code] ?? null) : null;
}
