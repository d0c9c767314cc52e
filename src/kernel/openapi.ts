import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { ERRORS, type ErrorCode } from './errors.ts';
import type { Method, Route } from './routes.ts';

export interface OpenApiInfo {
  readonly version: string;
  /** Base of the paths, e.g. `http://127.0.0.1:4000`; `/` for "the server that sent the document". */
  readonly serverUrl: string;
}

const Problem = z
  .object({
    type: z.string().describe('URI of the error in the reference'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What happened, with the values'),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    fix: z.string().describe('The next action for the owner'),
    owner: z.enum(['caller', 'upstream', 'operator', 'us']),
    retryable: z.boolean(),
    details: z.record(z.string(), z.unknown()).optional(),
    instance: z.string().describe('urn:uuid of this occurrence, also in the log'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });

const METHODS = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const satisfies Record<Method, string>;

function openApiPath(path: string): string {
  return path.replaceAll(/:([^/]+)/g, '{$1}');
}

/** `DELETE /api/v1/keys/:id` → `deleteKeysById`. */
function operationId(route: Route<never>): string {
  const words = route.path
    .slice('/api/v1/'.length)
    .split('/')
    .map((segment) => (segment.startsWith(':') ? `by-${segment.slice(1)}` : segment).replaceAll('.', '-'))
    .join('-')
    .split('-');
  return METHODS[route.method] + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function problem(description: string) {
  return { description, content: { 'application/problem+json': { schema: Problem } } };
}

function operation(route: Route<never>): ZodOpenApiOperationObject {
  const isPublic = route.permission === 'public';
  const takesInput = route.params !== null || route.query !== null || route.body !== null;
  return {
    operationId: operationId(route),
    summary: route.summary,
    tags: [route.path.split('/')[3] ?? 'api'],
    security: isPublic ? [] : [{ adminKey: [] }, { session: [] }],
    ...(isPublic ? {} : { description: `Permission: \`${route.permission}\`.` }),
    requestParams: {
      ...(route.params instanceof z.ZodObject ? { path: route.params } : {}),
      ...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
    },
    ...(route.body === null
      ? {}
      : { requestBody: { required: !route.body.safeParse(undefined).success, content: { 'application/json': { schema: route.body } } } }),
    responses: {
      [`${route.status}`]:
        route.status === 204
          ? { description: 'Done; no body' }
          : {
              description: 'Done',
              content: Object.fromEntries((route.fileTypes ?? ['application/json']).map((type) => [type, { schema: route.response }])),
            },
      ...(takesInput ? { '400': problem('A field is wrong; the detail names it, its value and what it takes') } : {}),
      ...(isPublic ? {} : { '401': problem('No valid key or session'), '403': problem('The actor lacks the permission') }),
      ...(route.params === null ? {} : { '404': problem('Nothing has this id or name') }),
      default: problem('Any other error'),
    },
  };
}

/** The OpenAPI 3.1 document of a route table: every schema, description and permission comes from the routes themselves. */
export function openApiDocument(routes: readonly Route<never>[], { version, serverUrl }: OpenApiInfo): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = openApiPath(route.path);
    paths[path] = { ...paths[path], [METHODS[route.method]]: operation(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'Plimsoll API', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: serverUrl }],
    paths,
    components: {
      securitySchemes: {
        adminKey: { type: 'http', scheme: 'bearer', description: 'An admin key, `pla_…`' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'plimsoll_session',
          description: 'Set by `POST /api/v1/sessions`. Changes under it also need `x-plimsoll-csrf: 1` or an Origin of the same host',
        },
      },
    },
  });
}
