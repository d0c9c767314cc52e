import type { PlimsollError } from '../kernel/errors.ts';
import type { Call } from './call.ts';
import type { ClientDialect } from './client-dialect.ts';
import type { Deadlined } from './deadlines.ts';
import type { ClientResponse } from './downstream/client-exchange.ts';
import type { GatewayContext } from './gateway-context.ts';
import { addLimitsAndPassed, answerHead } from './response-headers.ts';

/** How long the rest of a refused body is read and thrown away, so that the client can finish sending and read the answer. */
const DRAIN_MS = 2000;
/** How long a client may take to accept the error event of a broken stream. */
const ERROR_EVENT_MS = 5000;

/** Up to this size an answer is copied into one buffer with its head: one system call instead of a gathered one. */
const MAX_ONE_WRITE_BYTES = 16 * 1024;

/** Calls back once after a while, on the gateway's coarse timer. */
class Delay implements Deadlined {
  slot = -1;
  readonly #dueMs: number;
  readonly #callback: () => void;
  readonly #context: GatewayContext;

  constructor(context: GatewayContext, delayMs: number, callback: () => void) {
    this.#context = context;
    this.#dueMs = context.clock.monotonicMs() + delayMs;
    this.#callback = callback;
    context.deadlines.watch(this);
  }

  checkDeadline(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    this.cancel();
    this.#callback();
  }

  cancel(): void {
    this.#context.deadlines.unwatch(this);
  }
}

function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/**
 * Headers of a refusal: `retry-after` where somebody gave one, and a word to the official SDKs, which repeat by status alone
 * unless told not to.
 */
function errorHead(error: PlimsollError): string[] {
  const { retryAfter, retryAfterSeconds, retryAfterMs, allow, limit } = error.details;
  const head: string[] = error.retryable ? [] : ['x-should-retry', 'false'];
  if (typeof retryAfter === 'string') head.push('retry-after', retryAfter);
  else if (typeof retryAfterSeconds === 'number') head.push('retry-after', String(retryAfterSeconds));
  if (typeof retryAfterMs === 'number') head.push('retry-after-ms', String(retryAfterMs));
  if (error.retryable && limit !== undefined && retryAfterSeconds === undefined) head.push('x-should-retry', 'false');
  if (typeof allow === 'string') head.push('allow', allow);
  return head;
}

/** An error for answers that have not started. */
export function sendError(
  response: ClientResponse,
  error: PlimsollError,
  dialect: ClientDialect,
  requestId: string | null = null,
  head: readonly string[] = [],
): void {
  const body = jsonBytes(dialect.errorBody(error, requestId));
  response.writeHead(error.status, [
    ...head,
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
    ...errorHead(error),
  ]);
  response.end(body);
}

/**
 * Refuses a call whose body is still coming in. Closing at once would reset the connection and could take the answer with it: the answer
 * goes out whole, the rest of the body is drained for a while, then the connection closes.
 */
function refuseWhileReceiving(call: Call, error: PlimsollError, head: readonly string[], context: GatewayContext): void {
  const { request, response } = call;
  const body = jsonBytes(call.dialect.errorBody(error, call.traceId));
  response.writeHead(error.status, [
    ...head,
    ...errorHead(error),
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
    'connection',
    'close',
  ]);
  response.write(body);
  const delay = new Delay(context, DRAIN_MS, () => {
    response.end();
    request.destroy();
  });
  const end = (): void => {
    delay.cancel();
    response.end();
  };
  request.on('end', end);
  request.on('close', end);
  request.resume();
}

/** Tells the client that its stream is broken: an error event, then the connection is cut, never ended. */
function breakStream(call: Call, error: PlimsollError, context: GatewayContext): void {
  const { response, brokenStream } = call;
  const delay = new Delay(context, ERROR_EVENT_MS, () => response.destroy());
  response.write(brokenStream === null ? call.dialect.errorEvent(error) : brokenStream.fail(error), () => {
    delay.cancel();
    response.destroy();
  });
}

/** Sends the failure of a call, in the form that fits how far its answer has come. */
export function sendFailure(call: Call, error: PlimsollError, context: GatewayContext): void {
  const { request, response } = call;
  if (call.isClientGone || response.destroyed) {
    response.destroy();
    return;
  }
  if (response.headersSent) {
    breakStream(call, error, context);
    return;
  }
  const head = ['x-plimsoll-trace-id', call.traceId];
  const passed: string[] = [];
  addLimitsAndPassed(call, passed);
  for (let index = 0; index < passed.length; index += 2) {
    const name = passed[index] ?? '';
    if (!name.startsWith('retry-after')) head.push(name, passed[index + 1] ?? '');
  }
  if (request.complete || request.headers['content-length'] === '0') sendError(response, error, call.dialect, call.traceId, head);
  else refuseWhileReceiving(call, error, head, context);
}

/** Sends what was held back until the call was in the ledger: a whole JSON answer, or the last bytes of a stream. */
export function sendAnswer(call: Call): void {
  const { response, answer, outcome, costUsd } = call;
  if (call.isClientGone || answer === null) return;
  if (answer.kind === 'json') {
    const head = answerHead(call, 'application/json', outcome?.attempts.at(-1)?.model ?? call.cache?.model ?? null);
    head.push('content-length', String(answer.body.length));
    if (costUsd !== null) head.push('x-plimsoll-cost-usd', costUsd);
    response.writeHead(200, head);
    // As latin1 text head and body leave in one write; every byte stays what it is.
    if (answer.body.length <= MAX_ONE_WRITE_BYTES) response.end(answer.body.toString('latin1'), 'latin1');
    else response.end(answer.body);
    return;
  }
  const parts: Buffer[] = [];
  if (answer.content !== null) parts.push(answer.content);
  // A comment has no place in a stream that is one JSON array.
  if (call.body?.isEventStream !== false && call.request.headers['x-plimsoll-cost'] === 'trailer')
    parts.push(Buffer.from(`: x-plimsoll-cost-usd ${costUsd ?? 'unknown'}\n\n`));
  if (answer.lastBytes !== null) parts.push(answer.lastBytes);
  if (parts.length === 0) response.end();
  else response.end(Buffer.concat(parts));
}
