import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { openApiDocument } from './openapi.ts';
import { defineRoute } from './routes.ts';

const route = defineRoute<null>();
const Item = z.object({ id: z.string().describe('The id'), size: z.int().nullable() }).meta({ id: 'Item' });

describe('openApiDocument', () => {
  const document = openApiDocument(
    [
      route({
        method: 'GET',
        path: '/api/v1/items',
        summary: 'List items',
        permission: 'items:read',
        query: z.strictObject({ limit: z.coerce.number().int().max(9).default(5).describe('Most') }),
        response: z.object({ items: z.array(Item) }),
        handler: () => ({ items: [] }),
      }),
      route({
        method: 'POST',
        path: '/api/v1/items/:id/turn',
        summary: 'Turn',
        permission: 'public',
        audit: 'item.turned',
        status: 201,
        params: z.strictObject({ id: z.string() }),
        body: z.strictObject({ by: z.int() }).prefault({ by: 1 }),
        response: Item,
        handler: () => ({ id: '', size: null }),
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
        handler: () => null,
      }),
    ],
    { version: '1.2.3', serverUrl: '/' },
  );
  const operations = JSON.parse(JSON.stringify(document.paths));

  it('has every route with its parameters, body and answer', () => {
    assert.equal(document.openapi, '3.1.0');
    assert.deepEqual(Object.keys(operations), ['/api/v1/items', '/api/v1/items/{id}/turn', '/api/v1/items/{id}']);
    const list = operations['/api/v1/items'].get;
    assert.equal(list.operationId, 'getItems');
    assert.equal(list.parameters[0].name, 'limit');
    assert.equal(list.parameters[0].required ?? false, false);
    assert.equal(list.parameters[0].schema.type, 'integer');
    assert.equal(list.responses['200'].content['application/json'].schema.properties.items.items.$ref, '#/components/schemas/Item');
    const turn = operations['/api/v1/items/{id}/turn'].post;
    assert.equal(turn.operationId, 'postItemsByIdTurn');
    assert.deepEqual(
      turn.parameters.map((parameter: { in: string; name: string; required: boolean }) => [
        parameter.in,
        parameter.name,
        parameter.required,
      ]),
      [['path', 'id', true]],
    );
    assert.equal(turn.requestBody.required, false, 'a body with a prefault may be left out');
    assert.ok(turn.responses['201']);
    assert.equal(operations['/api/v1/items/{id}'].delete.responses['204'].content, undefined);
  });

  it('says who may call, and how errors look', () => {
    assert.deepEqual(operations['/api/v1/items'].get.security, [{ adminKey: [] }, { session: [] }]);
    assert.deepEqual(operations['/api/v1/items/{id}/turn'].post.security, []);
    const problem = operations['/api/v1/items'].get.responses['401'].content['application/problem+json'].schema;
    assert.equal(problem.$ref, '#/components/schemas/Problem');
    assert.deepEqual(Object.keys(document.components?.securitySchemes ?? {}), ['adminKey', 'session']);
    assert.ok(document.components?.schemas?.Problem);
  });
});
