import { PeakEwma } from './peak-ewma.ts';

const SAMPLES = 128;
/** Below this many a 95th percentile is one sample's luck. */
const MINIMUM_SAMPLES = 20;

/** Latencies of one target: a mean that reacts at once, and the last 128 for a percentile. */
export class LatencyTrack {
  readonly mean = new PeakEwma();
  readonly #samples = new Float64Array(SAMPLES);
  #count = 0;
  #p95Ms: number | null = null;
  #p95Count = -1;

  /** @param nowMs monotonic */
  observe(latencyMs: number, nowMs: number): void {
    this.mean.observe(latencyMs, nowMs);
    this.#samples[this.#count % SAMPLES] = latencyMs;
    this.#count++;
  }

  /** Milliseconds, by nearest rank over the last samples; null while there are too few. */
  p95Ms(): number | null {
    if (this.#count < MINIMUM_SAMPLES) return null;
    if (this.#p95Count !== this.#count) {
      const size = Math.min(this.#count, SAMPLES);
      const sorted = this.#samples.slice(0, size).sort();
      this.#p95Ms = sorted[Math.ceil(size * 0.95) - 1] ?? null;
      this.#p95Count = this.#count;
    }
    return this.#p95Ms;
  }
}
