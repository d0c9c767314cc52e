import { write } from 'node:fs';
import type { Clock } from '../kernel/clock.ts';

const MAX_HELD_BYTES = 4 * 1024 * 1024;
const RETRY_MS = 50;

/**
 * Writes log lines in batches and without ever blocking the event loop: `process.stdout.write` to a pipe is synchronous, so a log collector
 * that stands still would stop every stream. One write is in flight; what is held meanwhile is bounded, lines beyond it are dropped and counted.
 */
export class LogWriter {
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #maxHeldBytes: number;
  #held: string[] = [];
  #heldBytes = 0;
  #isWriting = false;
  #isScheduled = false;
  #idle: (() => void)[] = [];
  /** Lines that were dropped because nobody took those before. */
  droppedLines = 0;

  constructor(fd: number, clock: Clock, maxHeldBytes = MAX_HELD_BYTES) {
    this.#fd = fd;
    this.#clock = clock;
    this.#maxHeldBytes = maxHeldBytes;
  }

  /** @param line without a line end */
  writeLine(line: string): void {
    if (this.#heldBytes > this.#maxHeldBytes) {
      this.droppedLines += 1;
      return;
    }
    this.#held.push(line);
    // A UTF-16 unit is at most three bytes; exactness is not needed for a bound.
    this.#heldBytes += line.length + 1;
    if (this.#isWriting || this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#next();
    });
  }

  /** Resolves when everything that was written before is out, or after `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#held.length === 0 && !this.#isWriting) return;
    await Promise.race([new Promise<void>((resolve) => this.#idle.push(resolve)), this.#clock.sleep(deadlineMs)]);
  }

  #next(): void {
    if (this.#held.length === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    const bytes = Buffer.from(`${this.#held.join('\n')}\n`);
    this.#held = [];
    this.#heldBytes = bytes.length;
    this.#isWriting = true;
    this.#send(bytes);
  }

  #send(bytes: Buffer): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        this.#clock.setTimer(RETRY_MS, () => this.#send(bytes));
        return;
      }
      // Nobody reads any more (EPIPE …): the call goes on, its line is lost.
      if (error === null && written < bytes.length) {
        this.#send(bytes.subarray(written));
        return;
      }
      this.#isWriting = false;
      this.#heldBytes = this.#held.reduce((sum, line) => sum + line.length + 1, 0);
      this.#next();
    });
  }
}
