import type { IncomingHttpHeaders } from 'node:http';
import { PlimsollError } from '../../kernel/errors.ts';

/** What the caller wants of the cache for this one call. */
export interface CacheWish {
  /** A kept answer may be given. */
  readonly reads: boolean;
  /** The answer may be kept. */
  readonly writes: boolean;
  /** Oldest answer that is wanted; null = any. */
  readonly maxAgeMs: number | null;
  /** The words that said so; null = nothing was said. */
  readonly reason: string | null;
}

const ANYTHING: CacheWish = Object.freeze({ reads: true, writes: true, maxAgeMs: null, reason: null });
const BYPASS: CacheWish = Object.freeze({ reads: false, writes: false, maxAgeMs: null, reason: 'x-plimsoll-cache: bypass' });
const REFRESH: CacheWish = Object.freeze({ reads: false, writes: true, maxAgeMs: null, reason: 'x-plimsoll-cache: refresh' });

/**
 * Reads `x-plimsoll-cache: bypass | refresh`, else `cache-control` (RFC 9111 §5.2.1): no-store = neither given nor kept, no-cache = not given
 * but kept, max-age = seconds. Unknown directives of cache-control mean nothing here.
 * @throws PlimsollError `invalid_argument` for another value of our own header
 */
export function readCacheWish(headers: IncomingHttpHeaders): CacheWish {
  const own = headers['x-plimsoll-cache'];
  if (own !== undefined && own !== '') {
    if (own === 'bypass') return BYPASS;
    if (own === 'refresh') return REFRESH;
    throw new PlimsollError('invalid_argument', `x-plimsoll-cache must be "bypass" or "refresh", not "${String(own).slice(0, 40)}".`, {
      details: { param: 'x-plimsoll-cache' },
    });
  }
  const control = headers['cache-control'];
  return control === undefined ? ANYTHING : readCacheControl(control);
}

function readCacheControl(text: string): CacheWish {
  let reads = true;
  let writes = true;
  let maxAgeMs: number | null = null;
  for (const part of text.toLowerCase().split(',')) {
    const directive = part.trim();
    if (directive === 'no-store') {
      reads = false;
      writes = false;
    } else if (directive === 'no-cache') reads = false;
    else if (directive.startsWith('max-age=')) {
      const seconds = Number(directive.slice('max-age='.length).replaceAll('"', ''));
      if (Number.isSafeInteger(seconds) && seconds >= 0) maxAgeMs = seconds * 1000;
    }
  }
  return { reads, writes, maxAgeMs, reason: reads ? null : `cache-control: ${writes ? 'no-cache' : 'no-store'}` };
}
