import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { Authenticate } from '../kernel/router-authentication.ts';
import type { Actor, Scope } from '../kernel/scope.ts';
import type { AdminKey, DashboardSession } from './model.ts';
import { SESSION_IDLE_MS, sessionToken } from './session-cookie.ts';
import type { AdminKeyStore, SessionStore } from './store.ts';
import { createKey, isSameHmac, isWellFormedKey, keyHmac } from './virtual-key.ts';

/** Id of the key that comes from PLIMSOLL_ADMIN_KEY. */
export const ENVIRONMENT_ADMIN_KEY_ID = 'environment';
const SHORTEST_ENVIRONMENT_KEY = 16;
/** A session's end moves at most this often, so that reading pages does not write. */
const EXTEND_EVERY_MS = 5 * 60_000;

export interface AdminAccessOptions {
  readonly adminKeys: AdminKeyStore;
  readonly sessions: SessionStore;
  readonly pepperHex: string;
  readonly clock: Clock;
  readonly scope: Scope;
  /** Value of PLIMSOLL_ADMIN_KEY; null when unset. */
  readonly environmentAdminKey: string | null;
}

export interface AdminIdentity {
  readonly id: string;
  readonly name: string;
  readonly hmac: string;
}

export interface AdminAccess {
  /** For the router: a bearer admin key, else the session cookie. */
  readonly authenticate: Authenticate;
  /** @returns null when the key is not valid */
  verifyAdminKey(key: string): Promise<AdminIdentity | null>;
  /** The session behind a cookie, when it is still good; its end is not moved. */
  findSession(headers: IncomingHttpHeaders): Promise<{ readonly session: DashboardSession; readonly identity: AdminIdentity } | null>;
}

/** A new admin key; the caller shows `key` once. Runs in whatever transaction `store` belongs to. */
export async function issueAdminKey(
  store: AdminKeyStore,
  scope: Scope,
  name: string,
  pepperHex: string,
  nowMs: number,
): Promise<{ id: string; key: string; prefix: string }> {
  const created = createKey('pla', nowMs);
  await store.insert(scope, {
    id: created.id,
    name,
    prefix: created.prefix,
    hmac: keyHmac(pepperHex, created.key),
    createdAtMs: nowMs,
    revokedAtMs: null,
  });
  return created;
}

export function adminActor(scope: Scope, id: string): Actor {
  return { kind: 'admin_key', id, organisationId: scope.organisationId, grants: ['*'] };
}

/** @throws PlimsollError `config_invalid` when PLIMSOLL_ADMIN_KEY is short, or a `pla_` key with a typo */
export function createAdminAccess(options: AdminAccessOptions): AdminAccess {
  const { adminKeys, sessions, pepperHex, clock, scope } = options;
  const environmentIdentity = environmentKey(options.environmentAdminKey, pepperHex);

  async function byHmac(hmac: string): Promise<AdminIdentity | null> {
    if (environmentIdentity !== null && isSameHmac(environmentIdentity.hmac, hmac)) return environmentIdentity;
    const found: AdminKey | null = await adminKeys.findByHmac(scope, hmac);
    if (found === null || !isSameHmac(found.hmac, hmac)) return null;
    if (found.revokedAtMs !== null && found.revokedAtMs <= clock.nowMs()) return null;
    return { id: found.id, name: found.name, hmac: found.hmac };
  }

  const verifyAdminKey = (key: string): Promise<AdminIdentity | null> => byHmac(keyHmac(pepperHex, key));

  const findSession: AdminAccess['findSession'] = async (headers) => {
    const token = sessionToken(headers);
    if (token === null) return null;
    const session = await sessions.findByTokenHmac(scope, keyHmac(pepperHex, token));
    if (session === null || session.expiresAtMs <= clock.nowMs()) return null;
    // A session is worth what its key is worth: revoking the key, or another PLIMSOLL_ADMIN_KEY, ends it.
    const identity = await byHmac(session.adminKeyHmac);
    return identity === null ? null : { session, identity };
  };

  async function authenticateBearer(key: string) {
    const identity = await verifyAdminKey(key);
    if (identity !== null) return { actor: adminActor(scope, identity.id), scope, isCookie: false };
    if (isWellFormedKey(key, 'plk'))
      throw new PlimsollError(
        'unauthenticated',
        'This is a virtual key (plk_…) that is not known here; the API needs an admin key (pla_…).',
      );
    const isTypo = key.startsWith('pla_') && !isWellFormedKey(key, 'pla');
    throw new PlimsollError(
      'unauthenticated',
      isTypo ? 'The admin key has a typo: its checksum is wrong.' : 'The admin key is unknown or revoked.',
    );
  }

  return {
    verifyAdminKey,
    findSession,
    async authenticate(headers) {
      if (headers.authorization !== undefined) {
        const match = /^Bearer +(\S+)$/i.exec(headers.authorization.trim());
        if (match?.[1] === undefined)
          throw new PlimsollError('unauthenticated', 'The authorization header is not of the form "Bearer <key>".');
        return authenticateBearer(match[1]);
      }
      if (sessionToken(headers) === null) return null;
      const found = await findSession(headers);
      if (found === null) throw new PlimsollError('unauthenticated', 'The session has ended: log in again.');
      const { session, identity } = found;
      const expiresAtMs = Math.min(clock.nowMs() + SESSION_IDLE_MS, session.endsAtMs);
      if (expiresAtMs - session.expiresAtMs >= EXTEND_EVERY_MS) await sessions.extend(scope, session.id, expiresAtMs);
      return { actor: adminActor(scope, identity.id), scope, isCookie: true };
    },
  };
}

function environmentKey(key: string | null, pepperHex: string): AdminIdentity | null {
  if (key === null) return null;
  if (key.length < SHORTEST_ENVIRONMENT_KEY) {
    throw new PlimsollError(
      'config_invalid',
      `PLIMSOLL_ADMIN_KEY has ${key.length} characters; at least ${SHORTEST_ENVIRONMENT_KEY} are needed.`,
    );
  }
  if (/\s/.test(key)) throw new PlimsollError('config_invalid', 'PLIMSOLL_ADMIN_KEY holds white space, which no bearer header can carry.');
  if (key.startsWith('pla_') && !isWellFormedKey(key, 'pla')) {
    throw new PlimsollError(
      'config_invalid',
      'PLIMSOLL_ADMIN_KEY begins with pla_ but its checksum is wrong: a character is missing or changed.',
    );
  }
  return { id: ENVIRONMENT_ADMIN_KEY_ID, name: 'PLIMSOLL_ADMIN_KEY', hmac: keyHmac(pepperHex, key) };
}
