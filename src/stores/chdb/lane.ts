import type { Session } from 'chdb';
import { EngineException } from './exception.ts';

/** One chDB connection: strictly serial, with the database it was last switched to. */
export interface LaneConnection {
  readonly session: Session;
  database: string;
}

/** Some connections with one bounded queue in front. At most one statement runs on a connection, the rest wait here, not in libuv. */
export class Lane {
  readonly name: string;
  readonly #idle: LaneConnection[];
  readonly #size: number;
  readonly #maxWaiting: number;
  readonly #waiting: ((connection: LaneConnection) => void)[] = [];
  #onDrained: (() => void) | null = null;

  constructor(name: string, connections: readonly LaneConnection[], maxWaiting: number) {
    this.name = name;
    this.#idle = [...connections];
    this.#size = connections.length;
    this.#maxWaiting = maxWaiting;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Runs a job alone on a connection. A job whose signal aborts while it waits never starts.
   * @throws EngineException 202 TOO_MANY_SIMULTANEOUS_QUERIES when the queue is full
   */
  async run<T>(signal: AbortSignal, job: (connection: LaneConnection) => Promise<T>): Promise<T> {
    const connection = await this.#acquire(signal);
    try {
      return await job(connection);
    } finally {
      this.#release(connection);
    }
  }

  /** Resolves when no job runs. */
  async drained(): Promise<void> {
    if (this.#idle.length === this.#size) return;
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
  }

  #acquire(signal: AbortSignal): Promise<LaneConnection> {
    const aborted = () => new EngineException(394, 'QUERY_WAS_CANCELLED', 'The client left before its query started');
    if (signal.aborted) return Promise.reject(aborted());
    const connection = this.#idle.pop();
    if (connection) return Promise.resolve(connection);
    if (this.#waiting.length >= this.#maxWaiting)
      return Promise.reject(
        new EngineException(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', `${this.#maxWaiting} queries already wait in lane "${this.name}"`),
      );
    return new Promise((resolve, reject) => {
      const start = (free: LaneConnection) => {
        signal.removeEventListener('abort', leave);
        resolve(free);
      };
      const leave = () => {
        const place = this.#waiting.indexOf(start);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(aborted());
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(start);
    });
  }

  #release(connection: LaneConnection): void {
    const next = this.#waiting.shift();
    if (next) {
      next(connection);
      return;
    }
    this.#idle.push(connection);
    if (this.#idle.length === this.#size) this.#onDrained?.();
  }
}
