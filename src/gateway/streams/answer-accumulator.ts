import { TextChunk } from '../hub/text-chunk.ts';

/** Bytes that grow at the end. Copied: a view would keep the whole network read alive. */
class ByteList {
  #bytes = Buffer.allocUnsafe(256);
  length = 0;

  add(source: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.#bytes.length) this.#grow(needed);
    if (end - start > 64) source.copy(this.#bytes, this.length, start, end);
    else for (let from = start, to = this.length; from < end; from++, to++) this.#bytes[to] = source[from] as number;
    this.length = needed;
  }

  addText(text: string): void {
    // UTF-8 takes at most three bytes for a UTF-16 code unit.
    const needed = this.length + text.length * 3;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.length += this.#bytes.write(text, this.length);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  text(): string {
    return this.#bytes.toString('utf8', 0, this.length);
  }
}

const TEXT_END = Buffer.from('"}]');

interface ToolCall {
  id: string | null;
  type: string;
  name: string;
  arguments: string;
}

interface Choice {
  role: string;
  /** Escaped bytes of `content`: between quotes they are its JSON string. */
  readonly content: ByteList;
  readonly otherText: Map<string, string>;
  readonly toolCalls: Map<number, ToolCall>;
}

type Loose = Readonly<Record<string, unknown>>;

function loose(value: unknown): Loose | null {
  return typeof value === 'object' && value !== null ? (value as Loose) : null; // read field by field below
}

/**
 * Puts the deltas of a chat stream together again for the payload record and for estimates. Bounded: past `maxBytes` it only counts.
 * Plain text is kept as the escaped bytes that came, so that nothing is decoded while the stream runs.
 */
export class AnswerAccumulator {
  readonly #maxBytes: number;
  readonly #choices = new Map<number, Choice>();
  #first: Choice | null = null;
  #bytes = 0;
  /** Answer text was left out. */
  isTruncated = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of answer text seen, kept or not. */
  get seenBytes(): number {
    return this.#bytes;
  }

  /** Escaped bytes [start, end) of choice 0's text. */
  addContent(bytes: Buffer, start: number, end: number): void {
    if (!this.#fits(end - start)) return;
    this.#first ??= this.#choice(0);
    this.#first.content.add(bytes, start, end);
  }

  /** A parsed chunk of any shape. */
  addChunk(chunk: unknown): void {
    if (chunk instanceof TextChunk) {
      this.#first ??= this.#choice(0);
      this.#addContentText(this.#first, chunk.textJson);
      return;
    }
    const choices = loose(chunk)?.choices;
    if (!Array.isArray(choices)) return;
    for (const entry of choices) {
      const choice = loose(entry);
      const delta = loose(choice?.delta);
      if (delta !== null) this.#addDelta(this.#choice(typeof choice?.index === 'number' ? choice.index : 0), delta);
    }
  }

  /** UTF-16 code units of answer text; counted in bytes once text was left out. */
  characters(): number {
    if (this.isTruncated) return this.#bytes;
    let count = 0;
    for (const choice of this.#choices.values()) {
      count += contentText(choice).length;
      for (const text of choice.otherText.values()) count += text.length;
      for (const call of choice.toolCalls.values()) count += call.name.length + call.arguments.length;
    }
    return count;
  }

  /** The text of the first choice. */
  text(): string {
    const first = this.#choices.get(0);
    return first === undefined ? '' : contentText(first);
  }

  /** OpenAI's `choices[].message` as JSON text in UTF-8. */
  messagesJson(): Buffer {
    const first = this.#first;
    if (first !== null && this.#choices.size === 1 && first.content.length > 0 && first.otherText.size === 0 && first.toolCalls.size === 0)
      return Buffer.concat([Buffer.from(`[{"role":${JSON.stringify(first.role)},"content":"`), first.content.bytes(), TEXT_END]);
    return Buffer.from(this.#messagesText());
  }

  #messagesText(): string {
    const messages: string[] = [];
    for (const [, choice] of [...this.#choices].sort(([a], [b]) => a - b)) {
      const hasText = choice.content.length > 0;
      let message = `{"role":${JSON.stringify(choice.role)},"content":${hasText ? `"${choice.content.text()}"` : 'null'}`;
      for (const [name, text] of choice.otherText) message += `,${JSON.stringify(name)}:${JSON.stringify(text)}`;
      if (choice.toolCalls.size > 0) {
        const calls = [...choice.toolCalls.values()].map((call) => ({
          id: call.id,
          type: call.type,
          function: { name: call.name, arguments: call.arguments },
        }));
        message += `,"tool_calls":${JSON.stringify(calls)}`;
      }
      messages.push(`${message}}`);
    }
    return `[${messages.join(',')}]`;
  }

  #addDelta(choice: Choice, delta: Loose): void {
    for (const [name, value] of Object.entries(delta)) {
      if (name === 'role' && typeof value === 'string') choice.role = value;
      else if (name === 'tool_calls' && Array.isArray(value)) for (const call of value) this.#addToolCall(choice, loose(call));
      else if (typeof value !== 'string' || value === '') continue;
      else if (name === 'content') this.#addContentText(choice, JSON.stringify(value));
      else if (this.#fits(value.length)) choice.otherText.set(name, `${choice.otherText.get(name) ?? ''}${value}`);
    }
  }

  /** @param json the text as a JSON string, quotes included */
  #addContentText(choice: Choice, json: string): void {
    const escaped = json.slice(1, -1);
    if (this.#fits(Buffer.byteLength(escaped))) choice.content.addText(escaped);
  }

  #addToolCall(choice: Choice, part: Loose | null): void {
    if (part === null) return;
    const index = typeof part.index === 'number' ? part.index : choice.toolCalls.size;
    const call = choice.toolCalls.get(index) ?? { id: null, type: 'function', name: '', arguments: '' };
    choice.toolCalls.set(index, call);
    if (typeof part.id === 'string') call.id = part.id;
    if (typeof part.type === 'string') call.type = part.type;
    const called = loose(part.function);
    if (typeof called?.name === 'string' && this.#fits(called.name.length)) call.name += called.name;
    if (typeof called?.arguments === 'string' && this.#fits(called.arguments.length)) call.arguments += called.arguments;
  }

  #fits(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes <= this.#maxBytes) return true;
    this.isTruncated = true;
    return false;
  }

  #choice(index: number): Choice {
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      choice = { role: 'assistant', content: new ByteList(), otherText: new Map(), toolCalls: new Map() };
      this.#choices.set(index, choice);
    }
    return choice;
  }
}

function contentText(choice: Choice): string {
  return choice.content.length === 0 ? '' : (JSON.parse(`"${choice.content.text()}"`) as string);
}
