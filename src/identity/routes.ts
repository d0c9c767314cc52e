import { z } from 'zod';
import { defineRoute, RouteAnswer } from '../kernel/routes.ts';
import { KeyCreated, KeyDraft, KeyListQuery, KeyPage, KeyRotation, SessionView } from './model.ts';
import type { KeyService } from './service.ts';
import { sessionCookie } from './session-cookie.ts';
import type { SessionService } from './session-service.ts';

export interface IdentityServices {
  readonly keys: KeyService;
  readonly sessions: SessionService;
}

const route = defineRoute<IdentityServices>();
const keyId = z.strictObject({ id: z.string().max(200).describe('Id of the key') });

/** What the audit log says about a new key: everything but the secret. */
function described({ key: _secret, ...view }: KeyCreated): Record<string, unknown> {
  const { name, prefix, feature, team, models, expiresAt, rotatedFrom } = view;
  return { name, prefix, feature, team, models, expiresAt, ...(rotatedFrom === null ? {} : { rotatedFrom }) };
}

export const identityRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/keys',
    summary: 'Create a virtual key; the answer is the only place where it is shown',
    permission: 'keys:write',
    audit: 'key.created',
    status: 201,
    body: KeyDraft,
    response: KeyCreated,
    async handler({ body, actor, scope, services }) {
      const created = await services.keys.create(scope, body, actor);
      return new RouteAnswer(
        created,
        { location: `/api/v1/keys/${created.id}` },
        { subject: `key/${created.id}`, details: described(created) },
      );
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/keys',
    summary: 'List virtual keys, newest first; those of plimsoll.yaml lead the first page',
    permission: 'keys:read',
    query: KeyListQuery,
    response: KeyPage,
    handler: ({ query, scope, services }) => services.keys.list(scope, query),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/keys/:id',
    summary: 'Revoke a virtual key; revoking it again is harmless',
    permission: 'keys:write',
    audit: 'key.revoked',
    status: 204,
    params: keyId,
    response: z.null(),
    async handler({ params, scope, services }) {
      const { id, name, prefix, revokedAt } = await services.keys.revoke(scope, params.id);
      return new RouteAnswer(null, {}, { subject: `key/${id}`, details: { name, prefix, revokedAt } });
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/keys/:id/rotate',
    summary: 'Replace a virtual key: a new one with the same rights; the old one goes on working for graceMs',
    permission: 'keys:write',
    audit: 'key.rotated',
    status: 201,
    params: keyId,
    body: KeyRotation.prefault({}),
    response: KeyCreated,
    async handler({ params, body, actor, scope, services }) {
      const created = await services.keys.rotate(scope, params.id, body.graceMs, actor);
      const details = { ...described(created), graceMs: body.graceMs };
      return new RouteAnswer(created, { location: `/api/v1/keys/${created.id}` }, { subject: `key/${created.id}`, details });
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/sessions',
    summary: 'Log in to the dashboard with an admin key; sets the session cookie',
    permission: 'public',
    audit: 'session.opened',
    status: 201,
    body: z.strictObject({ adminKey: z.string().trim().min(1).max(512).describe('An admin key, pla_…') }).meta({ id: 'Login' }),
    response: SessionView,
    async handler({ body, scope, services, isSecure, remoteAddress }) {
      const { token, id, actor, view } = await services.sessions.open(scope, body.adminKey, remoteAddress);
      return new RouteAnswer(
        view,
        { 'set-cookie': sessionCookie(token, isSecure) },
        { subject: `session/${id}`, actor, details: { remoteAddress } },
      );
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/sessions/current',
    summary: 'Who am I: the actor and the end of the session',
    permission: 'sessions:read',
    response: SessionView,
    handler: ({ actor, scope, headers, services }) => services.sessions.current(scope, actor, headers),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/sessions/current',
    summary: 'Log out: ends the session and clears its cookie',
    permission: 'sessions:write',
    audit: 'session.closed',
    status: 204,
    response: z.null(),
    async handler({ scope, headers, isSecure, services }) {
      const id = await services.sessions.close(scope, headers);
      return new RouteAnswer(null, { 'set-cookie': sessionCookie(null, isSecure) }, { subject: id === null ? 'session' : `session/${id}` });
    },
  }),
];
