import type { Clock } from '../kernel/clock.ts';
import { otlpTraceRequest } from '../traces/otlp/export-spans.ts';
import type { SpanRow } from '../traces/store.ts';
import type { OtlpTarget } from './otlp-sender.ts';

export interface OtlpTraceExporterOptions {
  /** Null = traces are not wanted. */
  readonly target: () => OtlpTarget | null;
  readonly send: (target: OtlpTarget, body: unknown) => Promise<void>;
  readonly resource: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly onFailed: (target: OtlpTarget, error: Error) => void;
}

const MAX_WAITING = 20_000;
const BATCH = 500;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

/**
 * Sends the gateway's own spans to an OTLP receiver, in the background and at most once. What clients sent is left out: a collector that sends here
 * would get its own spans back. While the receiver is away a bounded number waits; beyond it the oldest are dropped and counted.
 */
export class OtlpTraceExporter {
  readonly #options: OtlpTraceExporterOptions;
  readonly #waiting: SpanRow[] = [];
  readonly counts = { sent: 0, dropped: 0 };
  #isSending = false;
  #isClosed = false;

  constructor(options: OtlpTraceExporterOptions) {
    this.#options = options;
  }

  add(spans: readonly SpanRow[]): void {
    if (this.#options.target() === null) return;
    for (const span of spans) if (span.callId !== null) this.#waiting.push(span);
    const excess = this.#waiting.length - MAX_WAITING;
    if (excess > 0) {
      this.#waiting.splice(0, excess);
      this.counts.dropped += excess;
    }
    if (!this.#isSending && this.#waiting.length > 0) void this.#drain();
  }

  async #drain(): Promise<void> {
    const { target: find, send, resource, clock, onFailed } = this.#options;
    this.#isSending = true;
    let pauseMs = FIRST_PAUSE_MS;
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const target = find();
      if (target === null) {
        this.#waiting.length = 0;
        break;
      }
      const batch = this.#waiting.splice(0, BATCH);
      try {
        await send(target, otlpTraceRequest(batch, resource));
        this.counts.sent += batch.length;
        pauseMs = FIRST_PAUSE_MS;
      } catch (thrown) {
        onFailed(target, thrown instanceof Error ? thrown : new Error(String(thrown)));
        this.#waiting.unshift(...batch);
        await clock.sleep(pauseMs);
        pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2);
      }
    }
    this.#isSending = false;
  }

  close(): void {
    this.#isClosed = true;
  }
}
