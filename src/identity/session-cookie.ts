import type { IncomingHttpHeaders } from 'node:http';

export const SESSION_COOKIE = 'plimsoll_session';
/** A session ends after so long without use … */
export const SESSION_IDLE_MS = 12 * 3_600_000;
/** … and after so long in any case. */
export const SESSION_LONGEST_MS = 7 * 86_400_000;

/** The session token of a request's cookies; null without one. */
export function sessionToken(headers: Pick<IncomingHttpHeaders, 'cookie'>): string | null {
  for (const pair of (headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === SESSION_COOKIE) {
      const token = pair.slice(at + 1).trim();
      return /^[A-Za-z0-9_-]{43}$/.test(token) ? token : null;
    }
  }
  return null;
}

/**
 * `set-cookie` of a login, or of a logout when `token` is null. The browser keeps it for the longest life; the shorter, sliding end is
 * kept by the server.
 */
export function sessionCookie(token: string | null, isSecure: boolean): string {
  const maxAgeSeconds = token === null ? 0 : SESSION_LONGEST_MS / 1000;
  return `${SESSION_COOKIE}=${token ?? ''}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}
