/** Larger batches leave the event loop: at half a microsecond per KiB they would hold it up. */
const MAX_DIRECT_BYTES = 256 * 1024;
/** A write into the page cache that took longer than this says that the disk is in trouble. */
const SLOW_WRITE_MS = 25;
/** For so long writes then go through the thread pool, where they hold up nobody. */
const CAUTIOUS_MS = 2_000;
/** A sync that has not come back after this long may never do. */
const SLOW_SYNC_MS = 20;

/**
 * Decides whether a batch may be written on the event loop. A write into the page cache takes some microseconds, the way through the thread pool
 * twice that and a wake-up; but a disk that hangs must never hang the gateway. So: small batches only, not while a sync is slow to come back (a
 * hanging disk hangs its sync first, and one is begun every few milliseconds), and not for a while after a write that was slow.
 */
export class DiskPace {
  #cautiousUntilMs = 0;
  /** Monotonic time at which the oldest sync in flight was begun; null when none is. */
  #syncStartMs: number | null = null;

  mayWriteDirectly(bytes: number, nowMs: number): boolean {
    if (bytes > MAX_DIRECT_BYTES || nowMs < this.#cautiousUntilMs) return false;
    return this.#syncStartMs === null || nowMs - this.#syncStartMs < SLOW_SYNC_MS;
  }

  /** @param startMs,endMs monotonic times around a direct write */
  noteWrite(startMs: number, endMs: number): void {
    if (endMs - startMs > SLOW_WRITE_MS) this.#cautiousUntilMs = endMs + CAUTIOUS_MS;
  }

  syncStarted(nowMs: number): void {
    this.#syncStartMs ??= nowMs;
  }

  syncEnded(): void {
    this.#syncStartMs = null;
  }
}
