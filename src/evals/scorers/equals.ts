import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { Json } from '../option-schemas.ts';
import { verdict } from '../score.ts';
import { defineScorer, type JsonValue } from '../scorer.ts';

function equals(output: string, value: JsonValue): boolean {
  if (typeof value !== 'object') return String(value) === output;
  try {
    return isDeepStrictEqual(value, parseJsonText(output));
  } catch {
    return false; // no JSON, or deeper than the stack
  }
}

export default defineScorer({
  names: ['equals'],
  summary: 'The output is exactly this text; where the value is an object or a list, the output is JSON that equals it.',
  source: 'promptfoo. Texts by code units, without trimming; members of objects in any order.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({ value: Json.describe('Text, number, or any JSON value') }),
  score({ output }, { value }) {
    const passed = equals(output, value);
    return verdict(passed, passed ? 'Equal.' : `Not equal to ${JSON.stringify(value).slice(0, 200)}.`);
  },
});
