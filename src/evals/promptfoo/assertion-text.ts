import type { JsonValue } from '../scorer.ts';
import { LIST_TYPES, PROMPTFOO_TYPES, plainType } from './assertion-types.ts';

/**
 * An assertion as the cells of a CSV have it: `contains: text`, `similar(0.8): text`, `not-is-json`; anything else means equality.
 * @see https://www.promptfoo.dev/docs/configuration/expected-outputs#load-assertions-from-csv
 */
export function assertionFromText(text: string): Readonly<Record<string, JsonValue>> {
  const code = /^(?:javascript|fn|eval):([\s\S]*)$/.exec(text);
  if (code !== null) return { type: 'javascript', value: (code[1] ?? '').trim() };
  const graded = /^grade:([\s\S]*)$/.exec(text);
  if (graded !== null) return { type: 'llm-rubric', value: (graded[1] ?? '').trim() };
  const found = /^((?:not-)?[a-z-]+(?::(?:cosine|dot|euclidean))?)(?:\((\d+(?:\.\d+)?)\))?(?::([\s\S]*))?$/.exec(text.trim());
  const type = found?.[1] ?? '';
  if (found === null || !PROMPTFOO_TYPES.has(plainType(type))) return { type: 'equals', value: text };
  const value = found[3]?.trim() ?? '';
  return {
    type,
    ...(found[2] === undefined ? {} : { threshold: Number(found[2]) }),
    ...(value === '' ? {} : { value: LIST_TYPES.has(plainType(type)) ? value.split(',').map((part) => part.trim()) : value }),
  };
}
