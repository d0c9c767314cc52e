import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../kernel/errors.ts';
import { growthOfFourfold } from '../../kernel/testing.ts';
import { JsonScanner } from './json-scanner.ts';

function accepts(text: string, maxDepth = 100): boolean {
  const scanner = new JsonScanner(maxDepth);
  scanner.reset(Buffer.from(text));
  try {
    scanner.skipValue();
    scanner.finish();
    return true;
  } catch (error) {
    assert.ok(error instanceof PlimsollError && error.code === 'invalid_argument', String(error));
    return false;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Characters that make most of the decisions of a JSON parser. */
const jsonSoup = fc.string({ unit: fc.constantFrom(...'{}[]",:\\ntrufalse0123456789.eE+- \t\n\r/bé\u0001'), maxLength: 24 });

describe('JsonScanner', () => {
  it('accepts what JSON.parse accepts and nothing else', () => {
    fc.assert(
      fc.property(jsonSoup, (text) => assert.equal(accepts(text), parses(text), text)),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(fc.json(), (text) => assert.ok(accepts(text), text)),
      { numRuns: 200 },
    );
    // One damaged place in a valid text.
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom('', '"', '\\', ',', '}', ']', ':', '0', '\n', '\u0002'), (text, at, put) => {
        const place = at % (text.length + 1);
        const damaged = text.slice(0, place) + put + text.slice(place + 1);
        assert.equal(accepts(damaged), parses(damaged), damaged);
      }),
      { numRuns: 200 },
    );
  });

  it('agrees with JSON.parse on the edge cases of numbers, escapes and literals', () => {
    const edges = [
      ['-0', '0', '01', '-', '1.', '.5', '1e5', '1E+05', '1e', '1e+', '-1.5e-10', '1.e5', '--1', '+1', '0x10', 'NaN', 'Infinity'],
      ['"\\u00e9"', '"\\uD83D\\uDE00"', '"\\u12"', '"\\u12g4"', '"\\x41"', '"\\', '"\\"', '"a\tb"', '"\u007f"', '"é"', "'a'"],
      ['true', 'tru', 'truee', 'null', 'nul', 'false', 'falsy', 'undefined'],
      [
        '',
        ' ',
        '[]',
        '[ ]',
        '[,]',
        '[1,]',
        '[1 2]',
        '{}',
        '{ }',
        '{,}',
        '{"a"}',
        '{"a":}',
        '{"a":1,}',
        '{"a":1 "b":2}',
        '{a:1}',
        '[}',
        '{]',
        '1 2',
        '[1]]',
      ],
    ];
    for (const text of edges.flat()) assert.equal(accepts(text), parses(text), text);
  });

  it('agrees with JSON.parse on long strings, whatever interrupts them', () => {
    const piece = fc.oneof(
      fc.nat(300).map((length) => 'x'.repeat(length)),
      fc.constantFrom('"', '\\n', '\\"', '\\', '\\u00e9', '\n', '\u0000', 'é😀', '","b":"'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = `{"a":"${pieces.join('')}"}`;
        assert.equal(accepts(text), parses(text), text);
        // The same as a part of a larger buffer, whose other bytes must not matter.
        const bytes = Buffer.from(`"\\${text}"\\x"`);
        const scanner = new JsonScanner(10);
        scanner.reset(bytes, 2, bytes.length - 4);
        const scan = (): void => {
          scanner.skipValue();
          scanner.finish();
        };
        if (parses(text)) scan();
        else assert.throws(scan, { code: 'invalid_argument' });
      }),
      { numRuns: 200 },
    );
    assert.ok(accepts(`"${'x'.repeat(200_000)}"`));
    assert.ok(!accepts(`"${'x'.repeat(200_000)}\u0001${'x'.repeat(200)}"`));
  });

  it('sees every control character of a long string, wherever it stands and however the text lies in memory', () => {
    const bytes = Buffer.alloc(400);
    const scanner = new JsonScanner(10);
    for (let start = 0; start < 4; start++) {
      for (const length of [256, 257, 270, 300]) {
        const end = start + length + 2;
        bytes.fill(0xe4, start, end);
        bytes[start] = 0x22;
        bytes[end - 1] = 0x22;
        const scan = (): number => {
          scanner.reset(bytes, start, end);
          scanner.skipValue();
          return scanner.position;
        };
        assert.equal(scan(), end);
        for (let at = start + 1; at < end - 1; at++) {
          for (const control of [0x00, 0x0a, 0x1f]) {
            bytes[at] = control;
            assert.throws(scan, PlimsollError, `0x${control.toString(16)} at ${at} of ${start}–${end}`);
          }
          for (const plain of [0x20, 0x7f, 0x80, 0xff]) {
            bytes[at] = plain;
            assert.equal(scan(), end, `0x${plain.toString(16)} at ${at} of ${start}–${end}`);
          }
          bytes[at] = 0xe4;
        }
      }
    }
  });

  it('takes time in proportion to the text, also when a long string is full of escapes', () => {
    const escapes = (count: number): string => `"${`${'x'.repeat(100)}\\n`.repeat(count)}"`;
    const texts = new Map([2_000, 8_000].map((count) => [count, escapes(count)]));
    const growth = growthOfFourfold(2_000, (count) => assert.ok(accepts(texts.get(count) ?? '')));
    assert.ok(growth < 9, `${growth} times the CPU for four times the text`);
  });

  it('refuses text that nests too deep, whatever its length', () => {
    assert.ok(accepts('['.repeat(8) + ']'.repeat(8), 8));
    assert.ok(!accepts('['.repeat(9) + ']'.repeat(9), 8));
    assert.ok(!accepts('{"a":'.repeat(100_000), 64));
  });

  it('does not read past its range', () => {
    const bytes = Buffer.from('xx{"a":12}34');
    const scanner = new JsonScanner(10);
    scanner.reset(bytes, 2, 10);
    scanner.skipValue();
    scanner.finish();
    assert.equal(scanner.position, 10);
    scanner.reset(bytes, 7, 8);
    scanner.skipValue();
    assert.equal(scanner.position, 8);
  });
});
