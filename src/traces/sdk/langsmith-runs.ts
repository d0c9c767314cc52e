import type { AttributeValue } from '../otlp/span.ts';
import { readMultipart } from './multipart.ts';
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
 * LangSmith's runs: created when they begin and patched when they end, alone, in a batch, or as parts of a multipart body in which inputs, outputs and
 * the like stand apart from the run that they belong to.
 * @see https://docs.langchain.com/langsmith/trace-with-api
 */

/** `20260101T120000123456Z<uuid>`, one for each level: where a run stands and when it began, also in a patch that says neither. */
function fromDottedOrder(order: unknown): { startedAtNs?: string; parent?: string } {
  const levels = typeof order === 'string' ? order.split('.') : [];
  const own = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{6})Z/.exec(levels.at(-1) ?? '');
  const parent = levels.at(-2)?.slice(-36);
  return {
    ...present({
      startedAtNs: own === null ? undefined : nanosecondsOf(`${own[1]}-${own[2]}-${own[3]}T${own[4]}:${own[5]}:${own[6]}.${own[7]}Z`),
      parent: parent !== undefined && parent.length === 36 ? parent : undefined,
    }),
  };
}

function firstGeneration(outputs: unknown): Json {
  const generations = isJson(outputs) ? outputs.generations : undefined;
  const first: unknown = Array.isArray(generations) ? generations.flat()[0] : undefined;
  return isJson(first) ? first : {};
}

/** The message of a LangChain model: its fields, serialised in `kwargs` or not. */
function messageOf(outputs: unknown): Json {
  const { message } = firstGeneration(outputs);
  if (!isJson(message)) return {};
  return isJson(message.kwargs) ? message.kwargs : message;
}

function usageOf(outputs: unknown, metadata: Json): unknown {
  return (isJson(outputs) ? outputs.usage_metadata : undefined) ?? messageOf(outputs).usage_metadata ?? metadata.usage_metadata;
}

function finishReasons(outputs: unknown): string[] | undefined {
  const ofGeneration = [firstGeneration(outputs).generation_info, messageOf(outputs).response_metadata].map((each) =>
    isJson(each) ? (each.finish_reason ?? each.stop_reason) : undefined,
  );
  return distinctReasons([...choiceReasons(outputs), ...ofGeneration]);
}

function responseModel(outputs: unknown): string | undefined {
  const metadata = messageOf(outputs).response_metadata;
  const llmOutput = isJson(outputs) && isJson(outputs.llm_output) ? outputs.llm_output : {};
  return (
    optionalText(isJson(outputs) ? outputs.model : undefined) ??
    optionalText(isJson(metadata) ? metadata.model_name : undefined) ??
    optionalText(llmOutput.model_name)
  );
}

function firstToken(events: unknown): string | undefined {
  if (!Array.isArray(events)) return undefined;
  const first: unknown = events.find((event: unknown) => isJson(event) && event.name === 'new_token');
  return isJson(first) ? nanosecondsOf(first.time) : undefined;
}

function partOf(run: Json): RunPart {
  const id = textOf(run.id, 'id');
  const order = fromDottedOrder(run.dotted_order);
  const parent = optionalText(run.parent_run_id) ?? order.parent;
  const extra = isJson(run.extra) ? run.extra : {};
  const metadata = isJson(extra.metadata) ? extra.metadata : {};
  const { outputs, inputs } = run;
  const error = run.error === undefined || run.error === null ? undefined : asText(run.error);
  const attributes: Record<string, AttributeValue> = {
    'langsmith.span.id': id,
    ...present<AttributeValue>({
      'langsmith.span.kind': optionalText(run.run_type),
      'gen_ai.prompt': asText(inputs),
      'gen_ai.completion': asText(outputs),
      'langsmith.usage_metadata': asText(usageOf(outputs, metadata)),
      'gen_ai.response.model': responseModel(outputs),
      'gen_ai.response.finish_reasons': finishReasons(outputs),
      'langsmith.metadata.invocation_params': asText(extra.invocation_params),
      'langsmith.span.runtime': asText(extra.runtime),
      'langsmith.span.tags': Array.isArray(run.tags) && run.tags.length > 0 ? JSON.stringify(run.tags) : undefined,
      'langsmith.trace.session_name': optionalText(run.session_name),
      'langsmith.reference_example_id': optionalText(run.reference_example_id),
      'langsmith.serialized': asText(run.serialized),
    }),
    ...prefixed('langsmith.metadata.', metadata),
  };
  return {
    traceId: traceIdOf(optionalText(run.trace_id) ?? id),
    spanId: spanIdOf(id),
    scope: 'langsmith-sdk',
    ...present({
      name: optionalText(run.name),
      parentSpanId: parent === undefined ? undefined : spanIdOf(parent),
      startedAtNs: nanosecondsOf(run.start_time) ?? order.startedAtNs,
      endedAtNs: nanosecondsOf(run.end_time),
      project: optionalText(run.session_name),
      error,
      firstTokenAtNs: firstToken(run.events),
    }),
    attributes,
  };
}

function scoreFrom(feedback: Json): SdkScore {
  const [run, trace] = [optionalText(feedback.run_id), optionalText(feedback.trace_id)];
  if (run === undefined) throw new TypeError('run_id is missing: feedback on a project is not kept');
  const given = feedback.score ?? feedback.value ?? feedback.correction;
  const comment = optionalText(feedback.comment);
  const source = isJson(feedback.feedback_source) ? feedback.feedback_source.type : undefined;
  return {
    id: textOf(feedback.id, 'id'),
    // Without the trace's id it is taken for feedback on the root, whose id is that of the trace.
    traceId: traceIdOf(trace ?? run),
    ...(trace === undefined || trace === run ? {} : { spanId: spanIdOf(run) }),
    name: textOf(feedback.key, 'key'),
    // A verdict that is only explained is a text.
    value: (isJson(given) || Array.isArray(given) ? JSON.stringify(given) : given) ?? comment,
    ...(comment === undefined ? {} : { comment }),
    source: source === 'model' ? 'llm' : source === 'app' ? 'human' : 'code',
  };
}

/** `POST /runs` and `PATCH /runs/:id`. @param id of the path; null = the body names it */
export function readLangSmithRun(bytes: Uint8Array, id: string | null, receipt: Receipt): SdkRequest {
  const run = parseBody(bytes);
  const reader = new ItemReader(receipt);
  const named = isJson(run) ? (id ?? run.id) : id;
  reader.take(typeof named === 'string' ? named : '0', () => {
    if (!isJson(run)) throw new TypeError('the body is no run');
    return { parts: [partOf({ ...run, id: named })] };
  });
  return reader;
}

/** `POST /runs/batch`: `{ post: [run], patch: [run] }`. */
export function readLangSmithBatch(bytes: Uint8Array, receipt: Receipt): SdkRequest {
  const body = parseBody(bytes);
  if (!isJson(body)) throw new TypeError('the body is no { post, patch }');
  const reader = new ItemReader(receipt);
  for (const list of [body.post, body.patch]) {
    if (list === undefined || list === null) continue;
    if (!Array.isArray(list)) throw new TypeError('"post" and "patch" are lists of runs');
    for (const [index, run] of list.entries())
      reader.take(isJson(run) && typeof run.id === 'string' ? run.id : `${index}`, () => {
        if (!isJson(run)) throw new TypeError('it is no run');
        return { parts: [partOf(run)] };
      });
  }
  return reader;
}

/** Fields of a run that stand in parts of their own. */
const FIELDS = new Set(['inputs', 'outputs', 'events', 'extra', 'error', 'serialized']);

/** `POST /runs/multipart`: parts `post.<id>`, `patch.<id>`, `post.<id>.inputs` …, `feedback.<id>`, `attachment.<id>.<name>`. */
export function readLangSmithMultipart(bytes: Buffer, boundary: string, receipt: Receipt): SdkRequest {
  const items = new Map<string, { run: Record<string, unknown> | null; broken: string | null }>();
  const reader = new ItemReader(receipt);
  const itemOf = (key: string) => {
    const found = items.get(key) ?? { run: null, broken: null };
    items.set(key, found);
    return found;
  };
  for (const { name, body } of readMultipart(bytes, boundary)) {
    const [verb = '', id = '', ...rest] = name.split('.');
    const field = rest.join('.');
    if (verb === 'attachment') {
      reader.rejected.push({ id: name.slice(0, 200), reason: 'attachments are not kept' });
      continue;
    }
    if ((verb !== 'post' && verb !== 'patch' && verb !== 'feedback') || id === '' || (field !== '' && !FIELDS.has(field))) {
      reader.rejected.push({ id: name.slice(0, 200), reason: 'there is no such part' });
      continue;
    }
    const item = itemOf(`${verb}.${id}`);
    try {
      const value = parseBody(body);
      if (field !== '') item.run = { ...item.run, [field]: value };
      else if (isJson(value)) item.run = { ...item.run, ...value, id };
      else item.broken = 'it is no object';
    } catch (error) {
      item.broken ??= `${field || 'it'} is not readable: ${(error as Error).message}`;
    }
  }
  for (const [key, { run, broken }] of items)
    reader.take(key.slice(key.indexOf('.') + 1), () => {
      if (broken !== null || run === null) throw new TypeError(broken ?? 'it is missing');
      return key.startsWith('feedback.') ? { scores: [scoreFrom(run)] } : { parts: [partOf(run)] };
    });
  return reader;
}

/** `POST /feedback`. */
export function readLangSmithFeedback(bytes: Uint8Array, receipt: Receipt): SdkRequest {
  const body = parseBody(bytes);
  const reader = new ItemReader(receipt);
  reader.take(isJson(body) && typeof body.id === 'string' ? body.id : '0', () => {
    if (!isJson(body)) throw new TypeError('the body is no feedback');
    return { scores: [scoreFrom(body)] };
  });
  return reader;
}
