import type { JsonScanner } from '../body/json-scanner.ts';
import { spells } from '../body/key-names.ts';

const NULL = 0x6e;
const QUOTE = 0x22;
const MAX_TEMPLATE_MISSES = 4;

/**
 * Reads one `chat.completion.chunk` from its bytes without building it: most chunks hold one short string and nothing else that matters here.
 * Fields describe the chunk read last; offsets are into its bytes, -1 = absent or null. Reused for every chunk of a stream.
 */
export class OpenAiChunkReader {
  /** Some choice carries text, a tool call or another part of the answer. */
  hasContent = false;
  /** Parts that the plain path does not cover (tool calls, several choices …): the caller parses the chunk. */
  isComplex = false;
  /** No choices at all: the extra chunk that `include_usage` adds, when it has usage. */
  hasNoChoices = false;
  /** The string of choice 0's `delta.content`, without its quotes, still escaped. */
  contentStart = -1;
  contentEnd = -1;
  finishReason: string | null = null;
  usageStart = -1;
  usageEnd = -1;
  /** Groq's own member, which holds the usage at the end of some of its streams. */
  groqStart = -1;
  groqEnd = -1;
  /** Inside the quotes. */
  serviceTierStart = -1;
  serviceTierEnd = -1;
  errorStart = -1;
  errorEnd = -1;
  idStart = -1;
  idEnd = -1;
  modelStart = -1;
  modelEnd = -1;
  readonly #scanner: JsonScanner;
  #bytes: Buffer = Buffer.alloc(0);
  #choices = 0;
  /** The last plain text chunk: chunks of one answer mostly differ in the text alone. */
  #template: Buffer | null = null;
  #prefixBytes = 0;
  #suffixBytes = 0;
  #misses = 0;

  constructor(scanner: JsonScanner) {
    this.#scanner = scanner;
  }

  /** @throws PlimsollError `invalid_argument` when the bytes are not one JSON object */
  read(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.hasContent = false;
    this.isComplex = false;
    this.hasNoChoices = true;
    this.contentStart = -1;
    this.contentEnd = -1;
    this.finishReason = null;
    this.usageStart = -1;
    this.groqStart = -1;
    this.serviceTierStart = -1;
    this.errorStart = -1;
    this.idStart = -1;
    this.modelStart = -1;
    this.#choices = 0;
    if (this.#template !== null && this.#readLikeTemplate(this.#template, bytes, start, end)) return;
    const scanner = this.#scanner;
    scanner.reset(bytes, start, end);
    if (scanner.enter(0x7b)) {
      do this.#readMember();
      while (scanner.next(0x7d));
    }
    scanner.finish();
    this.#keepTemplate(start, end);
  }

  /** Same bytes before and after the text as in the chunk before, and a valid string between: then all the rest is as it was. */
  #readLikeTemplate(template: Buffer, bytes: Buffer, start: number, end: number): boolean {
    const textStart = start + this.#prefixBytes;
    const textEnd = end - this.#suffixBytes;
    if (
      textEnd < textStart ||
      bytes.compare(template, 0, this.#prefixBytes, start, textStart) !== 0 ||
      bytes.compare(template, template.length - this.#suffixBytes, template.length, textEnd, end) !== 0
    ) {
      return false;
    }
    const scanner = this.#scanner;
    scanner.reset(bytes, textStart - 1, end);
    scanner.skipString();
    if (scanner.position !== textEnd + 1) return false;
    this.hasNoChoices = false;
    this.hasContent = textEnd > textStart;
    if (this.hasContent) {
      this.contentStart = textStart;
      this.contentEnd = textEnd;
    }
    return true;
  }

  #keepTemplate(start: number, end: number): void {
    const isPlain =
      this.contentStart >= 0 &&
      !this.isComplex &&
      this.finishReason === null &&
      this.usageStart < 0 &&
      this.groqStart < 0 &&
      this.errorStart < 0;
    // Providers that add a changing field to each chunk would make every copy useless.
    if (!isPlain || ++this.#misses > MAX_TEMPLATE_MISSES) return;
    this.#template = Buffer.from(this.#bytes.subarray(start, end));
    this.#prefixBytes = this.contentStart - start;
    this.#suffixBytes = end - this.contentEnd;
  }

  #readMember(): void {
    const scanner = this.#scanner;
    const bytes = this.#bytes;
    scanner.peek();
    const keyStart = scanner.position + 1;
    const keyEnd = scanner.skipKey();
    const valueStart = scanner.position;
    const first = bytes[valueStart];
    if (first === 0x5b && spells(bytes, keyStart, keyEnd, 'choices')) {
      this.#readChoices();
      return;
    }
    scanner.skipValue();
    if (first === NULL) return;
    const valueEnd = scanner.position;
    switch (bytes[keyStart]) {
      case 0x75:
        if (spells(bytes, keyStart, keyEnd, 'usage')) {
          this.usageStart = valueStart;
          this.usageEnd = valueEnd;
        }
        return;
      case 0x65:
        if (spells(bytes, keyStart, keyEnd, 'error')) {
          this.errorStart = valueStart;
          this.errorEnd = valueEnd;
        }
        return;
      case 0x78:
        if (spells(bytes, keyStart, keyEnd, 'x_groq')) {
          this.groqStart = valueStart;
          this.groqEnd = valueEnd;
        }
        return;
      case 0x73:
        if (first === QUOTE && spells(bytes, keyStart, keyEnd, 'service_tier')) {
          this.serviceTierStart = valueStart + 1;
          this.serviceTierEnd = valueEnd - 1;
        }
        return;
      case 0x69:
        if (first === QUOTE && spells(bytes, keyStart, keyEnd, 'id')) {
          this.idStart = valueStart + 1;
          this.idEnd = valueEnd - 1;
        }
        return;
      case 0x6d:
        if (first === QUOTE && spells(bytes, keyStart, keyEnd, 'model')) {
          this.modelStart = valueStart + 1;
          this.modelEnd = valueEnd - 1;
        }
        return;
      default:
        return;
    }
  }

  #readChoices(): void {
    const scanner = this.#scanner;
    if (!scanner.enter(0x5b)) return;
    this.hasNoChoices = false;
    do {
      if (++this.#choices > 1) this.isComplex = true;
      if (scanner.enter(0x7b)) {
        do this.#readChoiceMember();
        while (scanner.next(0x7d));
      }
    } while (scanner.next(0x5d));
  }

  #readChoiceMember(): void {
    const scanner = this.#scanner;
    const bytes = this.#bytes;
    scanner.peek();
    const keyStart = scanner.position + 1;
    const keyEnd = scanner.skipKey();
    const valueStart = scanner.position;
    const first = bytes[valueStart];
    if (first === 0x7b && spells(bytes, keyStart, keyEnd, 'delta')) {
      if (scanner.enter(0x7b)) {
        do this.#readDeltaMember();
        while (scanner.next(0x7d));
      }
      return;
    }
    scanner.skipValue();
    // A text completion has its piece here, not in a delta.
    if (first === QUOTE && spells(bytes, keyStart, keyEnd, 'text') && scanner.position > valueStart + 2) {
      this.hasContent = true;
      this.contentStart = valueStart + 1;
      this.contentEnd = scanner.position - 1;
    } else if (first === QUOTE && spells(bytes, keyStart, keyEnd, 'finish_reason')) {
      this.finishReason = bytes.toString('utf8', valueStart + 1, scanner.position - 1);
    } else if (spells(bytes, keyStart, keyEnd, 'index') && (first !== 0x30 || scanner.position !== valueStart + 1)) this.isComplex = true;
  }

  #readDeltaMember(): void {
    const scanner = this.#scanner;
    const bytes = this.#bytes;
    scanner.peek();
    const keyStart = scanner.position + 1;
    const keyEnd = scanner.skipKey();
    const valueStart = scanner.position;
    const first = bytes[valueStart];
    scanner.skipValue();
    const valueEnd = scanner.position;
    if (first === NULL || spells(bytes, keyStart, keyEnd, 'role')) return;
    const isEmpty = valueEnd === valueStart + 2 && (first === QUOTE || first === 0x5b || first === 0x7b);
    if (isEmpty) return;
    this.hasContent = true;
    if (first === QUOTE && spells(bytes, keyStart, keyEnd, 'content') && this.contentStart < 0) {
      this.contentStart = valueStart + 1;
      this.contentEnd = valueEnd - 1;
    } else this.isComplex = true;
  }
}
