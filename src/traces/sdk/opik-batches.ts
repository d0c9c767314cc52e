import type { AttributeValue } from '../otlp/span.ts';
import {
  asText,
  choiceReasons,
  distinctReasons,
  ItemReader,
  isJson,
  type Json,
  nanosecondsOf,
  optionalText,
  parseBody,
  prefixed,
  present,
  type Receipt,
  type RunPart,
  type SdkRequest,
  type SdkScore,
  spanIdOf,
  textOf,
  traceIdOf,
} from './run-part.ts';

/**
 * Opik's batches of traces and spans, and their feedback scores. A trace is a span of its own here, the root of its spans.
 * @see https://www.comet.com/docs/opik/reference/rest-api
 */
function rootSpanId(traceId: string): string {
  return spanIdOf(traceId);
}

function attributesOf(item: Json): Record<string, AttributeValue> {
  return {
    ...present<AttributeValue>({
      'opik.input': asText(item.input),
      'opik.output': asText(item.output),
      'gen_ai.response.finish_reasons': distinctReasons(choiceReasons(item.output)),
      'opik.thread_id': optionalText(item.thread_id),
      'opik.model': optionalText(item.model),
      'opik.provider': optionalText(item.provider),
      'opik.usage': isJson(item.usage) ? JSON.stringify(item.usage) : undefined,
      'opik.total_estimated_cost': typeof item.total_estimated_cost === 'number' ? item.total_estimated_cost : undefined,
      'opik.ttft': typeof item.ttft === 'number' ? item.ttft : undefined,
      'opik.tags': Array.isArray(item.tags) && item.tags.length > 0 ? JSON.stringify(item.tags) : undefined,
    }),
    ...prefixed('opik.metadata.', item.metadata),
  };
}

function timesAndError(item: Json): Partial<RunPart> {
  const error = isJson(item.error_info) ? item.error_info : null;
  return present({
    name: optionalText(item.name),
    startedAtNs: nanosecondsOf(item.start_time),
    endedAtNs: nanosecondsOf(item.end_time),
    project: optionalText(item.project_name),
    error: error === null ? undefined : (optionalText(error.message) ?? ''),
    errorType: error === null ? undefined : optionalText(error.exception_type),
  });
}

function tracePart(item: Json): RunPart {
  const id = textOf(item.id, 'id');
  return {
    traceId: traceIdOf(id),
    spanId: rootSpanId(id),
    scope: 'opik-sdk',
    ...timesAndError(item),
    attributes: { 'opik.type': 'trace', ...attributesOf(item) },
  };
}

function spanPart(item: Json): RunPart {
  const trace = textOf(item.trace_id, 'trace_id');
  const parent = optionalText(item.parent_span_id);
  return {
    traceId: traceIdOf(trace),
    spanId: spanIdOf(textOf(item.id, 'id')),
    parentSpanId: parent === undefined ? rootSpanId(trace) : spanIdOf(parent),
    scope: 'opik-sdk',
    ...timesAndError(item),
    attributes: { ...present({ 'opik.type': optionalText(item.type) }), ...attributesOf(item) },
  };
}

/** `POST …/traces/batch` and `…/spans/batch`; `PATCH …/traces/:id` and `…/spans/:id`, whose body is the item itself. */
export function readOpikItems(bytes: Uint8Array, what: 'traces' | 'spans', id: string | null, receipt: Receipt): SdkRequest {
  const body = parseBody(bytes);
  const list = id !== null && isJson(body) ? [{ ...body, id }] : isJson(body) ? body[what] : undefined;
  if (!Array.isArray(list)) throw new TypeError(`the body holds no list "${what}"`);
  const reader = new ItemReader(receipt);
  for (const [index, item] of list.entries())
    reader.take(isJson(item) && typeof item.id === 'string' ? item.id : `${index}`, () => {
      if (!isJson(item)) throw new TypeError('it is no object');
      return { parts: [what === 'traces' ? tracePart(item) : spanPart(item)] };
    });
  return reader;
}

function scoreOf(item: Json, what: 'traces' | 'spans'): SdkScore {
  const id = textOf(item.id, 'id');
  const name = textOf(item.name, 'name');
  const comment = optionalText(item.reason);
  return {
    // One score of a name on a trace: a second one takes the place of the first.
    id: `opik:${id}`,
    name,
    value: typeof item.value === 'number' ? item.value : item.category_name,
    traceId: what === 'traces' ? traceIdOf(id) : traceIdOf(textOf(item.trace_id, 'trace_id of a score on a span')),
    ...(what === 'traces' ? {} : { spanId: spanIdOf(id) }),
    ...(comment === undefined ? {} : { comment }),
    source: item.source === 'ui' ? 'human' : 'code',
  };
}

/** `PUT …/traces/feedback-scores` and `…/spans/feedback-scores`. */
export function readOpikScores(bytes: Uint8Array, what: 'traces' | 'spans', receipt: Receipt): SdkRequest {
  const body = parseBody(bytes);
  const list = isJson(body) ? body.scores : undefined;
  if (!Array.isArray(list)) throw new TypeError('the body holds no list "scores"');
  const reader = new ItemReader(receipt);
  for (const [index, item] of list.entries())
    reader.take(isJson(item) && typeof item.id === 'string' ? item.id : `${index}`, () => {
      if (!isJson(item)) throw new TypeError('it is no score');
      return { scores: [scoreOf(item, what)] };
    });
  return reader;
}
