import createClient from 'openapi-fetch';
import type { paths } from './openapi.gen.ts';
import { asApiError, toApiError } from './problem.ts';

/** Same origin, cookie session. The header keeps other sites from using the cookie: they cannot set it without a preflight. */
export const api = createClient<paths>({ baseUrl: '', credentials: 'same-origin', headers: { accept: 'application/json' } });

api.use({
  onRequest({ request }) {
    if (request.method !== 'GET') request.headers.set('x-plimsoll-csrf', '1');
    return request;
  },
});

interface Answer {
  readonly data?: unknown;
  readonly error?: unknown;
  readonly response: Response;
}

/**
 * The body of a success. `T` is named by the caller: openapi-fetch's own result type turns tuples and readonly lists into other types.
 * @throws ApiError always, whatever failed
 */
export async function unwrap<T>(pending: Promise<Answer>): Promise<T> {
  let answer: Answer;
  try {
    answer = await pending;
  } catch (thrown) {
    throw asApiError(thrown);
  }
  if (!answer.response.ok) throw toApiError(answer.response.status, answer.error);
  return answer.data as T; // the server validates its answers against the schema that T stands for
}
