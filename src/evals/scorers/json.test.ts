import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cpuTimer } from '../../kernel/testing.ts';
import { score, valueGiven, verdictOf } from '../testing.ts';

const SCHEMA = { type: 'object', required: ['a'], properties: { a: { type: 'number' }, at: { type: 'string', format: 'date' } } };

describe('is-json and contains-json', () => {
  const CASES: [type: string, value: unknown, output: string, passed: boolean | string][] = [
    ['is-json', undefined, '{"a": 1}', true],
    ['is-json', undefined, '1', true],
    ['is-json', undefined, '{"a": 1', false],
    ['is-json', undefined, '', false],
    ['not-is-json', undefined, 'text', true],
    ['is-json', SCHEMA, '{"a": 1}', true],
    ['is-json', SCHEMA, '{"a": "1"}', false],
    ['is-json', SCHEMA, '{"a": 1, "at": "2026-13-01"}', false],
    ['not-is-json', SCHEMA, '{"a": "1"}', true],
    ['not-is-json', SCHEMA, 'text', true],
    ['is-json', 'type: object\nrequired: [a]', '{"b": 1}', false],
    ['is-json', 'type: object\nrequired: [a]', '{"a": 1}', true],
    ['is-json', 'just text', '{}', 'failed'],
    ['is-json', { type: 'object', minimumm: 1 }, '{}', 'failed'],
    ['is-json', { type: 'string', pattern: '^(a+)+$' }, JSON.stringify(`${'a'.repeat(1000)}b`), false],
    [
      'is-json',
      { type: 'array', uniqueItems: true },
      JSON.stringify([
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ]),
      false,
    ],
    [
      'is-json',
      { $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'string' }], items: false, type: 'array' },
      '["a"]',
      true,
    ],
    ['contains-json', undefined, 'Here: {"a": 1} and more', true],
    ['contains-json', undefined, 'Here: [1, 2]', false],
    ['contains-json', undefined, 'nothing', false],
    ['contains-json', SCHEMA, '{"b": 1} then {"a": 2}', true],
    ['contains-json', SCHEMA, '{"b": 1}', false],
    ['not-contains-json', SCHEMA, '{"b": 1}', true],
    ['not-contains-json', undefined, 'nothing', true],
    ['contains-json', SCHEMA, "{a: 1, // one\n b: 'x',}", true],
    ['contains-json', SCHEMA, 'cut off: {"a": 1, "b": {"c": 2', true],
    ['contains-json', SCHEMA, '{ broken: [ } {"a": 1}', true],
  ];
  for (const [type, value, output, expected] of CASES) {
    it(`${type} ${JSON.stringify(value)?.slice(0, 60)} of ${output.slice(0, 40)}: ${expected}`, async () => {
      assert.equal(await verdictOf(type, value === undefined ? {} : { value }, { output }), expected);
    });
  }

  it('are not stalled by braces, depth or duplicates', async () => {
    const timer = cpuTimer();
    for (const output of [
      '{'.repeat(300_000),
      '{"a":'.repeat(50_000),
      '{a: '.repeat(50_000),
      '{}'.repeat(100_000),
      '[{"a":1},'.repeat(50_000),
    ]) {
      for (const type of ['is-json', 'contains-json', 'json-schema']) await score(type, { value: SCHEMA }, { output });
    }
    await score(
      'is-json',
      { value: { type: 'array', uniqueItems: true } },
      { output: `[${Array.from({ length: 100_000 }, (_, i) => `{"a":${i}}`).join()}]` },
    );
    assert.ok(timer() < 20_000, `${timer()} ms`);
  });
});

describe('json-schema', () => {
  it('gives credit for what is right', async () => {
    const value = { type: 'object', required: ['a', 'b', 'c'], properties: { a: { type: 'number' }, b: { type: 'number' } } };
    assert.equal(await valueGiven('json-schema', { value }, { output: '{"a":1,"b":2,"c":3}' }), 1);
    // The object, a, b, and c that is missing: b is wrong, c is not there.
    assert.equal(await valueGiven('json-schema', { value }, { output: '{"a":1,"b":"x"}' }), 0.5);
    assert.equal(await valueGiven('json-schema', { value }, { output: '{"a":1' }), 0);
  });
});

describe('json-diff: vectors of autoevals, js/json.test.ts', () => {
  const VECTORS: [first: unknown, second: unknown, expected: number][] = [
    ['', '', 1],
    ['', 'a', 0],
    ['a', '', 0],
    ['a', 'b', 0],
    ['ab', 'ac', 0.5],
    ['ac', 'bc', 0.5],
    ['abc', 'axc', 2 / 3],
    ['xabxcdxxefxgx', '1ab2cd34ef5g6', 0.5384615384615384],
    [null, null, 1],
    ['', null, 0],
    [[], {}, 0],
    [[], [], 1],
    [{}, {}, 1],
    [{ a: 1 }, { a: 1 }, 1],
    [{ a: 1 }, { a: 2 }, 2 / 3],
    [{ a: 1 }, ['a', 1], 0.5714285714285714],
    [{ a: 1 }, { b: { a: 1 } }, 0],
    [{ a: 1 }, { a: null }, 0],
    [{ mapping: { a: 'foo', b: 'bar' } }, { mapping: { a: 'Foo', b: 'Bar' }, Extra: 5 }, 1 / 3],
    ['{"x": 1, "y": 2}', '{"y": 2, "x": 1}', 1],
    ['{"xs": [{"o1": {"x": 1, "y": [2]}}]}', '{"xs": [{"o1": {"y": [2], "x": 1}}]}', 1],
    ['{"o1": {"x": 2, "y": 2}}', '{"o1": {"y": 2, "x": 1}}', 5 / 6],
    ['{"x": 1, "y": 2}', '{"x": 1, "z": 2}', 1 / 3],
    ['[1, 2]', '[1, 2]', 1],
    ['[1, 2]', '[2, 1]', 2 / 3],
  ];
  for (const [first, second, expected] of VECTORS) {
    it(`${JSON.stringify(first)} against ${JSON.stringify(second)}`, async () => {
      const output = typeof first === 'string' ? first : JSON.stringify(first);
      assert.ok(Math.abs((await valueGiven('json-diff', { value: second }, { output })) - expected) < 1e-9);
    });
  }

  it('counts `__proto__` as a member like others, and is not stalled', async () => {
    assert.equal(await valueGiven('json-diff', { value: '{"__proto__": 1}' }, { output: '{"constructor": 1}' }), 0);
    assert.equal(await verdictOf('json-diff', {}, { output: '{}' }), 'unmeasured');
    assert.equal(
      await verdictOf('json-diff', { value: JSON.stringify('b'.repeat(100_000)) }, { output: JSON.stringify('a'.repeat(100_000)) }),
      'failed',
    );
    assert.equal(await verdictOf('json-diff', { value: [] }, { output: `${'['.repeat(100_000)}${']'.repeat(100_000)}` }), null);
  });
});
