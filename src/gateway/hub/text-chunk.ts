/** What all chunks of one stream share. */
export class ChunkEnvelope {
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
  readonly model: string;
  #before: string | null = null;

  constructor(id: string, created: number, model: string) {
    this.id = id;
    this.created = created;
    this.model = model;
  }

  /** JSON of a chunk of text up to that text. */
  get beforeText(): string {
    this.#before ??= `{"id":${JSON.stringify(this.id)},"object":"chat.completion.chunk","created":${this.created},"model":${JSON.stringify(this.model)},"choices":[{"index":0,"delta":{"content":`;
    return this.#before;
  }
}

const AFTER_TEXT = '},"logprobs":null,"finish_reason":null}]}';

interface TextChoice {
  readonly index: 0;
  readonly delta: { readonly content: string };
  readonly logprobs: null;
  readonly finish_reason: null;
}

/** A `chat.completion.chunk` that holds some text of the first choice and nothing else, as most do: it knows its JSON without being walked through. */
export class TextChunk {
  readonly text: string;
  readonly #envelope: ChunkEnvelope;
  #textJson: string | null;

  /** @param textJson the text as a JSON string, where it is at hand */
  constructor(envelope: ChunkEnvelope, text: string, textJson: string | null = null) {
    this.#envelope = envelope;
    this.text = text;
    this.#textJson = textJson;
  }

  /** The text as a JSON string, quotes included. */
  get textJson(): string {
    this.#textJson ??= JSON.stringify(this.text);
    return this.#textJson;
  }

  get json(): string {
    return this.#envelope.beforeText + this.textJson + AFTER_TEXT;
  }

  get choices(): readonly TextChoice[] {
    return [{ index: 0, delta: { content: this.text }, logprobs: null, finish_reason: null }];
  }

  toJSON(): unknown {
    const { id, created, model } = this.#envelope;
    return { id, object: 'chat.completion.chunk', created, model, choices: this.choices };
  }
}

export function chunkJson(chunk: unknown): string {
  return chunk instanceof TextChunk ? chunk.json : JSON.stringify(chunk);
}
