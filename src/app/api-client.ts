import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { isErrorCode, PlimsollError, type ProblemBody } from '../kernel/errors.ts';
import type { Environment } from './environment.ts';

/** How commands talk to a running Plimsoll. */
export interface ApiClient {
  readonly baseUrl: string;
  /** @throws PlimsollError the server's own error, or `store_unavailable` when nothing answers */
  call<T>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options?: { readonly query?: Readonly<Record<string, string | number | undefined>>; readonly body?: unknown },
  ): Promise<T>;
  /** A file, as it comes, with the headers of its answer. @throws as `call` */
  file(
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
  ): Promise<{ readonly source: Readable; readonly headers: Headers }>;
}

/** Uses PLIMSOLL_ADMIN_KEY, else the cluster key of the data directory: who may read that directory owns this Plimsoll. */
export function createApiClient(environment: Environment): ApiClient {
  const baseUrl = (environment.variables.PLIMSOLL_URL ?? `http://${environment.host}:${environment.port}`).replace(/\/+$/, '');
  const key = environment.adminKey ?? environment.clusterKey ?? localClusterKey(environment.dataDirectory);
  async function ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
    body: unknown,
  ): Promise<Response> {
    if (key === null)
      throw new PlimsollError(
        'unauthenticated',
        `Set PLIMSOLL_ADMIN_KEY, or run this where the data directory is (looked in ${environment.dataDirectory})`,
      );
    if (!URL.canParse(`${baseUrl}${path}`))
      throw new PlimsollError('config_invalid', `PLIMSOLL_URL must be a URL like http://127.0.0.1:4000, got "${baseUrl}"`);
    const url = new URL(`${baseUrl}${path}`);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, `${value}`);
    let answer: Response;
    try {
      answer = await fetch(url, {
        method,
        headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw new PlimsollError('store_unavailable', `No Plimsoll answers at ${baseUrl}; start it with "npm start", or set PLIMSOLL_URL`, {
        cause: error,
      });
    }
    if (answer.ok) return answer;
    const problem = parseJson(await answer.text()) as Partial<ProblemBody> | null; // of our own API, or nothing
    throw new PlimsollError(
      isErrorCode(problem?.code) ? problem.code : 'internal',
      problem?.detail ?? `${method} ${path} answered ${answer.status}`,
      { details: { status: answer.status } },
    );
  }
  return {
    baseUrl,
    async call<T>(
      method: 'GET' | 'POST' | 'PUT' | 'DELETE',
      path: string,
      { query = {}, body }: { query?: Readonly<Record<string, string | number | undefined>>; body?: unknown } = {},
    ): Promise<T> {
      const text = await (await ask(method, path, query, body)).text();
      return (text === '' ? null : parseJson(text)) as T;
    },
    async file(path, query) {
      const { body, headers } = await ask('GET', path, query, undefined);
      return { source: body === null ? Readable.from([]) : Readable.fromWeb(body as ReadableStream), headers }; // two declarations of one class
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function localClusterKey(dataDirectory: string): string | null {
  const path = join(dataDirectory, 'secrets', 'cluster-key');
  try {
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
  } catch {
    return null;
  }
}
