import { PlimsollError } from '../../kernel/errors.ts';

const TIMEOUT_MS = 10_000;
/** Google's list of incidents is the largest known page, some 200 KB. */
const MAX_BYTES = 4 * 1024 * 1024;
const LONGEST_WAIT_MS = 3_600_000;

export type PageAnswer =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed'; readonly body: unknown; readonly etag: string | null };

/** A page that could not be read; `retryAfterMs` when the server asked for a pause. */
export class PageError extends PlimsollError {
  readonly retryAfterMs: number | null;
  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number | null } = {}) {
    super('provider_bad_response', message, { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

async function readBounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new PageError(`the page is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function retryAfterOf(answer: Response): number | null {
  const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, LONGEST_WAIT_MS) : null;
}

/**
 * Asks for a status page once: bounded in time and size, never past a redirect (the new address is said, for the configuration to name it:
 * a page must not be able to point control at other machines).
 * @param etag of the answer before; null = none
 * @throws PageError
 */
export async function fetchPage(url: string, etag: string | null, signal: AbortSignal, timeoutMs = TIMEOUT_MS): Promise<PageAnswer> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(url, {
      headers: { accept: 'application/json', 'user-agent': 'plimsoll', ...(etag === null ? {} : { 'if-none-match': etag }) },
      redirect: 'manual',
      signal: AbortSignal.any([signal, limit]),
    });
    if (answer.status === 304) return { kind: 'unchanged' };
    if (answer.status !== 200) {
      await answer.body?.cancel();
      const to = answer.headers.get('location');
      const where = answer.status >= 300 && answer.status < 400 && to !== null ? `, to ${to.slice(0, 200)}: name that address` : '';
      throw new PageError(`the page answered ${answer.status}${where}`, { retryAfterMs: retryAfterOf(answer) });
    }
    const text = await readBounded(answer);
    return { kind: 'changed', body: JSON.parse(text) as unknown, etag: answer.headers.get('etag')?.slice(0, 200) ?? null };
  } catch (thrown) {
    if (thrown instanceof PageError) throw thrown;
    if (limit.aborted) throw new PageError(`the page did not answer within ${timeoutMs} ms`, { cause: thrown });
    if (thrown instanceof SyntaxError) throw new PageError('the page is not JSON', { cause: thrown });
    const cause = (thrown as Error).cause;
    throw new PageError(`the page cannot be reached (${cause instanceof Error ? cause.message : (thrown as Error).message})`, {
      cause: thrown,
    });
  }
}
