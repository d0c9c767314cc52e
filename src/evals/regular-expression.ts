import { LinearPattern } from '../gateway/output/linear-pattern.ts';
import { WorkBudget } from '../gateway/output/work-budget.ts';

/** Half a second of one search. */
const BUDGET_UNITS = 10_000_000;

/**
 * A pattern without flags, as `new RegExp(source)` reads it, in the form that the u flag demands: signs that stand for themselves there get
 * their backslash, and needless backslashes go. So `[\w\-]+@\"` and a lone `}` mean here what they mean in JavaScript.
 */
export function strictPattern(source: string): string {
  let isInClass = false;
  let result = '';
  for (let at = 0; at < source.length; at++) {
    const sign = source.charAt(at);
    if (sign === '\\') {
      const read = /^\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|k<|[\s\S])/.exec(source.slice(at, at + 6))?.[0] ?? '\\';
      result += strictEscape(read, isInClass);
      at += read.length - 1;
    } else if (isInClass) {
      if (sign === ']') isInClass = false;
      result += sign;
    } else if (sign === '[') {
      // "[]" and "[^]" are the class of nothing and the class of all.
      isInClass = true;
      result += sign;
    } else if (sign === ']' || sign === '}') result += `\\${sign}`;
    else if (sign === '{') {
      const counted = /^\{\d+(?:,\d*)?\}/.exec(source.slice(at, at + 24))?.[0];
      result += counted ?? '\\{';
      at += (counted ?? sign).length - 1;
    } else result += sign;
  }
  return result;
}

function strictEscape(read: string, isInClass: boolean): string {
  const sign = read.slice(1);
  if (sign === '') return read; // the end: invalid either way
  if (sign.length > 1 || /[dDwWsSbBfnrtv]/.test(sign)) return isInClass && sign === 'B' ? 'B' : read;
  if (/[\^$\\.*+?()[\]{}|/]/.test(sign) || (isInClass && sign === '-')) return read;
  if (/[0-9]/.test(sign)) return read; // \0, or a back reference
  return /[xucpPk]/.test(sign) || !/[\\^\]-]/.test(sign) ? sign : `\\${sign}`;
}

/**
 * Whether the pattern is found in the text, in time linear in both.
 * @throws PatternRefused for a pattern that is invalid, too large, or needs to go back (look-around, back references); TooExpensive for a text
 * that is too long for it
 */
export function findsPattern(source: string, text: string): boolean {
  const budget = new WorkBudget();
  budget.refill(BUDGET_UNITS);
  return new LinearPattern(strictPattern(source), budget).test(text);
}
