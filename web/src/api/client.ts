import createClient from 'openapi-fetch';
import { asApiError, toApiError } from './problem.ts';
import type { paths } from './schema.ts';

/** Same origin, cookie session. The header keeps other sites from using the cookie: they cannot set it without a preflight. */
export const api = createClient<paths>({ baseUrl: '', credentials: 'same-origin', headers: { accept: 'application/json' } });

api.use({
  onRequest({ request }) {
    if (request.method !== 'GET') request.headers.set('x-plimsoll-csrf', '1');
    return request;
  },
});

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** @throws ApiError always, whatever failed. */
export async function unwrap<T>(pending: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await pending;
  } catch (thrown) {
    throw asApiError(thrown);
  }
  if (!answer.response.ok) throw toApiError(answer.response.status, answer.error);
  return answer.data as T; // openapi-fetch types a success as possibly undefined, which only a 204 is
}
