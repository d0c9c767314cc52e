import type { Snapshot } from '../gateway/snapshot.ts';
import { type Clock, systemClock, type Timer } from '../kernel/clock.ts';
import type { CompiledSnapshot } from './snapshot-compiler.ts';

export interface SnapshotPublisherOptions {
  readonly clock: Clock;
  readonly compile: () => Promise<CompiledSnapshot>;
  /** The epoch that belongs to a content hash: the stored one when the hash is the stored one, else the next, durably. */
  readonly epochOf: (hash: string) => Promise<number>;
  /** The epoch that was published last, by whichever control replica; null when none was. Cheap: it is asked twice a second. */
  readonly storedEpoch: () => Promise<number | null>;
  readonly onError: (error: unknown) => void;
  readonly onPublished: () => void;
}

/** What another control replica published is seen this late: a switch thrown there acts here within a second. */
const PEER_CHECK_MS = 500;
/** Changes that nobody published yet (a dated price, a key past its time) are seen this many checks late. */
const CHECKS_PER_COMPILE = 4;

/** Holds the newest snapshot, makes a new one when something changed, and wakes the gateways that wait for it. */
export class SnapshotPublisher {
  readonly #options: SnapshotPublisherOptions;
  #current: { snapshot: Snapshot; hash: string } | null = null;
  #waiters = new Set<() => void>();
  #refreshing: Promise<void> = Promise.resolve();
  #timer: Timer | null = null;
  #isClosed = false;
  #checks = 0;

  constructor(options: SnapshotPublisherOptions) {
    this.#options = options;
  }

  get current(): Snapshot | null {
    return this.#current?.snapshot ?? null;
  }

  /** First compile. @throws what compiling throws: without any snapshot control does not start */
  async start(): Promise<void> {
    await this.#compile();
    this.#recheckLater();
  }

  /** Compiles again; when it fails the old snapshot stays and the error is reported. Calls are done one after the other. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.then(() => this.#compile()).catch((error: unknown) => this.#options.onError(error));
    return this.#refreshing;
  }

  async #compile(): Promise<void> {
    const { content, hash } = await this.#options.compile();
    if (this.#current?.hash === hash) return;
    const epoch = await this.#options.epochOf(hash);
    this.#current = { snapshot: Object.freeze({ ...content, epoch, createdAtMs: this.#options.clock.nowMs() }), hash };
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const wake of waiters) wake();
    this.#options.onPublished();
  }

  #recheckLater(): void {
    if (this.#isClosed) return;
    this.#timer = systemClock.setTimer(PEER_CHECK_MS, () => void this.#recheck().then(() => this.#recheckLater()));
  }

  async #recheck(): Promise<void> {
    this.#checks++;
    try {
      const isDue = this.#checks % CHECKS_PER_COMPILE === 0;
      if (isDue || (await this.#options.storedEpoch()) !== this.current?.epoch) await this.refresh();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /**
   * The snapshot when its epoch differs from `after`, else the next one within `holdMs`, else null.
   * Differs, not exceeds: after a restore from backup the epoch may have gone back.
   */
  next(after: number, holdMs: number, signal: AbortSignal): Promise<Snapshot | null> {
    const current = this.current;
    if (current !== null && current.epoch !== after) return Promise.resolve(current);
    if (holdMs <= 0) return Promise.resolve(null);
    return new Promise((resolve) => {
      const done = (snapshot: Snapshot | null): void => {
        this.#waiters.delete(wake);
        timer.cancel();
        signal.removeEventListener('abort', cancel);
        resolve(snapshot);
      };
      const wake = (): void => done(this.current);
      const cancel = (): void => done(null);
      const timer = systemClock.setTimer(holdMs, cancel);
      this.#waiters.add(wake);
      signal.addEventListener('abort', cancel);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const wake of this.#waiters) wake();
  }
}
