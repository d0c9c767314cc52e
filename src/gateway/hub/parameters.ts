import { isObject, type JsonObject, refuse } from './json.ts';

/** Read by every translation, or without a meaning for the answer. */
const ALWAYS_KNOWN = new Set([
  ...['model', 'messages', 'stream', 'stream_options', 'tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call'],
  ...['max_tokens', 'max_completion_tokens', 'stop', 'response_format', 'n', 'modalities', 'audio'],
  ...['user', 'safety_identifier', 'prompt_cache_key', 'metadata', 'store', 'plimsoll'],
]);

/** Values that ask for nothing, so that leaving them out is no loss. */
function isNeutral(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 0) return true;
  return isObject(value) && Object.keys(value).length === 0;
}

/** Warns of members that the provider has no counterpart for. @param known members that its translation reads itself */
export function warnOfUnknown(body: JsonObject, provider: string, known: ReadonlySet<string>, warnings: Set<string>): void {
  for (const [name, value] of Object.entries(body)) {
    if (ALWAYS_KNOWN.has(name) || known.has(name) || isNeutral(value)) continue;
    if (name === 'service_tier' && (value === 'auto' || value === 'default')) continue;
    warnings.add(`${name} is not sent: ${provider} has no counterpart`);
  }
}

/** More than one answer, or an audible one. @throws PlimsollError `invalid_argument` */
export function refuseOtherAnswers(body: JsonObject, provider: string): void {
  if (body.n !== undefined && body.n !== null && body.n !== 1)
    refuse('n', `${JSON.stringify(body.n)} answers cannot be had from ${provider}, only 1`);
  if (isObject(body.audio) || (Array.isArray(body.modalities) && body.modalities.includes('audio')))
    refuse('modalities', `${provider} cannot answer with audio`);
}

/** @returns null when absent. @throws PlimsollError `invalid_argument` outside [minimum, maximum] */
export function readNumber(body: JsonObject, name: string, minimum: number, maximum: number): number | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' || !(value >= minimum && value <= maximum))
    return refuse(name, `a number from ${minimum} to ${maximum} is needed`);
  return value;
}

/** A number that a provider takes only up to a limit: lowered, with a warning. */
export function readCapped(
  body: JsonObject,
  name: string,
  minimum: number,
  maximum: number,
  cap: number,
  warnings: Set<string>,
): number | null {
  const value = readNumber(body, name, minimum, maximum);
  if (value === null || value <= cap) return value;
  warnings.add(`${name} ${value} was lowered to ${cap}, the provider's highest`);
  return cap;
}

/** `max_completion_tokens`, else `max_tokens`; null when neither is given. */
export function readOutputLimit(body: JsonObject): number | null {
  for (const name of ['max_completion_tokens', 'max_tokens']) {
    const value = body[name];
    if (value === undefined || value === null) continue;
    if (!Number.isInteger(value) || (value as number) < 1) return refuse(name, 'a whole number of at least 1 is needed');
    return value as number;
  }
  return null;
}

/** `stop` as a list. @param limit most that the provider takes */
export function readStop(body: JsonObject, limit: number): string[] {
  const { stop } = body;
  if (stop === undefined || stop === null) return [];
  const list: unknown[] = Array.isArray(stop) ? stop : [stop];
  const texts = list.map((text) => (typeof text === 'string' ? text : refuse('stop', 'a string or an array of strings is needed')));
  if (texts.length > limit) refuse('stop', `${texts.length} stop sequences; this provider takes at most ${limit}`);
  return texts.filter((text) => text !== '');
}

export type HubFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | {
      readonly kind: 'schema';
      readonly name: string;
      readonly description: string | null;
      readonly schema: JsonObject;
      readonly isStrict: boolean;
    };

/** `response_format`. */
export function readFormat(body: JsonObject): HubFormat {
  const { response_format: format } = body;
  if (format === undefined || format === null || (isObject(format) && format.type === 'text')) return { kind: 'text' };
  if (isObject(format) && format.type === 'json_object') return { kind: 'json' };
  if (!isObject(format) || format.type !== 'json_schema')
    return refuse('response_format.type', 'one of text, json_object, json_schema is needed');
  const given = isObject(format.json_schema) ? format.json_schema : {};
  if (!isObject(given.schema)) return refuse('response_format.json_schema.schema', 'a JSON schema is needed');
  return {
    kind: 'schema',
    name: typeof given.name === 'string' ? given.name : 'answer',
    description: typeof given.description === 'string' ? given.description : null,
    schema: given.schema,
    isStrict: given.strict === true,
  };
}

export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Effort = (typeof EFFORTS)[number];

/** `reasoning_effort`; null when absent. */
export function readEffort(body: JsonObject): Effort | null {
  const { reasoning_effort: asked } = body;
  if (asked === undefined || asked === null) return null;
  const effort = EFFORTS.find((known) => known === asked);
  return effort ?? refuse('reasoning_effort', `${JSON.stringify(asked)} is not one of ${EFFORTS.join(', ')}`);
}

/** Only the members that have a value. */
export function present<T extends Record<string, unknown>>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null && value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  }; // what was null is gone
}
