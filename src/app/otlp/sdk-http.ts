import type { IncomingMessage, ServerResponse } from 'node:http';
import { PlimsollError, toPlimsollError } from '../../kernel/errors.ts';
import { OTLP_LIMITS } from '../../traces/otlp/span.ts';
import { boundaryOf } from '../../traces/sdk/multipart.ts';
import type { SdkFormat } from '../../traces/sdk/request-record.ts';
import type { SdkRequest } from '../../traces/sdk/run-part.ts';
import { pathOf, readBody } from './http.ts';
import type { OtlpIntake } from './intake.ts';

/** An endpoint of another product's API, under the path that its SDK calls by default. */
interface SdkEndpoint {
  readonly method: 'POST' | 'PATCH' | 'PUT';
  readonly path: RegExp;
  /** @param id what the path names @throws PlimsollError `unsupported_media_type` */
  format(id: string, request: IncomingMessage): SdkFormat;
  readonly answer: (request: SdkRequest) => Answer;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/** Langfuse's own: what became of every event, by its id. */
function langfuseAnswer({ accepted, rejected }: SdkRequest): Answer {
  return {
    status: 207,
    body: {
      successes: accepted.map((id) => ({ id, status: 201 })),
      errors: rejected.map(({ id, reason }) => ({ id, status: 400, message: 'Invalid event', error: reason })),
    },
  };
}

/** Where the API knows no answer item by item: all that was taken is safe, and only a request of which nothing was taken has failed. */
function wholeAnswer(status: number): (request: SdkRequest) => Answer {
  return ({ accepted, rejected }) => {
    const [first] = rejected;
    if (first === undefined) return { status, ...(status === 204 ? {} : { body: {} }) };
    const detail = `${rejected.length} of ${accepted.length + rejected.length} items were not taken; the first, "${first.id}": ${first.reason}.`;
    // A status that says no would make the SDK send the others again.
    return accepted.length > 0 ? { status: 202, body: { message: detail } } : { status: 422, body: { detail } };
  };
}

const OPIK = '(?:/api)?/v1/private';
const UUID = '([0-9A-Za-z-]{1,64})';

const ENDPOINTS: readonly SdkEndpoint[] = [
  { method: 'POST', path: /^\/api\/public\/ingestion$/, format: () => ({ kind: 'langfuse' }), answer: langfuseAnswer },
  {
    method: 'POST',
    path: /^\/runs\/multipart$/,
    format(_id, { headers }) {
      const boundary = boundaryOf(headers['content-type']);
      if (boundary === null)
        throw new PlimsollError('unsupported_media_type', 'POST /runs/multipart takes multipart/form-data with a boundary.', {
          details: { contentType: headers['content-type'] ?? null },
        });
      return { kind: 'langsmith-multipart', boundary };
    },
    answer: wholeAnswer(202),
  },
  { method: 'POST', path: /^\/runs\/batch$/, format: () => ({ kind: 'langsmith-batch' }), answer: wholeAnswer(202) },
  { method: 'POST', path: /^\/runs$/, format: () => ({ kind: 'langsmith-run', id: null }), answer: wholeAnswer(202) },
  { method: 'PATCH', path: new RegExp(`^/runs/${UUID}$`), format: (id) => ({ kind: 'langsmith-run', id }), answer: wholeAnswer(202) },
  { method: 'POST', path: /^\/feedback$/, format: () => ({ kind: 'langsmith-feedback' }), answer: wholeAnswer(200) },
  ...(['traces', 'spans'] as const).flatMap((what): SdkEndpoint[] => [
    {
      method: 'POST',
      path: new RegExp(`^${OPIK}/${what}/batch$`),
      format: () => ({ kind: 'opik-items', what, id: null }),
      answer: wholeAnswer(204),
    },
    {
      method: 'PATCH',
      path: new RegExp(`^${OPIK}/${what}/${UUID}$`),
      format: (id) => ({ kind: 'opik-items', what, id }),
      answer: wholeAnswer(204),
    },
    {
      method: 'PUT',
      path: new RegExp(`^${OPIK}/${what}/feedback-scores$`),
      format: () => ({ kind: 'opik-scores', what }),
      answer: wholeAnswer(204),
    },
  ]),
];

/** What LangSmith's SDK asks before it sends: that parts may come together and compressed, and how large. */
const LANGSMITH_INFO = {
  instance_flags: { gzip_body_enabled: true },
  batch_ingest_config: {
    use_multipart_endpoint: true,
    scale_up_qsize_trigger: 1_000,
    scale_up_nthreads_limit: 16,
    scale_down_nempty_trigger: 4,
    size_limit: 100,
    size_limit_bytes: OTLP_LIMITS.bodyBytes,
  },
};
const INFO_PATH = '/info';

function find(method: string, path: string): { endpoint: SdkEndpoint; id: string } | null {
  for (const endpoint of ENDPOINTS) {
    const match = endpoint.method === method ? endpoint.path.exec(path) : null;
    if (match !== null) return { endpoint, id: match[1] ?? '' };
  }
  return null;
}

/** Paths of those APIs: what is not served there is refused in JSON. The dashboard's page would be an answer that no SDK understands. */
const FOREIGN = /^\/(?:api\/public|(?:api\/)?v1\/private|runs|feedback)(?:\/|$)/;

function isInfo(method: string, path: string): boolean {
  return method === 'GET' && path === INFO_PATH;
}

export function isSdkRequest({ method = '', url = '/' }: IncomingMessage): boolean {
  const path = pathOf(url);
  return isInfo(method, path) || FOREIGN.test(path);
}

/** Answers one request for which `isSdkRequest` is true. */
export async function handleSdk(intake: OtlpIntake, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [method, path] = [request.method ?? '', pathOf(request.url ?? '/')];
  if (isInfo(method, path)) {
    request.resume();
    send(response, { status: 200, body: LANGSMITH_INFO });
    return;
  }
  try {
    const found = find(method, path);
    if (found === null)
      throw new PlimsollError(
        'not_found',
        `There is nothing at ${method} ${path.slice(0, 200)}: of the APIs of Langfuse, LangSmith and Opik only what takes traces and scores is served.`,
      );
    const caller = intake.admit(request.headers);
    const format = found.endpoint.format(found.id, request);
    const { body, release } = await readBody(intake, request);
    try {
      send(response, found.endpoint.answer(await intake.acceptSdk(caller, body, request.headers['content-encoding'], format)));
    } finally {
      release();
    }
  } catch (thrown) {
    const error = toPlimsollError(thrown);
    intake.counters.refusedRequests += 1;
    // What is still coming is read and dropped, or the client would see a reset instead of the answer.
    request.resume();
    if (error.code === 'client_closed' || response.headersSent) response.destroy();
    else {
      const seconds = error.details.retryAfterSeconds;
      // `message` and `detail` are what these SDKs show.
      const message = `${error.message} ${error.fix}`;
      send(
        response,
        { status: error.status, body: { code: error.code, message, detail: message } },
        error.retryable ? { 'retry-after': `${typeof seconds === 'number' ? seconds : 1}` } : {},
      );
    }
  }
}

function send(response: ServerResponse, { status, body }: Answer, headers: Readonly<Record<string, string>> = {}): void {
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(bytes);
}
