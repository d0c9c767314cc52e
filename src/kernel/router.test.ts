import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { FakeClock } from './clock.ts';
import { PlimsollError } from './errors.ts';
import { createRouter, type RouterOptions } from './router.ts';
import type { Authentication } from './router-authentication.ts';
import { defineRoute, FileAnswer, type Route, RouteAnswer } from './routes.ts';
import { type AuditEntry, DEFAULT_SCOPE, type Grant } from './scope.ts';

interface Services {
  readonly name: string;
}
const route = defineRoute<Services>();

const ITEM = z.strictObject({
  name: z.string().min(2),
  size: z.enum(['small', 'large']).optional(),
  nested: z.strictObject({ depth: z.int() }).optional(),
  secretToken: z.string().max(3).optional(),
});

const ROUTES: Route<Services>[] = [
  route({
    method: 'GET',
    path: '/api/v1/items',
    summary: 'List',
    permission: 'items:read',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(9).default(5), tag: z.array(z.string()).or(z.string()).optional() }),
    response: z.object({ query: z.unknown(), amount: z.bigint(), by: z.string() }),
    handler: ({ query, services }) => ({ query, amount: 12345678901234567890n, by: services.name }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/items',
    summary: 'Create',
    permission: 'items:write',
    audit: 'item.created',
    status: 201,
    body: ITEM,
    response: z.object({ id: z.string(), by: z.string() }),
    handler: ({ body, services }) => {
      if (body.name === 'broken') throw new Error('internal secret');
      return { id: `id of ${body.name}`, by: services.name };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/items/current',
    summary: 'Fixed',
    permission: 'public',
    response: z.string(),
    handler: () => 'the fixed one',
  }),
  route({
    method: 'GET',
    path: '/api/v1/items/:id',
    summary: 'One',
    permission: 'items:read',
    params: z.strictObject({ id: z.string().max(20) }),
    response: z.object({ id: z.string() }),
    handler: ({ params }) => params,
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/items/:id',
    summary: 'Remove',
    permission: 'items:write',
    audit: 'item.removed',
    status: 204,
    params: z.strictObject({ id: z.string() }),
    response: z.null(),
    handler: ({ params }) => new RouteAnswer(null, { 'x-removed': params.id }, { subject: `item/${params.id}`, details: { why: 'asked' } }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/leak',
    summary: 'Leak',
    permission: 'public',
    response: z.object({ rows: z.array(z.object({ id: z.string() })) }),
    handler: () => ({ rows: [{ id: 'a', hmac: 'oops' }] }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/limited',
    summary: 'Limited',
    permission: 'public',
    response: z.null(),
    handler: () => {
      throw new PlimsollError('rate_limited', 'slow', { details: { retryAfterSeconds: 7 } });
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/file',
    summary: 'A file',
    permission: 'items:read',
    query: z.strictObject({ isBroken: z.stringbool().default(false) }),
    fileTypes: ['text/csv'],
    response: z.string(),
    handler: ({ query }) =>
      new FileAnswer(
        'text/csv',
        'items.csv',
        Readable.from(
          (async function* () {
            yield Buffer.from('a,b\n');
            if (query.isBroken) throw new Error('the source is gone');
            yield Buffer.from('1,2\n');
          })(),
        ),
        { 'x-rows': '1' },
      ),
  }),
  route({
    method: 'GET',
    path: '/api/v1/who',
    summary: 'Who',
    permission: 'public',
    response: z.unknown(),
    handler: ({ isSecure, remoteAddress, actor }) => ({ isSecure, remoteAddress, actor: actor.id }),
  }),
];

const ACTORS: Record<string, { grants: Grant[]; isCookie: boolean }> = {
  all: { grants: ['*'], isCookie: false },
  reader: { grants: ['items:read'], isCookie: false },
  browser: { grants: ['*'], isCookie: true },
};

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into answers of many shapes
  readonly json: any;
}

async function listen(options: Partial<RouterOptions<Services>> = {}) {
  const audited: AuditEntry[] = [];
  const committed: string[] = [];
  const errors: string[] = [];
  const router = createRouter(ROUTES, {
    services: { name: 'outside' },
    async transaction(work) {
      const entries: AuditEntry[] = [];
      const result = await work({
        services: { name: 'transaction' },
        audit: { record: async (_scope, entry) => void entries.push(entry) },
      });
      audited.push(...entries);
      return result;
    },
    async authenticate(headers): Promise<Authentication | null> {
      if (headers.authorization === undefined) return null;
      const known = ACTORS[headers.authorization];
      if (known === undefined) throw new PlimsollError('unauthenticated', 'unknown key');
      return {
        actor: { kind: 'user', id: headers.authorization, organisationId: 'default', grants: known.grants },
        scope: DEFAULT_SCOPE,
        isCookie: known.isCookie,
      };
    },
    defaultScope: DEFAULT_SCOPE,
    clock: new FakeClock(1000),
    onCommitted: (entry) => void committed.push(entry.action),
    onError: (error) => errors.push(error.cause instanceof Error ? error.cause.message : error.message),
    bodyLimits: { maxBytes: 1000, maxDepth: 5 },
    validateResponses: true,
    ...options,
  });
  const server = createServer((request, response) => void router.handle(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = (server.address() as AddressInfo).port;
  const call = async (
    method: string,
    path: string,
    init: { headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> | object; as?: string } = {},
  ): Promise<Reply> => {
    const { as = 'all', body } = init;
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        ...(as === '' ? {} : { authorization: as }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...init.headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: /json/.test(response.headers.get('content-type') ?? '') && text !== '' ? JSON.parse(text) : null,
    };
  };
  return { server, port, call, audited, committed, errors };
}

describe('createRouter: the table', () => {
  const broken =
    (changes: Partial<Route<Services>>): (() => void) =>
    () =>
      void createRouter([...ROUTES, { ...(ROUTES[0] as Route<Services>), path: '/api/v1/new', ...changes }], {} as RouterOptions<Services>);
  for (const [what, changes, message] of [
    ['a duplicate', { path: '/api/v1/items' }, /GET \/api\/v1\/items is declared twice/],
    [
      'a duplicate under another parameter name',
      { path: '/api/v1/items/:other', params: z.object({ other: z.string() }) },
      /declared twice \(also as GET \/api\/v1\/items\/:id\)/,
    ],
    ['a route without a permission', { permission: undefined as unknown as Grant }, /declares no permission/],
    ['an empty permission', { permission: '' as Grant }, /declares no permission/],
    ['a change without an audit action', { method: 'POST' }, /declares no audit action/],
    ['a GET with an audit action', { audit: 'a.b' }, /GET must change nothing/],
    ['an audit action of another form', { method: 'POST', audit: 'Created' }, /not "noun.verb"/],
    ['path parameters without a schema', { path: '/api/v1/new/:id' }, /parameters \[id\] in its path and \[\] in its schema/],
    ['parameters that differ from the path', { path: '/api/v1/new/:id', params: z.object({ key: z.string() }) }, /\[id\].*\[key\]/],
    ['a malformed path', { path: '/api/v1/New//x' }, /malformed path/],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(broken(changes as Partial<Route<Services>>), message));
  }
});

describe('createRouter: requests', () => {
  let server: Server;
  let context: Awaited<ReturnType<typeof listen>>;
  before(async () => {
    context = await listen();
    server = context.server;
  });
  after(() => server.close());

  it('answers JSON with bigints as texts, never cached', async () => {
    const { status, headers, json } = await context.call('GET', '/api/v1/items?limit=3&tag=a&tag=b');
    assert.equal(status, 200);
    assert.deepEqual(json, { query: { limit: 3, tag: ['a', 'b'] }, amount: '12345678901234567890', by: 'outside' });
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('content-type'), 'application/json');
  });

  it('sends a file as it comes, asks for the right, and breaks the connection when its source fails', async () => {
    const { status, headers, text } = await context.call('GET', '/api/v1/file');
    assert.deepEqual([status, text, headers.get('x-rows'), headers.get('content-type')], [200, 'a,b\n1,2\n', '1', 'text/csv']);
    assert.equal(headers.get('content-disposition'), 'attachment; filename="items.csv"');
    const head = await context.call('HEAD', '/api/v1/file');
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal((await context.call('GET', '/api/v1/file', { as: '' })).status, 401);
    await assert.rejects(context.call('GET', '/api/v1/file?isBroken=true'), 'a part is never taken for the whole');
    assert.match(context.errors.at(-1) ?? '', /the source is gone/);
  });

  it('prefers fixed words to parameters, and decodes parameters', async () => {
    assert.equal((await context.call('GET', '/api/v1/items/current', { as: '' })).json, 'the fixed one');
    assert.deepEqual((await context.call('GET', '/api/v1/items/a%2Fb%20%C3%BC')).json, { id: 'a/b ü' });
    assert.equal((await context.call('GET', '/api/v1/items/%E0%A4')).json.code, 'invalid_argument');
    assert.equal((await context.call('GET', '/api/v1/items/%00')).json.code, 'invalid_argument');
    assert.equal((await context.call('GET', '/api/v1/items/')).json.code, 'not_found');
    assert.match((await context.call('GET', `/api/v1/items/${'x'.repeat(21)}`)).json.detail, /^path\.id is "x+": .*20/);
  });

  it('answers HEAD as GET without a body, OPTIONS and 405 with allow, 404 with a hint', async () => {
    const head = await context.call('HEAD', '/api/v1/items');
    assert.deepEqual([head.status, head.text, Number(head.headers.get('content-length')) > 10], [200, '', true]);
    const options = await context.call('OPTIONS', '/api/v1/items/7', { as: '' });
    assert.deepEqual([options.status, options.headers.get('allow')], [204, 'DELETE, GET, HEAD, OPTIONS']);
    const wrong = await context.call('PUT', '/api/v1/items');
    assert.deepEqual([wrong.status, wrong.headers.get('allow'), wrong.json.code], [405, 'GET, HEAD, OPTIONS, POST', 'method_not_allowed']);
    const missing = await context.call('GET', '/api/v1/nothing');
    assert.deepEqual([missing.status, missing.headers.get('content-type')], [404, 'application/problem+json']);
    assert.match(missing.json.fix, /./);
  });

  it('is closed by default: no key, a wrong key, a right that is missing', async () => {
    const none = await context.call('GET', '/api/v1/items', { as: '' });
    assert.deepEqual([none.status, none.headers.get('www-authenticate')], [401, 'Bearer realm="plimsoll"']);
    assert.equal((await context.call('GET', '/api/v1/items', { as: 'wrong' })).status, 401);
    assert.equal((await context.call('GET', '/api/v1/items', { as: 'reader' })).status, 200);
    const denied = await context.call('POST', '/api/v1/items', { as: 'reader', body: { name: 'ab' } });
    assert.equal(denied.status, 403);
    assert.match(denied.json.detail, /"items:write"/);
  });

  it('names field, value and fix of everything that is wrong at once', async () => {
    const { status, json } = await context.call('POST', '/api/v1/items', {
      body: { nmae: 'x', size: 'lage', nested: { detph: 1 }, secretToken: 'hunter2' },
    });
    assert.equal(status, 400);
    const byField = new Map<string, { message: string; suggestion: string | null }>(
      json.details.issues.map((issue: { field: string }) => [issue.field, issue]),
    );
    assert.equal(byField.get('body.name')?.message, 'is missing');
    assert.equal(byField.get('body.nmae')?.suggestion, 'name');
    assert.match(byField.get('body.nmae')?.message ?? '', /did you mean "name"\?/);
    assert.match(byField.get('body.size')?.message ?? '', /is "lage"; takes small, large; did you mean "large"\?/);
    assert.equal(byField.get('body.nested.detph')?.suggestion, 'depth');
    assert.equal(byField.get('body.nested.depth')?.message, 'is missing');
    assert.ok(byField.has('body.secretToken'));
    assert.ok(!JSON.stringify(json).includes('hunter2'), 'a value that may be a secret is not repeated');
  });

  it('takes known query parameters only, and no empty ones', async () => {
    assert.match((await context.call('GET', '/api/v1/items?limt=3')).json.detail, /query\.limt is not known; did you mean "limit"\?/);
    assert.match((await context.call('GET', '/api/v1/items?limit=')).json.detail, /query\.limit is empty/);
    assert.match((await context.call('GET', '/api/v1/items?limit=50')).json.detail, /query\.limit is "50": /);
    assert.match((await context.call('GET', '/api/v1/items?limit=1&limit=2')).json.detail, /query\.limit/);
    assert.equal((await context.call('GET', '/api/v1/items?__proto__=1')).status, 400);
    assert.match((await context.call('GET', '/api/v1/items/7?x=1')).json.detail, /takes no query parameters; got x/);
  });

  it('refuses bodies that are no JSON, of another type, compressed, too deep, too large, or not wanted', async () => {
    const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      context.call('POST', '/api/v1/items', { body, headers });
    assert.match((await post('{"name": "ab"')).json.detail, /not JSON/);
    assert.equal((await post('{"name":"ab"}', { 'content-type': 'text/plain' })).status, 415);
    assert.equal((await post('{"name":"ab"}', { 'content-type': 'application/json; charset=latin1' })).status, 415);
    assert.equal((await post('{"name":"ab"}', { 'content-type': 'application/json; charset=UTF-8' })).status, 201);
    assert.equal((await post('{"name":"ab"}', { 'content-encoding': 'gzip' })).status, 415);
    assert.match((await post(new Uint8Array([0x22, 0xc3, 0x28, 0x22]))).json.detail, /UTF-8/);
    assert.match((await post('['.repeat(6) + ']'.repeat(6))).json.detail, /deeper than 5/);
    assert.match((await post(`{"name":"${'['.repeat(50)}"}`)).text, /id of \[\[/, 'brackets inside a text are no depth');
    assert.match((await post('{"name":"\\"[[[[[[[["}')).text, /id of/, 'nor behind an escaped quote');
    assert.equal((await post(`{"name":"${'x'.repeat(1000)}"}`)).status, 413);
    assert.match((await post('{"name":"ab","__proto__":{"x":1}}')).json.detail, /__proto__/);
    assert.match((await post('{"name":"ab","nested":{"__proto__":1,"depth":1}}')).json.detail, /body\.nested holds the key "__proto__"/);
    assert.match((await post('{"name":"a\\u0000b"}')).json.detail, /body\.name holds a NUL/);
    assert.match((await context.call('POST', '/api/v1/items')).json.detail, /body is missing/);
    assert.match((await context.call('DELETE', '/api/v1/items/7', { body: { a: 1 } })).json.detail, /takes no body/);
  });

  it('stops a body without a length at the limit and still answers', async () => {
    const request = httpRequest({
      port: context.port,
      method: 'POST',
      path: '/api/v1/items',
      headers: { authorization: 'all', 'content-type': 'application/json' },
    });
    const answered = once(request, 'response');
    for (let i = 0; i < 20; i++) request.write('x'.repeat(100));
    const [response] = await answered;
    assert.equal(response.statusCode, 413);
    request.end();
    response.resume();
    await once(response, 'end');
  });

  it('survives a client that leaves in the middle of its body', async () => {
    const socket = connect(context.port, '127.0.0.1');
    socket.write(
      'POST /api/v1/items HTTP/1.1\r\nhost: x\r\nauthorization: all\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"na',
    );
    await once(socket, 'connect');
    socket.destroy();
    assert.equal((await context.call('GET', '/api/v1/items')).status, 200);
  });

  it('runs a change in the transaction, writes its audit entry there, and tells of the commit', async () => {
    context.audited.length = 0;
    context.committed.length = 0;
    const created = await context.call('POST', '/api/v1/items', { body: { name: 'ab' } });
    assert.deepEqual([created.status, created.json], [201, { id: 'id of ab', by: 'transaction' }]);
    const removed = await context.call('DELETE', '/api/v1/items/7');
    assert.deepEqual([removed.status, removed.text, removed.headers.get('x-removed')], [204, '', '7']);
    assert.deepEqual(
      context.audited.map(({ action, subject, details, atMs, actor }) => [action, subject, details, atMs, actor.id]),
      [
        ['item.created', 'item/id of ab', {}, 1000, 'all'],
        ['item.removed', 'item/7', { why: 'asked' }, 1000, 'all'],
      ],
    );
    assert.deepEqual(context.committed, ['item.created', 'item.removed']);
  });

  it('hides what an unexpected error says, and reports it', async () => {
    context.errors.length = 0;
    const { status, json, text } = await context.call('POST', '/api/v1/items', { body: { name: 'broken' } });
    assert.deepEqual([status, json.code], [500, 'internal']);
    assert.ok(!text.includes('internal secret'));
    assert.match(json.instance, /^urn:uuid:/);
    assert.deepEqual(context.errors, ['internal secret']);
  });

  it('finds answers with fields that the schema does not have', async () => {
    context.errors.length = 0;
    const { status, text } = await context.call('GET', '/api/v1/leak');
    assert.equal(status, 500);
    assert.ok(!text.includes('oops'));
    assert.match(context.errors[0] ?? '', /answer\.rows\[0\]\.hmac is not in the schema/);
  });

  it('sends retry-after', async () => {
    const { status, headers } = await context.call('GET', '/api/v1/limited');
    assert.deepEqual([status, headers.get('retry-after')], [429, '7']);
  });

  it('wants proof of our own page for changes under a cookie', async () => {
    const change = (headers: Record<string, string>) => context.call('DELETE', '/api/v1/items/7', { as: 'browser', headers });
    const host = `127.0.0.1:${context.port}`;
    assert.equal((await change({})).status, 403);
    assert.equal((await change({ origin: 'https://evil.example' })).status, 403);
    assert.equal((await change({ origin: 'null' })).status, 403);
    assert.equal((await change({ origin: `http://${host}.evil.example` })).status, 403);
    assert.equal((await change({ 'content-type': 'application/json' })).status, 403);
    assert.equal((await change({ origin: `http://${host}` })).status, 204);
    assert.equal((await change({ 'x-plimsoll-csrf': '1' })).status, 204);
    assert.equal((await context.call('GET', '/api/v1/items', { as: 'browser', headers: { origin: 'https://evil.example' } })).status, 200);
  });

  it('believes forwarded headers only when it is told to', async () => {
    const headers = { 'x-forwarded-for': '6.6.6.6, 10.0.0.9', 'x-forwarded-proto': 'https' };
    assert.deepEqual((await context.call('GET', '/api/v1/who', { headers })).json, {
      isSecure: false,
      remoteAddress: '127.0.0.1',
      actor: 'anonymous',
    });
    const trusting = await listen({ trustsForwardedHeaders: true });
    assert.deepEqual((await trusting.call('GET', '/api/v1/who', { headers })).json, {
      isSecure: true,
      remoteAddress: '10.0.0.9',
      actor: 'anonymous',
    });
    trusting.server.close();
  });
});
