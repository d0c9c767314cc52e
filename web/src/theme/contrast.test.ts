import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { contrastRatio } from './contrast.ts';

const css = readFileSync(new URL('../styles/tokens.css', import.meta.url), 'utf8');
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [name, { light, dark }]),
);

function check(foreground: string, backgrounds: readonly string[], least: number): void {
  for (const background of backgrounds)
    for (const theme of ['light', 'dark'] as const) {
      const [front, back] = [tokens.get(foreground)?.[theme], tokens.get(background)?.[theme]];
      assert.ok(front && back, `${foreground} or ${background} is no token`);
      const ratio = contrastRatio(front, back);
      assert.ok(ratio >= least, `${theme}: ${foreground} on ${background} is ${ratio.toFixed(2)}, needs ${least}`);
    }
}

describe('contrast of the tokens (WCAG AA)', () => {
  const grounds = ['ground', 'surface', 'raised', 'sunken', 'hover'];
  it('text', () => {
    for (const text of ['ink', 'ink-2', 'ink-3', 'accent']) check(text, grounds, 4.5);
    check('accent', ['accent-soft'], 4.5);
    check('ink', ['ok-soft', 'warning-soft', 'critical-soft', 'accent-soft'], 4.5);
    check('on-accent', ['accent'], 4.5);
  });
  it('state words, on surfaces and on their own tint', () => {
    for (const state of ['ok', 'warning', 'critical']) check(state, [...grounds, `${state}-soft`], 4.5);
  });
  it('borders of controls and lines of charts', () => {
    check('line-strong', ['surface', 'ground'], 3);
    for (const line of ['chart-1', 'chart-2', 'chart-critical', 'quantile-50', 'quantile-95', 'quantile-99']) check(line, ['surface'], 3);
  });
  it('knows black on white', () => {
    assert.equal(contrastRatio('#000000', '#ffffff'), 21);
  });
});
