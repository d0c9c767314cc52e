import { addLimitHeaders } from './admission/limit-headers.ts';
import type { Call } from './call.ts';
import type { ResponseHeaders } from './provider.ts';

const PASSED = new Set(['x-request-id', 'request-id', 'openai-processing-ms', 'openai-version', 'retry-after', 'retry-after-ms']);
const PASSED_PREFIXES = ['x-ratelimit-', 'anthropic-ratelimit-'];

function isPassed(name: string): boolean {
  return PASSED.has(name) || PASSED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** Replaces the content of `target` (flat name, value list) by the provider's headers that mean something to a client: request ids and rate limits. */
export function passHeaders(headers: ResponseHeaders, target: string[]): void {
  target.length = 0;
  for (const name in headers) {
    const first = name.charCodeAt(0);
    // x, r, o, a: the only initials in the lists above.
    if (first !== 0x78 && first !== 0x72 && first !== 0x6f && first !== 0x61) continue;
    if (!isPassed(name)) continue;
    const value = headers[name];
    if (typeof value === 'string') target.push(name, value);
  }
}

/** Header values must be ISO-8859-1 without control characters; the rest is escaped. */
export function headerText(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : encodeURI(value);
}

/** Our own headers of an answer, then the provider's that are passed on. @param model alias of the target that answers, null when none does */
export function answerHead(call: Call, contentType: string, model: string | null): string[] {
  const head = ['content-type', contentType, 'x-plimsoll-trace-id', call.traceId];
  if (model !== null) head.push('x-plimsoll-model', headerText(model));
  if (call.routing !== null) head.push('x-plimsoll-route-reason', headerText(call.routing.reason));
  if (call.warnings.length > 0) head.push('x-plimsoll-warnings', headerText([...new Set(call.warnings)].join('; ').slice(0, 1000)));
  if (call.cache !== null) head.push(...call.cache.headers());
  addLimitsAndPassed(call, head);
  return head;
}

/** Of an answer that is a stream. */
export function streamHead(call: Call, model: string | null): string[] {
  const type = call.body?.isEventStream === false ? 'application/json; charset=utf-8' : 'text/event-stream; charset=utf-8';
  const head = answerHead(call, type, model);
  head.push('cache-control', 'no-cache', 'x-accel-buffering', 'no');
  return head;
}

/** Limits that the call stands under, and the provider's headers; of rates only those of one of the two. */
export function addLimitsAndPassed(call: Call, head: string[]): void {
  const hasRates = addLimitHeaders(call, head);
  const passed = call.answerHeaders;
  for (let index = 0; index < passed.length; index += 2) {
    const name = passed[index] as string;
    if (hasRates && PASSED_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    head.push(name, passed[index + 1] as string);
  }
}
