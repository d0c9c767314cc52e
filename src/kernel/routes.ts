import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Actor, Grant, Scope } from './scope.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RouteRequest<P, Q, B, S> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly actor: Actor;
  readonly scope: Scope;
  readonly services: S;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** True when the request came over TLS (directly or by a trusted proxy header); decides the cookie's Secure flag. */
  readonly isSecure: boolean;
  /** Address of the client (by a trusted proxy header when there is one); empty when unknown. For throttling, never for rights. */
  readonly remoteAddress: string;
}

/** What a handler adds to the audit entry that the router writes for it. */
export interface AuditNote {
  /** What was changed, e.g. `key/0192…`. */
  readonly subject: string;
  /** Only for a route that does one of several things, such as pause or throttle; else the route's own action. */
  readonly action?: `${string}.${string}`;
  /** Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Only for public routes, which find out by themselves who acts (a login). */
  readonly actor?: Actor;
}

/** A handler may return plain data, or this to set headers (a cookie, a location) and to say what the audit log should hold. */
export class RouteAnswer<R> {
  readonly body: R;
  readonly headers: Readonly<Record<string, string>>;
  readonly audit: AuditNote | null;
  constructor(body: R, headers: Readonly<Record<string, string>>, audit: AuditNote | null = null) {
    this.body = body;
    this.headers = headers;
    this.audit = audit;
  }
}

/** A file instead of JSON. It is sent as it comes; a source that fails in the middle breaks the connection, so that nobody takes a part for the whole. */
export class FileAnswer {
  readonly contentType: string;
  readonly fileName: string;
  readonly source: Readable;
  readonly headers: Readonly<Record<string, string>>;
  /** @param fileName letters, digits, `-`, `_` and `.` */
  constructor(contentType: string, fileName: string, source: Readable, headers: Readonly<Record<string, string>> = {}) {
    this.contentType = contentType;
    this.fileName = fileName;
    this.source = source;
    this.headers = headers;
  }
}

interface RouteBase {
  readonly path: `/api/v1/${string}`;
  readonly summary: string;
  /** Right needed; `'public'` must be said, silence fails the boot. */
  readonly permission: Grant | 'public';
  /** Media types of the file that is answered (a `FileAnswer`) instead of JSON. */
  readonly fileTypes?: readonly string[];
  /** Success status; 200 unless said. 204 has no body. */
  readonly status?: 200 | 201 | 202 | 204;
  /** Most bytes of a body, where the API's own limit is too small: imports of files. */
  readonly maxBodyBytes?: number;
  /** True = what is sent goes into the journal, synced before the answer, and changes nothing in the control store: no transaction, no audit row. */
  readonly isJournaled?: boolean;
  /** True = the handler itself records what is asked, because the work takes longer than a transaction may; it changes nothing else. */
  readonly isSelfAudited?: boolean;
}

export interface RouteDefinition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType, S> extends RouteBase {
  readonly method: Method;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly response: R;
  /** Audit action, `noun.verb` in the past tense. Required on every method but GET, unless what is sent is journaled. */
  readonly audit?: `${string}.${string}`;
  handler(
    request: RouteRequest<z.output<P>, z.output<Q>, z.output<B>, S>,
  ): Promise<z.input<R> | RouteAnswer<z.input<R>> | FileAnswer> | z.input<R> | RouteAnswer<z.input<R>> | FileAnswer;
}

/** A declared route with its types forgotten: what the router, the OpenAPI document and the boot check work on. */
export interface Route<S> {
  readonly method: Method;
  readonly path: `/api/v1/${string}`;
  readonly summary: string;
  readonly permission: Grant | 'public';
  readonly status: 200 | 201 | 202 | 204;
  readonly fileTypes: readonly string[] | null;
  readonly params: z.ZodType | null;
  readonly query: z.ZodType | null;
  readonly body: z.ZodType | null;
  readonly response: z.ZodType;
  readonly audit: string | null;
  readonly isJournaled: boolean;
  readonly isSelfAudited: boolean;
  readonly maxBodyBytes: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: the router parses with the route's own schemas just before the call
  readonly handler: (request: RouteRequest<any, any, any, S>) => unknown;
}

/** Declares one API route: validation, handler types, OpenAPI, permission and audit come from this one object. */
export function defineRoute<S>() {
  return <P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    definition: RouteDefinition<P, Q, B, R, S>,
  ): Route<S> => ({
    method: definition.method,
    path: definition.path,
    summary: definition.summary,
    permission: definition.permission,
    status: definition.status ?? 200,
    fileTypes: definition.fileTypes ?? null,
    params: definition.params ?? null,
    query: definition.query ?? null,
    body: definition.body ?? null,
    response: definition.response,
    audit: definition.audit ?? null,
    isJournaled: definition.isJournaled ?? false,
    isSelfAudited: definition.isSelfAudited ?? false,
    maxBodyBytes: definition.maxBodyBytes ?? null,
    handler: definition.handler,
  });
}
