import { type Fault, findFault } from './faults.ts';
import { isJsonObject } from './schema-values.ts';
import type { WireEvent } from './wire.ts';

const USAGE_KEYS = new Set(['usage', 'usageMetadata']);
const FINISH_KEYS = new Set(['finish_reason', 'finishReason', 'stop_reason', 'stopReason']);
/** Events that say nothing but how the answer ended. */
const ENDING_EVENTS = new Set(['response.completed', 'response.incomplete']);
const INDEX_KEYS = new Set(['index', 'output_index', 'content_index', 'contentBlockIndex']);

/** A copy of a value with some members left out, wherever they stand. */
function without(value: unknown, keys: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, keys));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !keys.has(key))
      .map(([key, item]) => [key, without(item, keys)]),
  );
}

/** Applies the faults that change what an answer says about itself. */
export function alterBody(body: unknown, faults: readonly Fault[]): unknown {
  let altered = body;
  if (findFault(faults, 'no_usage')) altered = without(altered, USAGE_KEYS);
  if (findFault(faults, 'no_finish_reason')) altered = without(altered, FINISH_KEYS);
  return altered;
}

function parsed(event: WireEvent): unknown {
  return event.data === '[DONE]' ? null : (JSON.parse(event.data) as unknown);
}

function mapJson(events: readonly WireEvent[], change: (value: unknown, event: WireEvent) => unknown): WireEvent[] {
  return events.flatMap((event) => {
    const value = parsed(event);
    if (value === null) return [event];
    const changed = change(value, event);
    return changed === null ? [] : [{ ...event, data: JSON.stringify(changed) }];
  });
}

/** Null for an event that only carried usage. */
function withoutUsage(value: unknown): unknown {
  const rest = without(value, USAGE_KEYS);
  const carriedUsage = isJsonObject(value) && isJsonObject(value.usage);
  return carriedUsage && isJsonObject(rest) && Array.isArray(rest.choices) && rest.choices.length === 0 ? null : rest;
}

/** Index of the first event after the last content, at most the last event. */
export function tailStart(events: readonly WireEvent[]): number {
  const total = events.at(-1)?.generatedTokens ?? 0;
  const reached = events.findIndex((event) => event.generatedTokens === total);
  return Math.max(0, Math.min(reached + 1, events.length - 1));
}

/** The value and all inside it, with indexes counted from the other end. @param last highest index by key and place */
function reversed(value: unknown, last: ReadonlyMap<string, number>, place = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => reversed(item, last, place));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const highest = typeof item === 'number' && INDEX_KEYS.has(key) ? last.get(`${place}.${key}`) : undefined;
      return [key, highest === undefined ? reversed(item, last, `${place}.${key}`) : highest - Number(item)];
    }),
  );
}

function highestIndexes(value: unknown, into: Map<string, number>, place = ''): void {
  if (Array.isArray(value)) for (const item of value) highestIndexes(item, into, place);
  else if (isJsonObject(value))
    for (const [key, item] of Object.entries(value)) {
      const path = `${place}.${key}`;
      if (typeof item === 'number' && INDEX_KEYS.has(key)) into.set(path, Math.max(into.get(path) ?? 0, item));
      else highestIndexes(item, into, path);
    }
}

/** Applies the faults that change which events a stream has and what they say. Times and framing are not touched. */
export function alterEvents(
  events: readonly WireEvent[],
  faults: readonly Fault[],
  errorEvent: Pick<WireEvent, 'event' | 'data'>,
): readonly WireEvent[] {
  if (faults.length === 0) return events;
  let altered: readonly WireEvent[] = events;
  if (findFault(faults, 'no_usage')) altered = mapJson(altered, withoutUsage);
  if (findFault(faults, 'no_finish_reason'))
    altered = mapJson(altered, (value, { event }) => (event !== null && ENDING_EVENTS.has(event) ? null : without(value, FINISH_KEYS)));
  if (findFault(faults, 'out_of_order')) {
    const last = new Map<string, number>();
    for (const event of altered) highestIndexes(parsed(event), last);
    altered = mapJson(altered, (value) => reversed(value, last));
  }
  if (findFault(faults, 'duplicate_final')) altered = [...altered, ...altered.slice(tailStart(altered))];
  const position = findFault(faults, 'error_first_event') ? 0 : (findFault(faults, 'error_after')?.value ?? null);
  if (position !== null) {
    const before = altered[Math.min(position, altered.length) - 1];
    const offsetMs = before?.offsetMs ?? altered[0]?.offsetMs ?? 0;
    altered = [...altered.slice(0, position), { ...errorEvent, offsetMs, generatedTokens: before?.generatedTokens ?? 0 }];
  }
  if (findFault(faults, 'malformed_json')) {
    const broken = Math.min(2, altered.length - 1);
    altered = altered.map((event, at) =>
      at === broken ? { ...event, data: event.data.slice(0, Math.ceil(event.data.length / 2)) } : event,
    );
  }
  return altered;
}
