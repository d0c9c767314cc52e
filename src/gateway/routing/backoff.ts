import type { ResponseHeaders } from '../provider.ts';
import type { RetryPolicy } from './policy.ts';

/**
 * Wait before a retry, with full jitter: anything from 0 to the exponential bound, so that clients of one outage do not come back together.
 * @param retry 1 for the first retry
 * @param random in [0, 1)
 * @returns whole milliseconds, 0 to `maxDelayMs`
 * @see AWS Architecture Blog, "Exponential Backoff And Jitter"
 */
export function fullJitterMs(retry: number, policy: Pick<RetryPolicy, 'baseDelayMs' | 'maxDelayMs'>, random: number): number {
  const boundMs = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** Math.min(30, retry - 1));
  return Math.floor(random * (boundMs + 1));
}

function text(value: string | string[] | undefined): string | null {
  return typeof value === 'string' ? value.trim() : null;
}

/**
 * What a provider asked to wait: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date (RFC 9110, 10.2.3).
 * @param nowMs epoch milliseconds
 * @returns milliseconds ≥ 0; null when nothing usable was said
 */
export function retryAfterMs(headers: ResponseHeaders, nowMs: number): number | null {
  const precise = text(headers['retry-after-ms']);
  if (precise !== null && /^\d{1,9}(\.\d+)?$/.test(precise)) return Math.ceil(Number(precise));
  const value = text(headers['retry-after']);
  if (value === null) return null;
  // OpenAI and others send fractions here, although the RFC has whole seconds only.
  if (/^\d{1,7}(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  // Date.parse reads much more than HTTP dates: only what begins with the name of a day is one.
  const atMs = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
