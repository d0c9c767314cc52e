import { parseJsonText } from '../../kernel/parse-json.ts';
import type { JsonScanner } from '../body/json-scanner.ts';
import { KeyNames } from '../body/key-names.ts';

/** Where a member's value stands in the bytes. */
export type Range = readonly [start: number, end: number];

/** What the gateway reads of an answer that it forwards. */
const NAMES = ['id', 'model', 'usage', 'meta', 'error', 'duration', 'text', 'data', 'type'] as const;
export type AnswerMember = (typeof NAMES)[number];
const KEYS = new KeyNames(NAMES);

/** Members of a JSON object of which something is read, without building the rest. Null and false count as absent. */
export class TopLevel {
  readonly #bytes: Buffer;
  readonly #found = new Map<string, Range>();

  /** @throws PlimsollError `invalid_argument` when the bytes are not one JSON object */
  constructor(bytes: Buffer, scanner: JsonScanner, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    scanner.reset(bytes, start, end);
    if (scanner.enter(0x7b)) {
      do {
        scanner.peek();
        const keyStart = scanner.position + 1;
        const name = KEYS.find(bytes, keyStart, scanner.skipKey());
        const valueStart = scanner.position;
        scanner.skipValue();
        const first = bytes[valueStart];
        if (name !== null && first !== 0x6e && first !== 0x66) this.#found.set(name, [valueStart, scanner.position]);
      } while (scanner.next(0x7d));
    }
    scanner.finish();
  }

  has(name: AnswerMember): boolean {
    return this.#found.has(name);
  }

  /** JSON text of a member; null when it is absent. */
  json(name: AnswerMember): string | null {
    const range = this.#found.get(name);
    return range === undefined ? null : this.#bytes.toString('utf8', range[0], range[1]);
  }

  /** Value of a member; undefined when it is absent. For members that are small. */
  value(name: AnswerMember): unknown {
    const text = this.json(name);
    return text === null ? undefined : parseJsonText(text);
  }

  string(name: AnswerMember): string | null {
    const value = this.value(name);
    return typeof value === 'string' ? value : null;
  }

  /** Elements of a list, without building them; 0 when the member is none. */
  count(name: AnswerMember, scanner: JsonScanner): number {
    const range = this.#found.get(name);
    if (range === undefined || this.#bytes[range[0]] !== 0x5b) return 0;
    scanner.reset(this.#bytes, range[0], range[1]);
    let count = 0;
    if (scanner.enter(0x5b)) {
      do {
        scanner.skipValue();
        count++;
      } while (scanner.next(0x5d));
    }
    return count;
  }
}
