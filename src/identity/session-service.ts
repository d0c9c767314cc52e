import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { newSecret, newUuidV7 } from '../kernel/ids.ts';
import type { Actor, Scope } from '../kernel/scope.ts';
import { type AdminAccess, adminActor } from './admin-access.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { SessionView } from './model.ts';
import { SESSION_IDLE_MS, SESSION_LONGEST_MS } from './session-cookie.ts';
import type { SessionStore } from './store.ts';
import { isWellFormedKey, keyHmac } from './virtual-key.ts';

export interface SessionServiceOptions {
  /** Inside a transaction: its own store. */
  readonly store: SessionStore;
  readonly access: AdminAccess;
  /** One per process, shared by all transactions. */
  readonly throttle: LoginThrottle;
  readonly pepperHex: string;
  readonly clock: Clock;
}

export interface OpenedSession {
  /** For the cookie; stored as an HMAC only. */
  readonly token: string;
  readonly id: string;
  readonly actor: Actor;
  readonly view: SessionView;
}

export interface SessionService {
  /** @throws PlimsollError `unauthenticated`; `rate_limited` after too many failures from this address */
  open(scope: Scope, adminKey: string, remoteAddress: string): Promise<OpenedSession>;
  /** The session of these headers, or what the bearer key allows. */
  current(scope: Scope, actor: Actor, headers: IncomingHttpHeaders): Promise<SessionView>;
  /** @returns id of the session that was ended; null when the request came without one */
  close(scope: Scope, headers: IncomingHttpHeaders): Promise<string | null>;
}

export function createSessionService({ store, access, throttle, pepperHex, clock }: SessionServiceOptions): SessionService {
  const view = (
    scope: Scope,
    actor: Actor,
    name: string | null,
    ends: { expiresAt: number | null; endsAt: number | null },
  ): SessionView => ({
    actor: { kind: actor.kind, id: actor.id, name },
    organisation: scope.organisationId,
    environment: scope.environment,
    grants: [...actor.grants],
    ...ends,
  });
  return {
    async open(scope, adminKey, remoteAddress) {
      throttle.check(remoteAddress);
      const identity = await access.verifyAdminKey(adminKey);
      if (identity === null) {
        throttle.fail(remoteAddress);
        const isVirtual = isWellFormedKey(adminKey, 'plk');
        const isTypo = adminKey.startsWith('pla_') && !isWellFormedKey(adminKey, 'pla');
        throw new PlimsollError(
          'unauthenticated',
          isVirtual
            ? 'This is a virtual key (plk_…); log in with an admin key (pla_…).'
            : isTypo
              ? 'The admin key has a typo: its checksum is wrong.'
              : 'The admin key is unknown or revoked.',
        );
      }
      const nowMs = clock.nowMs();
      await store.prune(scope, nowMs);
      const token = newSecret(32);
      const session = {
        id: newUuidV7(nowMs),
        tokenHmac: keyHmac(pepperHex, token),
        adminKeyId: identity.id,
        adminKeyHmac: identity.hmac,
        createdAtMs: nowMs,
        expiresAtMs: nowMs + SESSION_IDLE_MS,
        endsAtMs: nowMs + SESSION_LONGEST_MS,
      };
      await store.insert(scope, session);
      const actor = adminActor(scope, identity.id);
      return {
        token,
        id: session.id,
        actor,
        view: view(scope, actor, identity.name, { expiresAt: session.expiresAtMs, endsAt: session.endsAtMs }),
      };
    },
    async current(scope, actor, headers) {
      const found = headers.authorization === undefined ? await access.findSession(headers) : null;
      if (found === null) return view(scope, actor, null, { expiresAt: null, endsAt: null });
      const { session, identity } = found;
      return view(scope, actor, identity.name, { expiresAt: session.expiresAtMs, endsAt: session.endsAtMs });
    },
    async close(scope, headers) {
      const found = await access.findSession(headers);
      if (found === null) return null;
      await store.remove(scope, found.session.id);
      return found.session.id;
    },
  };
}
