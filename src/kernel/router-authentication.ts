import type { IncomingHttpHeaders } from 'node:http';
import { PlimsollError } from './errors.ts';
import type { Method } from './routes.ts';
import type { Actor, Scope } from './scope.ts';

/** Who sends a request, and for which tenant and environment. */
export interface Authentication {
  readonly actor: Actor;
  readonly scope: Scope;
  /** True when a cookie proved it: browsers send those by themselves, so changes need proof that our own page asked. */
  readonly isCookie: boolean;
}

/**
 * @returns null when the request carries no credentials
 * @throws PlimsollError `unauthenticated` when it carries some that are not valid
 */
export type Authenticate = (headers: IncomingHttpHeaders) => Promise<Authentication | null>;

/** Actor of public routes, where nobody has been asked who they are. */
export function anonymous(scope: Scope): Actor {
  return { kind: 'system', id: 'anonymous', organisationId: scope.organisationId, grants: [] };
}

/**
 * Cross-site request forgery, second line behind the cookie's SameSite=Strict. A change that a cookie authenticates needs either
 * `x-plimsoll-csrf: 1` (no other site can set a header of its own without a preflight, and we grant none) or an `Origin` whose host is
 * the request's `Host`. Requests with a bearer key are free of this: no browser adds those by itself.
 * @throws PlimsollError `permission_denied`
 */
export function assertSameSite(method: Method, authentication: Authentication, headers: IncomingHttpHeaders): void {
  if (method === 'GET' || !authentication.isCookie || headers['x-plimsoll-csrf'] === '1') return;
  const origin = headers.origin === undefined ? null : URL.parse(headers.origin);
  if (origin !== null && headers.host !== undefined && origin.host === headers.host.toLowerCase()) return;
  throw new PlimsollError(
    'permission_denied',
    `A change under a session cookie needs the header "x-plimsoll-csrf: 1" or an Origin of this host; Origin is ${headers.origin === undefined ? 'absent' : `"${headers.origin}"`}.`,
    { details: { origin: headers.origin ?? null, host: headers.host ?? null } },
  );
}
