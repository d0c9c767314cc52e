import {
  asText,
  frameSpanId,
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
 * Langfuse's ingestion API (`POST /api/public/ingestion`), which its SDKs before version 4 send everything to and the present ones their scores:
 * a batch of events that create and update traces, observations and scores.
 * @see https://api.reference.langfuse.com/#tag/ingestion
 */
const TYPES: Readonly<Record<string, string>> = {
  'span-create': 'span',
  'span-update': 'span',
  'generation-create': 'generation',
  'generation-update': 'generation',
  'event-create': 'event',
  'observation-create': 'span',
  'observation-update': 'span',
};

function traceParts(body: Json, timestamp: unknown): RunPart[] {
  const id = textOf(body.id, 'body.id of a trace');
  const traceId = traceIdOf(id);
  return [
    {
      traceId,
      spanId: frameSpanId(traceId),
      scope: 'langfuse-sdk',
      isFrame: true,
      ...present({
        name: optionalText(body.name),
        startedAtNs: nanosecondsOf(body.timestamp) ?? nanosecondsOf(timestamp),
        endedAtNs: nanosecondsOf(timestamp),
      }),
      attributes: {
        'langfuse.observation.type': 'chain',
        ...present({
          'langfuse.trace.name': optionalText(body.name),
          'user.id': optionalText(body.userId),
          'session.id': optionalText(body.sessionId),
          'langfuse.trace.input': asText(body.input),
          'langfuse.trace.output': asText(body.output),
          'langfuse.trace.tags': Array.isArray(body.tags) && body.tags.length > 0 ? JSON.stringify(body.tags) : undefined,
          'langfuse.release': optionalText(body.release),
          'langfuse.version': optionalText(body.version),
          'langfuse.environment': optionalText(body.environment),
          'langfuse.trace.public': typeof body.public === 'boolean' ? body.public : undefined,
        }),
        ...prefixed('langfuse.trace.metadata.', body.metadata),
      },
    },
  ];
}

/** Costs without a total are parts of one. */
function costsOf(body: Json): string | undefined {
  const costs = isJson(body.costDetails) ? body.costDetails : null;
  if (costs !== null) {
    const values = Object.values(costs).filter((value): value is number => typeof value === 'number');
    return values.length === 0
      ? undefined
      : JSON.stringify('total' in costs ? costs : { ...costs, total: values.reduce((a, b) => a + b, 0) });
  }
  const usage = isJson(body.usage) ? body.usage : {};
  return typeof usage.totalCost === 'number' ? JSON.stringify({ total: usage.totalCost }) : undefined;
}

function usageOf(body: Json): string | undefined {
  if (isJson(body.usageDetails) && Object.keys(body.usageDetails).length > 0) return JSON.stringify(body.usageDetails);
  if (!isJson(body.usage)) return undefined;
  const { unit } = body.usage;
  // Characters, seconds and images are no tokens.
  return unit === undefined || unit === null || unit === 'TOKENS' ? JSON.stringify(body.usage) : undefined;
}

function observationParts(type: string, body: Json, timestamp: unknown): RunPart[] {
  const kind = TYPES[type] ?? 'span';
  const traceId = traceIdOf(textOf(body.traceId, 'body.traceId'));
  const spanId = spanIdOf(textOf(body.id, 'body.id'));
  const isCreate = type.endsWith('-create');
  const startedAtNs = nanosecondsOf(body.startTime) ?? (isCreate ? nanosecondsOf(timestamp) : undefined);
  const endedAtNs = nanosecondsOf(body.endTime) ?? (kind === 'event' ? startedAtNs : undefined);
  const parent = optionalText(body.parentObservationId);
  const part: RunPart = {
    traceId,
    spanId,
    scope: 'langfuse-sdk',
    ...present({ name: optionalText(body.name), startedAtNs, endedAtNs }),
    ...(parent !== undefined ? { parentSpanId: spanIdOf(parent) } : isCreate ? { parentSpanId: frameSpanId(traceId) } : {}),
    attributes: {
      'langfuse.observation.type': optionalText(body.type)?.toLowerCase() ?? kind,
      ...present({
        'langfuse.observation.model.name': optionalText(body.model),
        'langfuse.observation.model.parameters': asText(body.modelParameters),
        'langfuse.observation.input': asText(body.input),
        'langfuse.observation.output': asText(body.output),
        'langfuse.observation.usage_details': usageOf(body),
        'langfuse.observation.cost_details': costsOf(body),
        'langfuse.observation.completion_start_time': optionalText(body.completionStartTime),
        'langfuse.observation.level': optionalText(body.level),
        'langfuse.observation.status_message': optionalText(body.statusMessage),
        'langfuse.observation.prompt.name': optionalText(body.promptName),
        'langfuse.observation.prompt.version': typeof body.promptVersion === 'number' ? body.promptVersion : undefined,
        'langfuse.version': optionalText(body.version),
        'langfuse.environment': optionalText(body.environment),
      }),
      ...prefixed('langfuse.observation.metadata.', body.metadata),
    },
  };
  // A trace need not be created by itself: its observations make it.
  const frame: RunPart = {
    traceId,
    spanId: frameSpanId(traceId),
    scope: 'langfuse-sdk',
    isFrame: true,
    ...present({ startedAtNs, endedAtNs: endedAtNs ?? startedAtNs }),
    attributes: { 'langfuse.observation.type': 'chain' },
  };
  return [part, frame];
}

function scoreOf(body: Json, eventId: string, timestamp: unknown): SdkScore {
  const [trace, observation] = [optionalText(body.traceId), optionalText(body.observationId)];
  const atNs = nanosecondsOf(timestamp);
  const { value } = body;
  return {
    id: optionalText(body.id) ?? eventId,
    name: textOf(body.name, 'body.name'),
    value: body.dataType === 'BOOLEAN' && typeof value === 'number' ? value !== 0 : value,
    source: body.source === 'ANNOTATION' ? 'human' : body.source === 'EVAL' ? 'llm' : 'code',
    ...present({
      traceId: trace === undefined ? undefined : traceIdOf(trace),
      spanId: observation === undefined ? undefined : spanIdOf(observation),
      session: optionalText(body.sessionId),
      comment: optionalText(body.comment),
    }),
    ...(atNs === undefined ? {} : { at: Number(BigInt(atNs) / 1_000_000n) }),
  };
}

/** @throws TypeError, SyntaxError or PlimsollError when the body holds no batch at all */
export function readLangfuseIngestion(bytes: Uint8Array, receipt: Receipt): SdkRequest {
  const body = parseBody(bytes);
  const batch = isJson(body) ? body.batch : undefined;
  if (!Array.isArray(batch)) throw new TypeError('the body holds no list "batch"');
  const reader = new ItemReader(receipt);
  for (const [index, event] of batch.entries()) {
    const id = isJson(event) && typeof event.id === 'string' ? event.id : `${index}`;
    reader.take(id, () => {
      if (!isJson(event) || !isJson(event.body)) throw new TypeError('it is no event { id, type, timestamp, body }');
      const { type, timestamp, body: content } = event;
      if (type === 'trace-create') return { parts: traceParts(content, timestamp) };
      if (type === 'score-create') return { scores: [scoreOf(content, id, timestamp)] };
      if (typeof type === 'string' && Object.hasOwn(TYPES, type)) return { parts: observationParts(type, content, timestamp) };
      throw new TypeError(`events of type ${JSON.stringify(type)?.slice(0, 60)} are not kept`);
    });
  }
  return reader;
}
