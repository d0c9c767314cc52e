import type { ServerResponse } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { PlimsollError, problemBody } from './errors.ts';
import type { Route } from './routes.ts';

/** JSON with bigints as decimal texts, the form in which the API carries money. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null = no body. */
  readonly body: string | Readable | null;
}

/**
 * @param isHead sends the headers of the whole answer and no body
 * @param onBroken told of a file whose source failed in the middle, and not of a client that left
 */
export function send(response: ServerResponse, answer: Answer, isHead: boolean, onBroken: (error: Error) => void): void {
  const { body } = answer;
  if (response.destroyed || response.headersSent) {
    if (body !== null && typeof body !== 'string') body.destroy();
    return;
  }
  if (body !== null && typeof body !== 'string') {
    response.writeHead(answer.status, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...answer.headers });
    if (isHead) {
      body.destroy();
      response.end();
    } else
      pipeline(body, response, (error) => {
        if (!error) return;
        if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') onBroken(error);
        // Begun and not finished: only a broken connection says so.
        response.destroy();
      });
    return;
  }
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  response.writeHead(answer.status, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...answer.headers, ...length });
  response.end(isHead || body === null ? undefined : body);
}

/** An error as RFC 9457 problem+json. */
export function problemAnswer(error: PlimsollError, requestId: string): Answer {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  const { allow, retryAfterSeconds } = error.details;
  if (error.code === 'method_not_allowed' && Array.isArray(allow)) headers.allow = allow.join(', ');
  if (error.code === 'unauthenticated') headers['www-authenticate'] = 'Bearer realm="plimsoll"';
  if (typeof retryAfterSeconds === 'number') headers['retry-after'] = String(retryAfterSeconds);
  else if (error.retryable) headers['retry-after'] = '1';
  return { status: error.status, headers, body: toJson({ ...problemBody(error), instance: `urn:uuid:${requestId}` }) };
}

/** Fields that an answer has and its schema does not: the first step of a leak. */
function undeclaredFields(sent: unknown, declared: unknown, place: string): string[] {
  if (Array.isArray(sent) && Array.isArray(declared))
    return sent.flatMap((item, index) => undeclaredFields(item, declared[index], `${place}[${index}]`));
  if (typeof sent !== 'object' || sent === null || typeof declared !== 'object' || declared === null) return [];
  const known = new Map(Object.entries(declared));
  return Object.entries(sent).flatMap(([key, value]) =>
    known.has(key) ? undeclaredFields(value, known.get(key), `${place}.${key}`) : value === undefined ? [] : [`${place}.${key}`],
  );
}

/**
 * Checks an answer against its route's own schema, for tests and development.
 * @throws PlimsollError `internal` naming the route and the fields
 */
export function assertDeclaredAnswer<S>(route: Route<S>, body: unknown): void {
  const result = route.response.safeParse(body);
  const faults = result.success
    ? undeclaredFields(body, result.data, 'answer').map((field) => `${field} is not in the schema`)
    : result.error.issues.map((issue) => `answer.${issue.path.join('.')}: ${issue.message}`);
  if (faults.length > 0)
    throw new PlimsollError('internal', `${route.method} ${route.path} answered what it does not declare: ${faults.join('; ')}.`, {
      details: { faults },
    });
}
