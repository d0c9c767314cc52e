/** Backslash, quote and line end are what Prometheus escapes in a label's value. */
export function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

export function writeHeader(lines: string[], name: string, type: 'counter' | 'gauge' | 'histogram', help: string): void {
  lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
}

/** A histogram with fixed upper bounds, ascending: counts per bucket (the last is +Inf), then the sum. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++; // within the bounds by the condition before
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** Both have the same bounds. */
  add(other: Histogram): void {
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (other.#counts[bucket] ?? 0);
    }
    this.#sum += other.#sum;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Prometheus text; nothing when nothing was observed. */
  write(lines: string[], name: string, labels: string): void {
    if (this.count === 0) return;
    let cumulative = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      cumulative += count;
      lines.push(`${name}_bucket{${labels},le="${this.#bounds[bucket] ?? '+Inf'}"} ${cumulative}`);
    }
    lines.push(`${name}_sum{${labels}} ${this.#sum}`, `${name}_count{${labels}} ${cumulative}`);
  }
}
