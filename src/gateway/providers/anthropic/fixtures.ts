import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../fixtures/anthropic/', import.meta.url);

/** Names of the answers that exist both as JSON and as a stream. */
export const MESSAGE_FIXTURES: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))
  .sort();

export function jsonFixture(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as Record<string, unknown>;
}

export function sseFixture(name: string): Buffer {
  return readFileSync(new URL(`${name}.sse`, FOLDER));
}
