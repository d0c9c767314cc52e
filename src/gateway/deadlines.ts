import type { Clock, Timer } from '../kernel/clock.ts';
import { SlotList, type Slotted } from './slot-list.ts';

/** Something that can run out of time. */
export interface Deadlined extends Slotted {
  /** Called about every `resolutionMs` with monotonic milliseconds. May remove itself. */
  checkDeadline(nowMs: number): void;
}

/**
 * One coarse timer for all calls: a call costs a list entry, a chunk costs nothing. A deadline fires at most `resolutionMs` late.
 * The timer runs only while something is watched.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #resolutionMs: number;
  readonly #watched = new SlotList<Deadlined>();
  #timer: Timer | null = null;

  constructor(clock: Clock, resolutionMs = 25) {
    this.#clock = clock;
    this.#resolutionMs = resolutionMs;
  }

  watch(entry: Deadlined): void {
    this.#watched.add(entry);
    this.#timer ??= this.#clock.setTimer(this.#resolutionMs, this.#tick);
  }

  unwatch(entry: Deadlined): void {
    this.#watched.delete(entry);
  }

  readonly #tick = (): void => {
    const nowMs = this.#clock.monotonicMs();
    for (const entry of this.#watched.list()) if (entry.slot >= 0) entry.checkDeadline(nowMs);
    this.#timer = this.#watched.size > 0 ? this.#clock.setTimer(this.#resolutionMs, this.#tick) : null;
  };
}
