import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PlimsollError } from '../kernel/errors.ts';

const MAX_BYTES = 1024 * 1024;

/**
 * A JSON schema that plimsoll.yaml names by its path.
 * @param configPath of plimsoll.yaml; the schema's path counts from its folder
 * @throws PlimsollError `config_invalid`
 */
export function readSchemaFile(configPath: string, file: string): Record<string, unknown> {
  const path = resolve(dirname(configPath), file);
  const invalid = (what: string, cause?: unknown): PlimsollError =>
    new PlimsollError('config_invalid', `schemaFile ${path}: ${what}`, { cause });
  let text: string;
  try {
    if (statSync(path).size > MAX_BYTES) throw invalid(`larger than ${MAX_BYTES} bytes`);
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof PlimsollError) throw thrown;
    throw invalid((thrown as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (thrown as Error).message, thrown);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw invalid(`not JSON: ${(thrown as Error).message}`, thrown);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('not a JSON schema: it is no object');
  return value as Record<string, unknown>; // just checked
}
