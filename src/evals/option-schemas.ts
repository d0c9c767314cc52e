import { z } from 'zod';
import type { JsonValue } from './scorer.ts';

/** Any value that JSON can hold, at any depth. */
export const Json = z.json() as z.ZodType<JsonValue>; // the same values; ours are read-only

/** A text to look for; numbers as they stand in YAML. */
export const Needle = z.union([z.string().min(1), z.number()]).transform(String);

/** A list, or one text of values between commas; `"a, b"` in double quotes holds a comma. */
export const Needles = z.union([
  z
    .string()
    .min(1)
    .transform((text, context) => {
      const values = splitAtCommas(text);
      if (values !== null) return values;
      context.addIssue({ code: 'custom', message: 'a quoted value must be closed, and followed by a comma or the end' });
      return z.NEVER;
    }),
  z.array(z.unknown()).transform((items) => items.map(String)),
]);

/** One reference, or several of which the nearest counts. */
export const References = z
  .union([z.string(), z.array(z.string()).min(1)])
  .transform((value) => (typeof value === 'string' ? [value] : value));

/** @returns null when a quoted value is not closed, or goes on after its end */
export function splitAtCommas(text: string): string[] | null {
  const values: string[] = [];
  const separators = /[\s,]*/y;
  const quoted = /"((?:[^"\\]|\\[\s\S]|"")*)"(?!")/y;
  const plain = /[^,]*/y;
  let at = 0;
  const read = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  for (;;) {
    read(separators);
    if (at >= text.length) return values;
    if (text[at] !== '"') {
      values.push((read(plain)?.[0] ?? '').trim());
      continue;
    }
    const found = read(quoted);
    if (found === null) return null;
    values.push((found[1] ?? '').replaceAll(/\\(["\\])|""/g, (_, escaped: string | undefined) => escaped ?? '"'));
    while (/\s/.test(text[at] ?? '')) at++;
    if (at < text.length && text[at] !== ',') return null;
  }
}
