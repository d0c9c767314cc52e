import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseJsonText } from './parse-json.ts';
import { growthOfFourfold } from './testing.ts';

/** JSON text of a value in which any character of a string may be written with an escape, with space wherever there may be some. */
function written(value: unknown, random: () => number): string {
  const space = (): string => ['', '', ' ', '\n\t', '\r'][Math.floor(random() * 5)] ?? '';
  const spaced = (text: string): string => `${space()}${text}${space()}`;
  if (Array.isArray(value)) return spaced(`[${value.map((entry) => written(entry, random)).join(',') || space()}]`);
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, entry]) => `${spaced(string(name, random))}:${written(entry, random)}`);
    return spaced(`{${members.join(',') || space()}}`);
  }
  if (typeof value === 'string') return spaced(string(value, random));
  return spaced(Object.is(value, -0) ? '-0' : JSON.stringify(value));
}

function string(value: string, random: () => number): string {
  const escaped = (character: string): string =>
    Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  const isForced = (character: string): boolean => /["\\\p{Cc}\p{Cs}]/u.test(character);
  return `"${[...value].map((character) => (isForced(character) || random() < 0.2 ? escaped(character) : character)).join('')}"`;
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

/** Names in which the ways to write them can be taken for one another. */
const name = fc.string({ unit: fc.constantFrom('a', '\\', '"', 'u', '0', '4', '@', 'ß', '😀', ':', '\n'), maxLength: 6 });
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.jsonValue({ maxDepth: 1 }),
    fc.dictionary(name, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(tie('value'), { maxLength: 4 }),
    name,
  ),
}));

describe('parseJsonText', () => {
  it('reads each name as it is written, whatever was read before', () => {
    const after = (before: string, text: string): unknown => {
      parseJsonText(before);
      return parseJsonText(text);
    };
    assert.deepEqual(after('{"a":1,"\\\\":2}', '{"a":1,"\\u0040":2}'), { a: 1, '@': 2 });
    assert.deepEqual(after('{"b":1,"mo\\\\u0":2}', ' { "b" : 1 , "mo\\u0064el" : 2 } '), { b: 1, model: 2 });
    assert.deepEqual(after('[{"c":1,"\\\\":2}]', '[{"c":1,"\\"":[2,{}]},[],"\\\\",-1.5e3,true,false,null]'), [
      { c: 1, '"': [2, {}] },
      [],
      '\\',
      -1500,
      true,
      false,
      null,
    ]);
  });

  it('gives back any value, however its text is written', () => {
    fc.assert(
      fc.property(value, fc.nat(), (expected, seed) => {
        assert.deepEqual(parseJsonText(written(expected, generator(seed))), expected);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps of two equal names the last, makes members of names that have a meaning, and refuses what is no JSON', () => {
    assert.deepEqual(parseJsonText('{"\\u0061":1,"b":2,"a":3}'), { a: 3, b: 2 });
    const hostile = parseJsonText('{"\\u005f_proto__":{"x":1},"constructor":2}') as Record<string, unknown>;
    assert.deepEqual(
      [Object.keys(hostile), Object.getPrototypeOf(hostile), hostile.x],
      [['__proto__', 'constructor'], Object.prototype, undefined],
    );
    for (const text of ['', '{"\\u0061":}', '{"\\u0061"}', '{"\\u0061":1}}', '{"\\u0061":01}', '{"\\x":1}', '"\\"'])
      assert.throws(() => parseJsonText(text), SyntaxError, text);
  });

  it('leaves numbers to who asks for them, on both ways', () => {
    const source = (text: string): unknown => parseJsonText(text, (number) => `<${number}>`);
    assert.deepEqual(source('{"a":1.50,"b":[-0]}'), { a: '<1.50>', b: ['<-0>'] });
    assert.deepEqual(source('{"\\u0061":1.50,"b":[-0]}'), { a: '<1.50>', b: ['<-0>'] });
  });

  it('takes time in proportion to the text, and no stack for depth', () => {
    for (const unit of ['"\\n",', '"\\\\\\\\\\\\",', '"x",', '[{"\\u0061":1}],']) {
      const texts = new Map([2_000, 8_000].map((count) => [count, `[${unit.repeat(count)}0]`]));
      const growth = growthOfFourfold(2_000, (count) => parseJsonText(texts.get(count) ?? ''));
      assert.ok(growth < 9, `${unit}: ${growth} times the CPU for four times the text`);
    }
    const long = new Map([20_000, 80_000].map((count) => [count, `{"\\u0061":"${'\\n'.repeat(count)}"}`]));
    assert.ok(growthOfFourfold(20_000, (count) => parseJsonText(long.get(count) ?? '')) < 9);
    const depth = 100_000;
    let nested = parseJsonText(`${'{"\\u0061":'.repeat(depth)}1${'}'.repeat(depth)}`);
    for (let level = 0; level < depth; level++) nested = (nested as { a: unknown }).a;
    assert.equal(nested, 1);
  });
});
