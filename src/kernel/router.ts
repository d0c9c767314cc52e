import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from './clock.ts';
import { PlimsollError, toPlimsollError } from './errors.ts';
import { type Answer, assertDeclaredAnswer, problemAnswer, send, toJson } from './router-answer.ts';
import { type Authenticate, type Authentication, anonymous, assertSameSite } from './router-authentication.ts';
import { assertHarmless, type BodyLimits, readJsonBody } from './router-body.ts';
import { createRouteTable, type RouteMatch } from './router-match.ts';
import { parseInput, queryObject } from './router-validation.ts';
import { FileAnswer, type Route, RouteAnswer, type RouteRequest } from './routes.ts';
import { type AuditEntry, type AuditSink, isAllowed, type Scope } from './scope.ts';

export interface TransactionContext<S> {
  /** The services bound to the transaction: what they write is part of it. */
  readonly services: S;
  /** Writes in the same transaction. */
  readonly audit: AuditSink;
}

export interface RouterOptions<S> {
  /** For routes without `audit`, which read. */
  readonly services: S;
  /**
   * Runs `work` in one store transaction. Every route with `audit` runs in it, and the router itself writes the entry before the commit:
   * a change without its audit row cannot happen, neither can a row without its change.
   */
  transaction<T>(work: (context: TransactionContext<S>) => Promise<T>): Promise<T>;
  readonly authenticate: Authenticate;
  /** Scope of public routes. */
  readonly defaultScope: Scope;
  readonly clock: Clock;
  /** Called and awaited after the commit of an audited route, before the answer (e.g. to publish a snapshot). Its failure goes to `onError` and does not change the answer. */
  readonly onCommitted?: (entry: AuditEntry, scope: Scope) => Promise<void> | void;
  /** Told of every answer of 500 and above, and of failures that have no answer. */
  readonly onError: (error: PlimsollError, context: { readonly requestId: string; readonly method: string; readonly path: string }) => void;
  /** Defaults: 1 MiB, 64 levels. */
  readonly bodyLimits?: BodyLimits;
  /** True when only our own gateway or a trusted proxy can reach this server: `x-forwarded-for` and `x-forwarded-proto` are believed. */
  readonly trustsForwardedHeaders?: boolean;
  /** Checks answers against their schemas (tests, development): a difference is `internal`. */
  readonly validateResponses?: boolean;
}

export interface Router {
  /** Answers one request; never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

const DEFAULT_LIMITS: BodyLimits = { maxBytes: 1024 * 1024, maxDepth: 64 };

/** @throws PlimsollError `internal` when the table has a duplicate, a route without permission, or a change without audit action */
export function createRouter<S>(routes: readonly Route<S>[], options: RouterOptions<S>): Router {
  const table = createRouteTable(routes);
  const limits = options.bodyLimits ?? DEFAULT_LIMITS;

  async function authorize(route: Route<S>, request: IncomingMessage): Promise<Authentication> {
    if (route.permission === 'public') return { actor: anonymous(options.defaultScope), scope: options.defaultScope, isCookie: false };
    const authentication = await options.authenticate(request.headers);
    if (authentication === null) {
      throw new PlimsollError(
        'unauthenticated',
        'This request carries no key: send "authorization: Bearer pla_…", or log in on the dashboard.',
      );
    }
    if (!isAllowed(authentication.actor, route.permission)) {
      const isVirtualKey = authentication.actor.kind === 'virtual_key';
      const hint = isVirtualKey ? ' A virtual key (plk_…) opens /v1 and reports feedback, no more: use an admin key (pla_…).' : '';
      throw new PlimsollError('permission_denied', `${route.method} ${route.path} needs the permission "${route.permission}".${hint}`, {
        details: { permission: route.permission },
      });
    }
    assertSameSite(route.method, authentication, request.headers);
    return authentication;
  }

  async function parse({ route, params }: RouteMatch<S>, search: string, request: IncomingMessage) {
    const query = queryObject(new URLSearchParams(search));
    assertHarmless(params, 'path');
    assertHarmless(query, 'query');
    if (route.query === null && Object.keys(query).length > 0) {
      throw new PlimsollError(
        'invalid_argument',
        `${route.method} ${route.path} takes no query parameters; got ${Object.keys(query).join(', ')}.`,
        { details: { param: 'query' } },
      );
    }
    const body = await readJsonBody(request, route.maxBodyBytes === null ? limits : { ...limits, maxBytes: route.maxBodyBytes });
    if (route.body === null && body !== undefined) {
      throw new PlimsollError('invalid_argument', `${route.method} ${route.path} takes no body.`, { details: { param: 'body' } });
    }
    return {
      params: route.params === null ? {} : parseInput(route.params, params, 'path'),
      query: route.query === null ? {} : parseInput(route.query, query, 'query'),
      body: route.body === null ? undefined : parseInput(route.body, body, 'body'),
    };
  }

  /** The check is part of a change's transaction: an answer that must not be sent leaves no change behind. */
  async function run(route: Route<S>, request: RouteRequest<unknown, unknown, unknown, S>): Promise<unknown> {
    const result = await route.handler(request);
    if (options.validateResponses === true && route.status !== 204 && !(result instanceof FileAnswer))
      assertDeclaredAnswer(route, result instanceof RouteAnswer ? result.body : result);
    return result;
  }

  async function runAudited(
    route: Route<S>,
    action: string,
    request: RouteRequest<unknown, unknown, unknown, S>,
  ): Promise<{ result: unknown; entry: AuditEntry }> {
    return options.transaction(async ({ services, audit }) => {
      const result = await run(route, { ...request, services });
      const entry = auditEntry(action, request, result, options.clock.nowMs());
      await audit.record(request.scope, entry);
      return { result, entry };
    });
  }

  async function answer(request: IncomingMessage, requestId: string): Promise<Answer> {
    const { path, search } = splitUrl(request.url ?? '/');
    const method = request.method ?? 'GET';
    if (method === 'OPTIONS') {
      const allow = table.methods(path);
      if (allow.length > 0) return { status: 204, headers: { allow: allow.join(', ') }, body: null };
    }
    const match = table.match(method, path);
    const { route } = match;
    const { actor, scope } = await authorize(route, request);
    const input = await parse(match, search, request);
    const call: RouteRequest<unknown, unknown, unknown, S> = {
      ...input,
      actor,
      scope,
      services: options.services,
      headers: request.headers,
      isSecure: isSecure(request, options.trustsForwardedHeaders === true),
      remoteAddress: remoteAddress(request, options.trustsForwardedHeaders === true),
    };
    let result: unknown;
    if (route.audit === null) result = await run(route, call);
    else {
      const audited = await runAudited(route, route.audit, call);
      result = audited.result;
      try {
        await options.onCommitted?.(audited.entry, scope);
      } catch (thrown) {
        options.onError(toPlimsollError(thrown), { requestId, method, path });
      }
    }
    if (result instanceof FileAnswer) {
      const headers = {
        'content-type': result.contentType,
        'content-disposition': `attachment; filename="${result.fileName}"`,
        ...result.headers,
      };
      return { status: route.status, headers, body: result.source };
    }
    const { body, headers } = result instanceof RouteAnswer ? result : { body: result, headers: {} };
    if (route.status === 204) return { status: 204, headers, body: null };
    return { status: route.status, headers: { 'content-type': 'application/json', ...headers }, body: toJson(body) };
  }

  return {
    async handle(request, response) {
      const requestId = randomUUID();
      const context = { requestId, method: request.method ?? '', path: splitUrl(request.url ?? '').path };
      let reply: Answer;
      try {
        reply = await answer(request, requestId);
      } catch (thrown) {
        const error = toPlimsollError(thrown);
        if (error.status >= 500) options.onError(error, context);
        reply = problemAnswer(error, requestId);
      }
      try {
        send(response, reply, request.method === 'HEAD', (error) => options.onError(toPlimsollError(error), context));
      } catch (thrown) {
        // A header with a forbidden character, at most: the connection is all that is left to end.
        options.onError(toPlimsollError(thrown), context);
        response.destroy();
      }
    },
  };
}

function splitUrl(url: string): { path: string; search: string } {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, search: '' } : { path: url.slice(0, at), search: url.slice(at + 1) };
}

function isSecure(request: IncomingMessage, trustsForwarded: boolean): boolean {
  if ('encrypted' in request.socket && request.socket.encrypted === true) return true;
  return trustsForwarded && lastOf(request.headers['x-forwarded-proto']) === 'https';
}

/** The last entry is the one that the nearest proxy wrote; those before it came with the request. */
function remoteAddress(request: IncomingMessage, trustsForwarded: boolean): string {
  const forwarded = trustsForwarded ? lastOf(request.headers['x-forwarded-for']) : '';
  return forwarded !== '' ? forwarded : (request.socket.remoteAddress ?? '');
}

function lastOf(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').at(-1)?.trim() ?? '';
}

/** Subject when the handler named none: the action's noun and the id or name in the path or the answer, e.g. `key/0192…`. */
function auditEntry(action: string, request: RouteRequest<unknown, unknown, unknown, unknown>, result: unknown, atMs: number): AuditEntry {
  const note = result instanceof RouteAnswer ? result.audit : null;
  const body = result instanceof RouteAnswer ? result.body : result;
  const named = [request.params, body].flatMap((source) =>
    typeof source === 'object' && source !== null ? ['id', 'name'].map((field): unknown => Reflect.get(source, field)) : [],
  );
  const id = named.find((value) => typeof value === 'string');
  const noun = action.split('.')[0] ?? action;
  return {
    action: note?.action ?? action,
    actor: note?.actor ?? request.actor,
    subject: note?.subject ?? (typeof id === 'string' ? `${noun}/${id}` : noun),
    details: note?.details ?? {},
    atMs,
  };
}
