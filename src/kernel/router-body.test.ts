import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from './errors.ts';
import { parseJson } from './router-body.ts';

function isRefused(text: string, maxDepth: number): boolean {
  try {
    parseJson(text, maxDepth);
    return false;
  } catch (thrown) {
    assert.ok(thrown instanceof PlimsollError && thrown.code === 'invalid_argument', String(thrown));
    return true;
  }
}

describe('parseJson', () => {
  it('gives back what was written, or refuses with invalid_argument; nothing else ever', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        const isHarmful = text.includes('\\u0000') || text.includes('"__proto__":');
        if (isHarmful) isRefused(text, 64);
        else assert.equal(JSON.stringify(parseJson(text, 64)), text);
      }),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '1', 'a', ' ') }),
        (text) => void isRefused(text, 8),
      ),
      { numRuns: 200 },
    );
  });

  it('counts depth as brackets around a value, whatever the texts in it hold', () => {
    fc.assert(
      fc.property(fc.nat({ max: 12 }), fc.string(), fc.boolean(), (depth, filler, isObject) => {
        const text = JSON.stringify(filler.replaceAll('\0', ''));
        const nested = isObject ? '{"k":'.repeat(depth) + text + '}'.repeat(depth) : '['.repeat(depth) + text + ']'.repeat(depth);
        assert.equal(isRefused(nested, 6), depth > 6);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses a bracket bomb without a deep stack', () => {
    assert.ok(isRefused('['.repeat(1_000_000), 64));
    assert.ok(isRefused('{"a":'.repeat(200_000), 64));
  });
});
