/** Larger batches leave the event loop: at half a microsecond per KiB they would hold it up. */
const MAX_DIRECT_BYTES = 256 * 1024;
/** A write into the page cache that took longer than this says that the disk is in trouble. */
const SLOW_WRITE_MS = 5;
/** For so long writes then go through the thread pool, where they hold up nobody. */
const CAUTIOUS_MS = 2_000;

/**
 * Decides whether a batch may be written on the event loop. A write into the page cache takes some microseconds, the way through the thread pool
 * twice that and a wake-up; but a disk that hangs must never hang the gateway. So: small batches only, never while a sync is in flight (a
 * hanging disk hangs its sync first, which is tried every few milliseconds), and not for a while after a write that was slow.
 */
export class DiskPace {
  #cautiousUntilMs = 0;
  #syncs = 0;

  mayWriteDirectly(bytes: number, nowMs: number): boolean {
    return this.#syncs === 0 && bytes <= MAX_DIRECT_BYTES && nowMs >= this.#cautiousUntilMs;
  }

  /** @param startMs,endMs monotonic times around a direct write */
  noteWrite(startMs: number, endMs: number): void {
    if (endMs - startMs > SLOW_WRITE_MS) this.#cautiousUntilMs = endMs + CAUTIOUS_MS;
  }

  syncStarted(): void {
    this.#syncs++;
  }

  syncEnded(): void {
    this.#syncs--;
  }
}
