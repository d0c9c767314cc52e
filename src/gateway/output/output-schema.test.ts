import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { cpuTimer } from '../../kernel/testing.ts';
import { OutputSchemas } from './output-schema.ts';
import { FEATURE_SCHEMA_LIMITS, REQUEST_SCHEMA_LIMITS, SchemaRefused } from './schema-guard.ts';
import { TooExpensive } from './work-budget.ts';

const schemas = new OutputSchemas();
const check = (schema: unknown, value: unknown) => schemas.get(schema, REQUEST_SCHEMA_LIMITS).check(value);
const refused = (schema: unknown, reason: RegExp, limits = REQUEST_SCHEMA_LIMITS) =>
  assert.throws(
    () => schemas.get(schema, limits),
    (thrown: Error) => (thrown instanceof SchemaRefused && reason.test(thrown.message)) || assert.fail(`${thrown.name}: ${thrown.message}`),
  );

describe('OutputSchemas', () => {
  it('checks what JSON schemas say, and names the place and the rule without the value', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        mail: { type: 'string', format: 'email' },
        state: { enum: ['open', 'closed'] },
        tags: { type: 'array', items: { $ref: '#/$defs/tag' }, uniqueItems: true },
      },
      required: ['mail'],
      additionalProperties: false,
      $defs: { tag: { type: 'string', pattern: '^[a-z]+$', maxLength: 5 } },
    };
    assert.equal(check(schema, { mail: 'a@b.example', state: 'open', tags: ['x', 'y'] }), null);
    for (const [value, error] of [
      [{}, "the answer must have required property 'mail'"],
      [{ mail: 'secret value' }, '/mail must match format "email"'],
      [{ mail: 'a@b.example', state: 'secret value' }, '/state must be one of ["open","closed"]'],
      [{ mail: 'a@b.example', tags: ['a', 'B'] }, '/tags/1 must match pattern "^[a-z]+$"'],
      [{ mail: 'a@b.example', tags: ['a', 'b', 'a'] }, '/tags must NOT have duplicate items'],
      [{ mail: 'a@b.example', 'secret value': 1 }, 'the answer must NOT have additional properties'],
      ['secret value', 'the answer must be object'],
    ] as const) {
      assert.equal(check(schema, value), error);
    }
  });

  it('agrees with plain ajv', () => {
    const { schema } = fc.letrec<{ schema: Record<string, unknown> }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(
          { type: 'string' },
          { type: 'integer', minimum: 1 },
          { const: 1 },
          { enum: ['a', 1, null] },
          { type: ['null', 'number'] },
          {},
        ),
        fc.record({ type: fc.constant('array'), items: tie('schema'), uniqueItems: fc.boolean(), maxItems: fc.nat(3) }),
        fc.record({
          type: fc.constant('array'),
          prefixItems: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
          items: fc.boolean(),
        }),
        fc.record({
          type: fc.constant('object'),
          properties: fc.record({ a: tie('schema'), b: tie('schema') }, { requiredKeys: [] }),
          required: fc.constantFrom([], ['a']),
          additionalProperties: fc.boolean(),
        }),
        fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
        fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
        fc.record({ not: tie('schema') }),
        // biome-ignore lint/suspicious/noThenProperty: the keyword is called that
        fc.record({ if: tie('schema'), then: tie('schema'), else: tie('schema') }),
      ),
    }));
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<unknown>('a', '', 1, 0, 1.5, null, true),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.record({ a: tie('value'), b: tie('value'), c: tie('value') }, { requiredKeys: [] }),
      ),
    }));
    fc.assert(
      fc.property(schema, fc.array(value, { minLength: 1, maxLength: 5 }), (wanted, values) => {
        const plain = new Ajv2020({ strict: false }).compile(wanted);
        for (const each of values) assert.equal(check(wanted, each) === null, plain(each), JSON.stringify([wanted, each]));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses what it cannot check, instead of checking less', () => {
    refused('text', /not an object/);
    refused({ $ref: 'https://example.com/schema.json' }, /point into the schema itself/);
    refused({ $ref: '#anchor' }, /point into the schema itself/);
    refused({ $ref: '#/$defs/nowhere' }, /cannot be compiled/);
    refused({ properties: { a: { $dynamicRef: '#x' } } }, /"\$dynamicRef" is not supported/);
    refused({ type: 'string', pattern: '(?=a)' }, /look-around/);
    refused({ patternProperties: { '(a)\\1': {} } }, /back references/);
    refused({ properties: { a: 5 } }, /should be a schema/);
    refused({ anyOf: {} }, /"anyOf" must be a list/);
    refused({ type: 'nonsense' }, /cannot be compiled/);
    refused({ properties: Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`p${index}`, {}])) }, /more than 200 subschemas/);
    refused({ enum: ['x'.repeat(40_000)] }, /larger than 32768 bytes/);
    let deep: Record<string, unknown> = {};
    for (let depth = 0; depth < 70; depth++) deep = { not: deep };
    refused(deep, /deeper than 64/);
    schemas.get({ enum: ['x'.repeat(40_000)] }, FEATURE_SCHEMA_LIMITS);
  });

  it('ends in bounded time whatever schema and answer ask for', () => {
    const spentMs = cpuTimer();
    const tooExpensive = (schema: unknown, value: unknown) => assert.throws(() => check(schema, value), TooExpensive);
    tooExpensive({ $ref: '#' }, 1);
    tooExpensive({ anyOf: [{ $ref: '#' }, false] }, 1);
    const branch = { properties: { a: { $ref: '#' } }, required: ['a'] };
    const twice = { anyOf: [branch, { ...branch, minProperties: 1 }] };
    let nested: unknown = {};
    for (let depth = 0; depth < 60; depth++) nested = { a: nested };
    tooExpensive(twice, nested);
    const chain: Record<string, unknown> = { s30: false };
    for (let index = 0; index < 30; index++)
      chain[`s${index}`] = { anyOf: [{ $ref: `#/$defs/s${index + 1}` }, { $ref: `#/$defs/s${index + 1}` }] };
    tooExpensive({ $ref: '#/$defs/s0', $defs: chain }, 1);
    const many = { allOf: Array.from({ length: 180 }, () => ({ minLength: 1 })) };
    tooExpensive(many, 'x'.repeat(1_000_000));
    tooExpensive({ type: 'string', format: 'email' }, 'a'.repeat(100_000));
    tooExpensive(
      { items: { pattern: '(a*)*b' } },
      Array.from({ length: 3000 }, () => `${'a'.repeat(1000)}b`),
    );
    assert.notEqual(check({ uniqueItems: true }, [...Array.from({ length: 100_000 }, (_, index) => index), 1]), null);
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    tooExpensive({ items: { $ref: '#' } }, deep);
    assert.ok(spentMs() < 20_000, `${Math.round(spentMs())} ms`);
    assert.equal(check({ type: 'string' }, 'fine'), null, 'and the next check starts afresh');
  });

  it('keeps compiled schemas, and no more than it should', () => {
    const own = new OutputSchemas();
    const one = own.get({ type: 'string' }, REQUEST_SCHEMA_LIMITS);
    assert.equal(own.get({ type: 'string' }, REQUEST_SCHEMA_LIMITS), one);
    for (let index = 0; index < 200; index++) own.get({ const: index }, REQUEST_SCHEMA_LIMITS);
    assert.notEqual(own.get({ type: 'string' }, REQUEST_SCHEMA_LIMITS), one);
    own.get({ $defs: { a: { const: 'other' } } }, REQUEST_SCHEMA_LIMITS);
    assert.equal(
      own.get({ $ref: '#/$defs/a', $defs: { a: { const: 1 } } }, REQUEST_SCHEMA_LIMITS).check(1),
      null,
      'no schema sees another',
    );
  });

  it('is not led astray by names of the language', () => {
    const schema = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}},"required":["constructor"]}',
    );
    assert.match(check(schema, {}) ?? '', /constructor/, 'what every object inherits is not there');
    assert.match(check(schema, JSON.parse('{"constructor":1}')) ?? '', /constructor must be string/);
    assert.equal(({} as Record<string, unknown>).type, undefined);
  });
});
