/** After this long an old sample has lost about two thirds of its say. */
const DECAY_MS = 10_000;

/**
 * Exponentially weighted mean of latencies that jumps up at once and comes down slowly, so that a target that turns slow is noticed with the
 * first slow answer.
 * @see Finagle's `PeakEwma` load balancer
 */
export class PeakEwma {
  #valueMs = 0;
  #atMs = 0;
  #count = 0;

  /** Milliseconds; null before the first sample. */
  get valueMs(): number | null {
    return this.#count === 0 ? null : this.#valueMs;
  }

  /** @param nowMs monotonic */
  observe(latencyMs: number, nowMs: number): void {
    if (this.#count === 0 || latencyMs >= this.#valueMs) this.#valueMs = latencyMs;
    else {
      const keep = Math.exp(-Math.max(0, nowMs - this.#atMs) / DECAY_MS);
      // Samples in the same instant still count: one in sixteen at least.
      const weight = Math.max(1 - keep, 1 / 16);
      this.#valueMs += (latencyMs - this.#valueMs) * weight;
    }
    this.#atMs = nowMs;
    this.#count++;
  }
}
