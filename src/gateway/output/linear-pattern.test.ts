import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cpuTimer } from '../../kernel/testing.ts';
import { LinearPattern } from './linear-pattern.ts';
import { PatternRefused } from './pattern-parser.ts';
import { TooExpensive, WorkBudget } from './work-budget.ts';

function pattern(source: string, units = 10_000_000): LinearPattern {
  const budget = new WorkBudget();
  budget.refill(units);
  return new LinearPattern(source, budget);
}

/** Patterns of a small language, with every construct; short, so that the backtracking engine answers too. */
const { source } = fc.letrec<{ source: string; term: string }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'pattern' },
    fc.constantFrom(
      'a',
      'b',
      'ß',
      '😀',
      '.',
      '\\d',
      '\\w',
      '\\s',
      '\\.',
      '\\u0061',
      '\\u{1F600}',
      '\\p{L}',
      '[ab]',
      '[^a]',
      '[a-c\\]😀]',
      '^',
      '$',
      '\\b',
      '\\B',
    ),
    fc
      .tuple(tie('source'), fc.constantFrom('', '*', '+', '?', '{2}', '{1,}', '{0,2}', '*?'))
      .map(([inner, quantifier]) => `(?:${inner})${quantifier}`),
    fc.tuple(tie('source'), fc.constantFrom('', '+')).map(([inner, quantifier]) => `(${inner})${quantifier}`),
  ),
  source: fc
    .array(
      fc.array(tie('term'), { maxLength: 3 }).map((terms) => terms.join('')),
      { minLength: 1, maxLength: 3 },
    )
    .map((options) => options.join('|')),
}));

/**
 * The language's own engine, asked at every character. Not in one search: V8 14 looks for what ends in `$` one code unit before the end, and so
 * finds no 😀 for `[^a]$`, and it looks for \B also between the halves of a surrogate pair, where no character begins.
 */
function nativeFinds(source: string, text: string): boolean {
  const native = new RegExp(source, 'uy');
  for (let at = 0; at <= text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) {
    native.lastIndex = at;
    if (native.test(text)) return true;
  }
  return false;
}

describe('LinearPattern', () => {
  it('says what the language’s own engine says', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'ß', '😀', '.', '1', ' ', '\n', ']'), maxLength: 8 });
    fc.assert(
      fc.property(source, fc.array(letters, { minLength: 1, maxLength: 6 }), (text, inputs) => {
        const own = pattern(text);
        for (const input of inputs) assert.equal(own.test(input), nativeFinds(text, input), `${text} on ${JSON.stringify(input)}`);
      }),
      { numRuns: 2000 },
    );
  });

  it('answers at once where a backtracking engine does not', () => {
    const spentMs = cpuTimer();
    for (const hostile of ['^(a+)+$', '^(a|a)*$', '^(a*)*b$', '(x+x+)+y', '^(([a-z])+.)+[A-Z]([a-z])+$', 'a*a*a*a*a*a*b'])
      assert.equal(pattern(hostile).test(`${'a'.repeat(20_000)}!`), false, hostile);
    assert.ok(spentMs() < 5_000, `${spentMs()} ms`);
  });

  it('gives up when the budget is used up, and can be asked again', () => {
    const budget = new WorkBudget();
    const own = new LinearPattern('^a*$', budget);
    budget.refill(10);
    assert.throws(() => own.test('a'.repeat(100)), TooExpensive);
    budget.refill(1000);
    assert.equal(own.test('a'.repeat(100)), true);
  });

  it('refuses what it cannot do, and what is no pattern', () => {
    for (const wrong of [
      '(?=a)',
      '(?!a)',
      '(?<=a)b',
      '(a)\\1',
      '\\k<x>',
      '(',
      ')',
      '[a',
      'a{3,1}',
      '*',
      'a**',
      '\\',
      '(a{1000}){1000}',
      'x'.repeat(1001),
      '('.repeat(60),
      '[b-a]',
      '\\p{Nonsense}',
      'a{',
      '}',
    ])
      assert.throws(() => pattern(wrong), PatternRefused, wrong);
  });
});
