/** A window is cut into this many steps; what falls into one step is one entry. */
export const STEPS_PER_WINDOW = 65_536;

const FIRST_ENTRIES = 8;

/**
 * How much was counted within the last `windowMs`: a log of (time, amount), not a bucket, so that no window anywhere on the time line holds more
 * than was admitted against it. Entries are merged to steps of `windowMs / 65536`, each taken to stand at the end of its step: an amount leaves the
 * window up to one step late, never early.
 *
 * Memory: 16 bytes an entry, grown as needed, 1 MiB at the very most. Time is monotonic milliseconds; a time before the newest one counts as that.
 */
export class SlidingWindow {
  readonly windowMs: number;
  readonly #stepMs: number;
  /** A ring; its length is a power of two. */
  #steps = new Float64Array(FIRST_ENTRIES);
  #amounts = new Float64Array(FIRST_ENTRIES);
  #head = 0;
  #count = 0;
  #sum = 0;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
    this.#stepMs = windowMs / STEPS_PER_WINDOW;
  }

  /** What lies in the window that ends at `nowMs`. */
  sum(nowMs: number): number {
    const lastExpired = Math.floor((nowMs - this.windowMs) / this.#stepMs) - 1;
    const mask = this.#steps.length - 1;
    while (this.#count > 0 && (this.#steps[this.#head] as number) <= lastExpired) {
      this.#sum -= this.#amounts[this.#head] as number;
      this.#head = (this.#head + 1) & mask;
      this.#count--;
    }
    if (this.#count === 0) this.#sum = 0;
    return this.#sum;
  }

  /** Counts an amount at `atMs`. */
  add(atMs: number, amount: number): void {
    let step = Math.floor(atMs / this.#stepMs);
    this.#sum += amount;
    const mask = this.#steps.length - 1;
    if (this.#count > 0) {
      const last = (this.#head + this.#count - 1) & mask;
      const newest = this.#steps[last] as number;
      if (step <= newest) step = newest;
      if (step === newest) {
        this.#amounts[last] = (this.#amounts[last] as number) + amount;
        return;
      }
    }
    if (this.#count === this.#steps.length) this.#grow();
    const at = (this.#head + this.#count) & (this.#steps.length - 1);
    this.#steps[at] = step;
    this.#amounts[at] = amount;
    this.#count++;
  }

  /** Corrects what was counted at `atMs` by `delta`; nothing when that has left the window since. @returns by how much it was corrected */
  correct(atMs: number, delta: number): number {
    const step = Math.floor(atMs / this.#stepMs);
    const mask = this.#steps.length - 1;
    let low = 0;
    let high = this.#count - 1;
    // The first entry at or after the step: an earlier clock may have been moved up to a later entry.
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#steps[(this.#head + middle) & mask] as number) < step) low = middle + 1;
      else high = middle;
    }
    if (this.#count === 0) return 0;
    const at = (this.#head + low) & mask;
    if ((this.#steps[at] as number) < step || (low === 0 && (this.#steps[at] as number) > step)) return 0;
    // What is not there cannot be given back.
    const change = Math.max(delta, -(this.#amounts[at] as number));
    this.#amounts[at] = (this.#amounts[at] as number) + change;
    this.#sum += change;
    return change;
  }

  /**
   * Takes back what was counted too much and may stand anywhere in the window: from the oldest entries, so that never less than the truth is left
   * for later.
   */
  giveBack(amount: number): void {
    const mask = this.#steps.length - 1;
    let left = amount;
    for (let index = 0; index < this.#count && left > 0; index++) {
      const at = (this.#head + index) & mask;
      const part = Math.min(left, this.#amounts[at] as number);
      this.#amounts[at] = (this.#amounts[at] as number) - part;
      this.#sum -= part;
      left -= part;
    }
  }

  /** Milliseconds until `amount` fits under `capacity`; null when it never does. 0 = now. */
  waitMs(nowMs: number, amount: number, capacity: number): number | null {
    if (amount > capacity) return null;
    let over = this.sum(nowMs) + amount - capacity;
    const mask = this.#steps.length - 1;
    for (let index = 0; index < this.#count && over > 0; index++) {
      const at = (this.#head + index) & mask;
      over -= this.#amounts[at] as number;
      if (over <= 0) return this.#leavesMs(this.#steps[at] as number) - nowMs;
    }
    return 0;
  }

  /** Milliseconds until the window is empty if nothing more is counted. */
  emptyInMs(nowMs: number): number {
    if (this.sum(nowMs) === 0 && this.#count === 0) return 0;
    const last = (this.#head + this.#count - 1) & (this.#steps.length - 1);
    return Math.max(0, this.#leavesMs(this.#steps[last] as number) - nowMs);
  }

  /** What a process that continues needs: (age of the entry, amount) pairs, oldest first, merged to at most `maxEntries`, each as young as its youngest part. */
  entries(nowMs: number, maxEntries: number): [ageMs: number, amount: number][] {
    this.sum(nowMs);
    const mask = this.#steps.length - 1;
    const perEntry = Math.max(1, Math.ceil(this.#count / maxEntries));
    const entries: [number, number][] = [];
    for (let index = 0; index < this.#count; index += perEntry) {
      let amount = 0;
      const end = Math.min(index + perEntry, this.#count);
      for (let part = index; part < end; part++) amount += this.#amounts[(this.#head + part) & mask] as number;
      const youngest = this.#steps[(this.#head + end - 1) & mask] as number;
      // From the end of its step: rounded anew, it must not leave the window earlier than here.
      if (amount > 0) entries.push([Math.max(0, nowMs - (youngest + 1) * this.#stepMs), amount]);
    }
    return entries;
  }

  /** First moment at which an entry of this step is outside. */
  #leavesMs(step: number): number {
    return (step + 1) * this.#stepMs + this.windowMs;
  }

  #grow(): void {
    const length = this.#steps.length;
    const steps = new Float64Array(length * 2);
    const amounts = new Float64Array(length * 2);
    for (let index = 0; index < this.#count; index++) {
      const at = (this.#head + index) & (length - 1);
      steps[index] = this.#steps[at] as number;
      amounts[index] = this.#amounts[at] as number;
    }
    this.#steps = steps;
    this.#amounts = amounts;
    this.#head = 0;
  }
}
