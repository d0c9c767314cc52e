import type { JsonScanner } from './json-scanner.ts';

/**
 * JSON text of an object in which one top-level member, name and value, is replaced by another; the text itself where there is no such member.
 * @param bytes text that was validated before
 * @param replacement a whole member as JSON text, e.g. `"a":1`
 */
export function replaceMember(bytes: Buffer, name: string, replacement: Buffer, scanner: JsonScanner): Buffer {
  scanner.reset(bytes);
  if (!scanner.enter(0x7b)) return bytes;
  do {
    scanner.peek();
    const start = scanner.position;
    const keyEnd = scanner.skipKey();
    const key: unknown = JSON.parse(bytes.toString('utf8', start, keyEnd + 1));
    scanner.skipValue();
    if (key === name) return Buffer.concat([bytes.subarray(0, start), replacement, bytes.subarray(scanner.position)]);
  } while (scanner.next(0x7d));
  return bytes;
}
