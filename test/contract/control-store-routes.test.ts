import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { featureRoutes } from '../../src/features/routes.ts';
import { createFeatureService } from '../../src/features/service.ts';
import { createFeatureSwitchService } from '../../src/features/switch-service.ts';
import { actorName } from '../../src/identity/actor-name.ts';
import { createAdminAccess, issueAdminKey } from '../../src/identity/admin-access.ts';
import { LoginThrottle } from '../../src/identity/login-throttle.ts';
import { identityRoutes } from '../../src/identity/routes.ts';
import { createKeyService } from '../../src/identity/service.ts';
import { createSessionService } from '../../src/identity/session-service.ts';
import type { StaticKey } from '../../src/identity/static-keys.ts';
import { createKey, isWellFormedKey, keyHmac, newPepper } from '../../src/identity/virtual-key.ts';
import { FakeClock } from '../../src/kernel/clock.ts';
import type { PlimsollError } from '../../src/kernel/errors.ts';
import { eventLogRoutes } from '../../src/kernel/event-log/routes.ts';
import { openApiDocument } from '../../src/kernel/openapi.ts';
import { createRouter } from '../../src/kernel/router.ts';
import { DEFAULT_SCOPE } from '../../src/kernel/scope.ts';
import { type ControlStore, type ControlStores, openControlStore } from '../../src/stores/sql/control-store.ts';
import { TEST_DRIVERS, type TestDatabase } from './control-store-drivers.ts';

const START_MS = Date.UTC(2026, 0, 5);
const HOUR_MS = 3_600_000;
const PEPPER = newPepper();
const ENVIRONMENT_KEY = 'an-admin-key-from-the-environment';
const STATIC_KEY: StaticKey = {
  id: 'config:dev',
  name: 'dev',
  prefix: 'AAAAAAAA',
  hmac: 'ff',
  feature: 'support',
  team: null,
  models: null,
  expiresAtMs: null,
  location: 'plimsoll.yaml:42',
};

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into answers of many shapes
  readonly json: any;
}

for (const driver of TEST_DRIVERS) {
  describe(`Identity and feature routes on ${driver.kind}`, () => {
    let database: TestDatabase;
    let store: ControlStore;
    let server: Server;
    let clock: FakeClock;
    let adminKey: string;
    let adminKeyId: string;
    let committed: string[];
    let errors: string[];

    const call = async (
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = { authorization: `Bearer ${adminKey}` },
    ): Promise<Reply> => {
      const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1${path}`, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, json: text === '' ? null : JSON.parse(text) };
    };
    const auditActions = async () => (await store.audit.list(DEFAULT_SCOPE, { afterSequence: 0, limit: 100 })).map(({ action }) => action);

    beforeEach(async () => {
      database = await driver.create();
      clock = new FakeClock(START_MS);
      store = await openControlStore(database.location, clock);
      committed = [];
      errors = [];
      ({ key: adminKey, id: adminKeyId } = await issueAdminKey(store.adminKeys, DEFAULT_SCOPE, 'first', PEPPER, START_MS));
      const scope = DEFAULT_SCOPE;
      const access = createAdminAccess({
        adminKeys: store.adminKeys,
        sessions: store.sessions,
        pepperHex: PEPPER,
        clock,
        scope,
        environmentAdminKey: ENVIRONMENT_KEY,
      });
      const throttle = new LoginThrottle(clock);
      const targets = { features: () => ['support', 'billing'], models: () => ['default', 'gpt-5-mini'] };
      const catalogue = {
        list: () => [
          {
            name: 'support',
            owner: null,
            costOwner: null,
            description: null,
            route: 'default',
            targets: ['gpt-5-mini'],
            payloads: 'full' as const,
            unpricedTargets: [],
            refusedTargets: [],
            modelNotices: [],
            kpi: null,
          },
        ],
      };
      const servicesOver = (stores: ControlStores) => {
        const keys = createKeyService({ store: stores.keys, staticKeys: { list: () => [STATIC_KEY] }, targets, pepperHex: PEPPER, clock });
        const sessions = createSessionService({ store: stores.sessions, access, throttle, pepperHex: PEPPER, clock });
        const featureSwitches = createFeatureSwitchService({
          store: stores.featureSwitches,
          eventLog: stores.eventLog,
          catalogue,
          nameOf: (tenant, actor) => actorName(stores.adminKeys, tenant, actor),
          clock,
        });
        const features = createFeatureService(catalogue, keys, featureSwitches);
        return { keys, sessions, features, featureSwitches, eventLog: stores.eventLog };
      };
      const router = createRouter([...identityRoutes, ...featureRoutes, ...eventLogRoutes], {
        services: servicesOver(store),
        transaction: (work) => store.transaction((tx) => work({ services: servicesOver(tx), audit: tx.audit })),
        authenticate: access.authenticate,
        defaultScope: DEFAULT_SCOPE,
        clock,
        onCommitted: (entry) => void committed.push(entry.action),
        onError: (error) => errors.push(`${error.message} ${error.cause}`),
        validateResponses: true,
      });
      server = createServer((request, response) => void router.handle(request, response)).listen(0, '127.0.0.1');
      await once(server, 'listening');
    });
    afterEach(async () => {
      server.close();
      server.closeAllConnections();
      await store.close();
      await database.remove();
    });

    it('creates a key that is shown once, lists and revokes it, and audits each change', async () => {
      const draft = { name: 'widget', feature: 'support', team: 'care', models: ['default'], expiresAt: START_MS + HOUR_MS };
      const created = await call('POST', '/keys', draft);
      assert.equal(created.status, 201);
      const { key, id, ...shown } = created.json;
      assert.ok(isWellFormedKey(key, 'plk'));
      assert.equal(created.headers.get('location'), `/api/v1/keys/${id}`);
      assert.deepEqual(shown, {
        ...draft,
        prefix: key.slice(4, 12),
        createdAt: START_MS,
        revokedAt: null,
        lastUsedAt: null,
        rotatedFrom: null,
        source: 'api',
      });
      const stored = await store.keys.get(DEFAULT_SCOPE, id);
      assert.deepEqual([stored?.hmac, stored?.createdBy], [keyHmac(PEPPER, key), adminKeyId]);

      const list = await call('GET', '/keys');
      assert.deepEqual(
        list.json.keys.map((view: { id: string; source: string }) => [view.id, view.source]),
        [
          ['config:dev', 'config'],
          [id, 'api'],
        ],
      );
      assert.ok(!JSON.stringify(list.json).includes(key) && !JSON.stringify(list.json).includes(stored?.hmac ?? '?'));

      assert.equal((await call('DELETE', `/keys/${id}`)).status, 204);
      await clock.advance(1000);
      assert.equal((await call('DELETE', `/keys/${id}`)).status, 204, 'again is harmless');
      assert.equal((await store.keys.get(DEFAULT_SCOPE, id))?.revokedAtMs, START_MS);
      assert.equal((await call('DELETE', '/keys/unknown')).status, 404);

      const entries = await store.audit.list(DEFAULT_SCOPE, { afterSequence: 0, limit: 10 });
      assert.deepEqual(
        entries.map(({ action, subject, actor }) => [action, subject, actor.id]),
        [
          ['key.created', `key/${id}`, adminKeyId],
          ['key.revoked', `key/${id}`, adminKeyId],
          ['key.revoked', `key/${id}`, adminKeyId],
        ],
      );
      assert.ok(!JSON.stringify(entries).includes(key), 'the audit log never holds the secret');
      assert.deepEqual(committed, ['key.created', 'key.revoked', 'key.revoked']);
    });

    it('lets nothing of a change stay when its audit entry cannot be written', async () => {
      await database.execute('ALTER TABLE audit_outbox RENAME TO hidden');
      assert.equal((await call('POST', '/keys', { name: 'widget' })).status, 500);
      assert.match(errors[0] ?? '', /audit_outbox/);
      await database.execute('ALTER TABLE hidden RENAME TO audit_outbox');
      assert.deepEqual((await store.keys.list(DEFAULT_SCOPE, { feature: null, beforeId: null, limit: 9 })).length, 0);
      assert.deepEqual([await auditActions(), committed], [[], []]);
    });

    it('writes no audit entry for a change that failed', async () => {
      // The first step of a rotation succeeds (the old key ends), the second cannot.
      const { json } = await call('POST', '/keys', { name: 'widget' });
      await database.execute('CREATE UNIQUE INDEX one_name ON virtual_keys (name)');
      assert.equal((await call('POST', `/keys/${json.id}/rotate`)).status, 409);
      assert.equal((await store.keys.get(DEFAULT_SCOPE, json.id))?.revokedAtMs, null, 'the old key still works');
      assert.deepEqual([await auditActions(), committed], [['key.created'], ['key.created']]);
    });

    it('rotates: the new key has the same rights, the old one ends after the grace', async () => {
      const { json: old } = await call('POST', '/keys', { name: 'widget', feature: 'support', models: ['default'] });
      const rotated = await call('POST', `/keys/${old.id}/rotate`, { graceMs: HOUR_MS });
      assert.equal(rotated.status, 201);
      assert.notEqual(rotated.json.key, old.key);
      assert.deepEqual(
        [rotated.json.name, rotated.json.feature, rotated.json.models, rotated.json.rotatedFrom],
        ['widget', 'support', ['default'], old.id],
      );
      assert.equal((await store.keys.get(DEFAULT_SCOPE, old.id))?.revokedAtMs, START_MS + HOUR_MS);
      assert.equal((await call('POST', `/keys/${old.id}/rotate`)).status, 409, 'once only');
      assert.equal((await call('POST', '/keys/unknown/rotate')).status, 404);
      const racers = await Promise.all(Array.from({ length: 5 }, () => call('POST', `/keys/${rotated.json.id}/rotate`)));
      assert.deepEqual(racers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409]);
    });

    it('refuses to change a key of plimsoll.yaml, and says where it is', async () => {
      for (const [method, path] of [
        ['DELETE', '/keys/config:dev'],
        ['POST', '/keys/config:dev/rotate'],
      ] as const) {
        const { status, json } = await call(method, path);
        assert.equal(status, 409);
        assert.match(json.detail, /plimsoll\.yaml:42/);
      }
    });

    it('names what is wrong with a draft', async () => {
      const detail = async (draft: object) => (await call('POST', '/keys', { name: 'x', ...draft })).json.detail;
      assert.match(await detail({ feature: 'suport' }), /feature: "suport".*Did you mean "support"\?/);
      assert.match(await detail({ models: ['default', 'gpt-5-mni'] }), /models\[1\]: "gpt-5-mni".*Did you mean "gpt-5-mini"\?/);
      assert.match(await detail({ expiresAt: START_MS - 1 }), /expiresAt: 2026-01-04.* is in the past/);
      assert.match(await detail({ expires: 1 }), /body\.expires is not known/);
      assert.match(await detail({ name: ' ' }), /body\.name/);
      assert.deepEqual(await auditActions(), []);
    });

    it('lists in pages: static keys lead the first, nothing twice', async () => {
      const made: string[] = [];
      for (let i = 0; i < 5; i++) {
        made.unshift((await call('POST', '/keys', { name: `key ${i}`, feature: i % 2 === 0 ? 'support' : 'billing' })).json.id);
        await clock.advance(10);
      }
      const pages: string[][] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const { json } = await call('GET', `/keys?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
        pages.push(json.keys.map(({ id }: { id: string }) => id));
        cursor = json.nextCursor;
      }
      assert.deepEqual(pages, [['config:dev', ...made.slice(0, 2)], made.slice(2, 4), made.slice(4)]);
      assert.equal((await call('GET', '/keys?feature=billing')).json.keys.length, 2);
      const { json } = await call('GET', '/features');
      assert.equal(json.features[0].keyCount, 4, 'three made and one static');
      assert.equal(json.features[0].warnings.length, 3);
    });

    it('takes an admin key or PLIMSOLL_ADMIN_KEY, and says why another is refused', async () => {
      const withKey = (key: string) => call('GET', '/keys', undefined, { authorization: `Bearer ${key}` });
      assert.equal((await withKey(ENVIRONMENT_KEY)).status, 200);
      assert.equal((await withKey(`${ENVIRONMENT_KEY}x`)).status, 401);
      assert.match((await withKey(createKey('plk', 0).key)).json.detail, /virtual key/);
      assert.match((await withKey(`${adminKey.slice(0, -1)}${adminKey.endsWith('0') ? '1' : '0'}`)).json.detail, /typo/);
      assert.match((await withKey(createKey('pla', 0).key)).json.detail, /unknown or revoked/);
      assert.equal((await call('GET', '/keys', undefined, {})).status, 401);
      assert.equal((await call('GET', '/keys', undefined, { authorization: 'Basic eDp5' })).status, 401);
      assert.equal((await withKey(adminKey)).status, 200);
      await store.adminKeys.revoke(DEFAULT_SCOPE, adminKeyId, START_MS);
      assert.equal((await withKey(adminKey)).status, 401);
    });

    it('logs in to a session that slides to 12 hours, ends after 7 days, and dies with its key', async () => {
      const login = await call('POST', '/sessions', { adminKey }, {});
      assert.equal(login.status, 201);
      const setCookie = login.headers.get('set-cookie') ?? '';
      assert.match(setCookie, /^plimsoll_session=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/);
      const cookie = setCookie.split(';')[0] ?? '';
      assert.ok(
        !JSON.stringify(await store.audit.list(DEFAULT_SCOPE, { afterSequence: 0, limit: 9 })).includes(cookie.split('=')[1] ?? '?'),
      );
      const current = async () => call('GET', '/sessions/current', undefined, { cookie });
      assert.deepEqual((await current()).json.actor, { kind: 'admin_key', id: adminKeyId, name: 'first' });
      assert.equal((await current()).json.expiresAt, START_MS + 12 * HOUR_MS);
      assert.equal((await call('POST', '/keys', { name: 'x' }, { cookie })).status, 403, 'CSRF');
      assert.equal((await call('POST', '/keys', { name: 'x' }, { cookie, 'x-plimsoll-csrf': '1' })).status, 201);
      for (let turn = 0; turn < 15; turn++) {
        await clock.advance(11 * HOUR_MS);
        assert.equal((await current()).status, 200, `used every 11 hours it lives (${turn})`);
      }
      await clock.advance(3 * HOUR_MS);
      assert.equal((await current()).status, 401, 'seven days are the end');

      const second = (await call('POST', '/sessions', { adminKey }, {})).headers.get('set-cookie')?.split(';')[0] ?? '';
      await clock.advance(12 * HOUR_MS);
      assert.equal((await call('GET', '/sessions/current', undefined, { cookie: second })).status, 401, 'idle for 12 hours');
      const third = (await call('POST', '/sessions', { adminKey }, {})).headers.get('set-cookie')?.split(';')[0] ?? '';
      await store.adminKeys.revoke(DEFAULT_SCOPE, adminKeyId, clock.nowMs());
      assert.equal((await call('GET', '/sessions/current', undefined, { cookie: third })).status, 401);
      const byEnvironment =
        (await call('POST', '/sessions', { adminKey: ENVIRONMENT_KEY }, {})).headers.get('set-cookie')?.split(';')[0] ?? '';
      assert.equal((await call('GET', '/sessions/current', undefined, { cookie: byEnvironment })).json.actor.name, 'PLIMSOLL_ADMIN_KEY');
    });

    it('pauses, throttles and resumes a feature, each with an audit entry and an event, and shows who, why and until when', async () => {
      const switches = '/features/support/switches';
      assert.equal((await call('DELETE', switches)).status, 404, 'nothing to end');
      const paused = await call('POST', switches, { kind: 'pause', reason: 'INC-1', forMs: HOUR_MS });
      assert.equal(paused.status, 201, JSON.stringify(paused.json));
      assert.deepEqual(
        [paused.json.setBy, paused.json.expiresAt, paused.json.isInForce, paused.json.reason],
        ['first', START_MS + HOUR_MS, true, 'INC-1'],
      );
      assert.deepEqual((await call('GET', '/features')).json.features[0].switch, paused.json);
      await clock.advance(1000);
      const throttled = await call('POST', switches, { kind: 'throttle', reason: 'half way', shareRatio: 0.5 });
      assert.equal(throttled.json.shareRatio, 0.5);
      await clock.advance(1000);
      const resumed = await call('DELETE', `${switches}?reason=done`);
      assert.deepEqual([resumed.json.id, resumed.json.endReason, resumed.json.isInForce], [throttled.json.id, 'done', false]);
      assert.equal((await call('GET', '/features')).json.features[0].switch, null);
      const { switches: history } = (await call('GET', switches)).json;
      assert.deepEqual(
        history.map(({ kind, endReason, endedBy }: Record<string, unknown>) => [kind, endReason, endedBy]),
        [
          ['throttle', 'done', 'first'],
          ['pause', 'replaced', 'first'],
        ],
      );
      assert.deepEqual(await auditActions(), ['feature.paused', 'feature.throttled', 'feature.resumed']);
      assert.deepEqual(committed, ['feature.paused', 'feature.throttled', 'feature.resumed']);
      const { events } = (await call('GET', '/events?subject=feature/support')).json;
      assert.deepEqual(
        events.map(({ name }: { name: string }) => name),
        ['feature.resumed', 'feature.throttled', 'feature.paused'],
      );
      assert.match(events[2].message, /support was paused by first until 2026-01-05T01:00:00.000Z: INC-1/);
    });

    it('refuses switches that make no sense, and leaves nothing of them behind', async () => {
      const pause = { kind: 'pause', reason: 'x' };
      for (const [path, body, status] of [
        ['suport', pause, 404],
        ['support', { kind: 'pause' }, 400],
        ['support', { ...pause, reason: '  ' }, 400],
        ['support', { ...pause, shareRatio: 0.5 }, 400],
        ['support', { ...pause, kind: 'throttle' }, 400],
        ['support', { ...pause, kind: 'throttle', shareRatio: 0.5, requestsPerSecond: 1 }, 400],
        ['support', { ...pause, kind: 'throttle', shareRatio: 1 }, 400],
        ['support', { ...pause, kind: 'throttle', requestsPerSecond: -1 }, 400],
        ['support', { ...pause, forMs: HOUR_MS, expiresAt: START_MS + HOUR_MS }, 400],
        ['support', { ...pause, expiresAt: START_MS }, 400],
        ['support', { ...pause, untill: 5 }, 400],
      ] as const) {
        const reply = await call('POST', `/features/${path}/switches`, body);
        assert.equal(reply.status, status, JSON.stringify([body, reply.json]));
        if (path === 'suport') assert.match(reply.json.detail, /Did you mean "support"/);
      }
      assert.equal((await call('POST', '/features/support/switches', pause, {})).status, 401);
      assert.deepEqual((await call('GET', '/features/support/switches')).json, { switches: [], nextCursor: null });
      assert.deepEqual(await auditActions(), []);
      assert.deepEqual((await call('GET', '/events')).json.events, []);
    });

    it('logs out: the session is gone and the cookie is cleared', async () => {
      const cookie = (await call('POST', '/sessions', { adminKey }, {})).headers.get('set-cookie')?.split(';')[0] ?? '';
      const out = await call('DELETE', '/sessions/current', undefined, { cookie, 'x-plimsoll-csrf': '1' });
      assert.equal(out.status, 204);
      assert.match(out.headers.get('set-cookie') ?? '', /^plimsoll_session=; .*Max-Age=0/);
      assert.equal((await call('GET', '/sessions/current', undefined, { cookie })).status, 401);
      assert.equal((await call('DELETE', '/sessions/current')).status, 204, 'with a bearer key there is none to end');
      assert.deepEqual(await auditActions(), ['session.opened', 'session.closed', 'session.closed']);
    });

    it('throttles failed logins, also against the right key, and recovers', async () => {
      const wrong = createKey('pla', 0).key;
      for (let i = 0; i < 10; i++) assert.equal((await call('POST', '/sessions', { adminKey: wrong }, {})).status, 401);
      const limited = await call('POST', '/sessions', { adminKey }, {});
      assert.equal(limited.status, 429);
      assert.equal(limited.headers.get('retry-after'), '60');
      await clock.advance(60_000);
      assert.equal((await call('POST', '/sessions', { adminKey }, {})).status, 201);
      assert.deepEqual(await auditActions(), ['session.opened']);
    });

    it('refuses a PLIMSOLL_ADMIN_KEY that cannot be one', () => {
      for (const environmentAdminKey of [
        '',
        'short',
        'with white space in it',
        `${createKey('pla', 0).key}x`,
        `pla_${'A'.repeat(43)}_000000`,
      ]) {
        const options = {
          adminKeys: store.adminKeys,
          sessions: store.sessions,
          pepperHex: PEPPER,
          clock,
          scope: DEFAULT_SCOPE,
          environmentAdminKey,
        };
        assert.throws(
          () => createAdminAccess(options),
          (thrown: PlimsollError) => thrown.code === 'config_invalid',
        );
      }
    });

    it('describes all of it in OpenAPI', () => {
      const document = openApiDocument([...identityRoutes, ...featureRoutes], { version: '0', serverUrl: '/' });
      assert.deepEqual(Object.keys(document.paths ?? {}).sort(), [
        '/api/v1/features',
        '/api/v1/features/{name}/switches',
        '/api/v1/keys',
        '/api/v1/keys/{id}',
        '/api/v1/keys/{id}/rotate',
        '/api/v1/sessions',
        '/api/v1/sessions/current',
      ]);
      assert.ok(document.components?.schemas?.KeyView);
    });
  });
}
