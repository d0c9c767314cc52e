import type { OtlpSpan } from './span.ts';

export interface SpanQueueOptions {
  /** Base address of Plimsoll. */
  readonly url: string;
  /** Virtual key, plk_… */
  readonly key: string;
  readonly fetch: typeof fetch;
  /** Longest wait before spans are sent, milliseconds. */
  readonly flushMs: number;
  /** Most characters of spans that are kept while they cannot be sent; later ones are dropped and counted. */
  readonly maxCharacters: number;
}

export interface QueueStats {
  readonly sent: number;
  /** Spans that were never sent: the queue was full, or Plimsoll refused them. */
  readonly dropped: number;
  readonly waiting: number;
}

const MAX_BATCH = 100;
const TIMEOUT_MS = 5_000;
const MAX_BACKOFF_MS = 30_000;

/** Sends spans in the background. Never throws, never keeps the process alive, and never holds more than it may. */
export class SpanQueue {
  readonly #options: SpanQueueOptions;
  /** Each a JSON text, with the resource that it belongs to. */
  readonly #waiting: { readonly feature: string; readonly text: string }[] = [];
  #characters = 0;
  #sent = 0;
  #dropped = 0;
  #backoffMs = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #sending: Promise<void> | null = null;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
  }

  get stats(): QueueStats {
    return { sent: this.#sent, dropped: this.#dropped, waiting: this.#waiting.length };
  }

  add(feature: string, span: OtlpSpan): void {
    const text = JSON.stringify(span);
    if (this.#characters + text.length > this.#options.maxCharacters) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push({ feature, text });
    this.#characters += text.length;
    this.#sendIn(Math.max(this.#options.flushMs, this.#backoffMs));
  }

  #sendIn(waitMs: number): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#sendBatch();
    }, waitMs);
    // In browsers a timer is a number.
    if (typeof this.#timer === 'object') (this.#timer as { unref?: () => void }).unref?.();
  }

  /** One request at a time. */
  #sendBatch(): Promise<void> {
    this.#sending ??= this.#post().finally(() => {
      this.#sending = null;
      if (this.#waiting.length > 0) this.#sendIn(Math.max(this.#options.flushMs, this.#backoffMs));
    });
    return this.#sending;
  }

  async #post(): Promise<void> {
    const batch = this.#waiting.splice(0, MAX_BATCH);
    if (batch.length === 0) return;
    for (const { text } of batch) this.#characters -= text.length;
    const byFeature = new Map<string, string[]>();
    for (const { feature, text } of batch) byFeature.set(feature, [...(byFeature.get(feature) ?? []), text]);
    const resources = [...byFeature].map(([feature, spans]) => {
      const named = feature === '' ? '' : `{"key":"plimsoll.feature","value":{"stringValue":${JSON.stringify(feature)}}}`;
      return `{"resource":{"attributes":[${named}]},"scopeSpans":[{"scope":{"name":"plimsoll-sdk"},"spans":[${spans.join(',')}]}]}`;
    });
    let outcome: 'sent' | 'again' | 'refused' = 'again';
    try {
      const answer = await this.#options.fetch(`${this.#options.url}/v1/traces`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#options.key}`, 'content-type': 'application/json' },
        body: `{"resourceSpans":[${resources.join(',')}]}`,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await answer.arrayBuffer();
      outcome = answer.ok ? 'sent' : answer.status === 429 || answer.status >= 500 ? 'again' : 'refused';
    } catch {
      // Away, slow, or not there at all: the application must not notice.
    }
    if (outcome === 'sent') {
      this.#sent += batch.length;
      this.#backoffMs = 0;
      return;
    }
    if (outcome === 'refused') {
      this.#dropped += batch.length;
      return;
    }
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(this.#options.flushMs, this.#backoffMs * 2));
    for (const entry of batch.reverse()) {
      if (this.#characters + entry.text.length > this.#options.maxCharacters) this.#dropped += 1;
      else {
        this.#waiting.unshift(entry);
        this.#characters += entry.text.length;
      }
    }
  }

  /** Tries to send all that waits, until `timeoutMs` is over. Never rejects. */
  async flush(timeoutMs: number): Promise<void> {
    const endMs = Date.now() + timeoutMs;
    while ((this.#waiting.length > 0 || this.#sending !== null) && Date.now() < endMs) {
      const before = this.#sent + this.#dropped;
      await Promise.race([this.#sendBatch(), new Promise((resolve) => setTimeout(resolve, Math.max(0, endMs - Date.now())))]);
      if (this.#sent + this.#dropped === before && this.#waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
