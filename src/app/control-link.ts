import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Pool } from 'undici';
import { SNAPSHOT_SCHEMA_VERSION, type Snapshot } from '../gateway/snapshot.ts';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';

export interface ControlLinkOptions {
  readonly controlUrl: string;
  readonly clusterKey: string;
  /** Where the last snapshot rests (0600), so that the gateway boots while control is away. */
  readonly snapshotPath: string;
  readonly clock: Clock;
  /** Told to control with every poll, for the status page. */
  readonly report: () => GatewayReport;
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onState: (isReachable: boolean, reason: string) => void;
}

/** What a gateway worker says of itself. */
export interface GatewayReport {
  readonly writer: string;
  readonly isReady: boolean;
  readonly reasons: readonly string[];
  readonly shedPayloads: number;
  readonly isDegraded: boolean;
}

const RETRY_MS = 500;
/** Control may take this long to start before its absence is reported. */
const START_MS = 5_000;
/** Control holds the request open until there is a new epoch: a push without a second channel. */
const HOLD_MS = 2_000;
/** Beyond the hold; a control that is longer silent than this has stopped, also when its socket still takes connections. */
const SILENCE_MS = 2_000;

/** Keeps the gateway's snapshot fresh: from disk at once, from control as soon as there is a newer one. */
export class ControlLink {
  readonly #options: ControlLinkOptions;
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #startedMs: number;
  #epoch = -1;
  #isClosed = false;
  #isReachable: boolean | null = null;
  #request: AbortController | null = null;

  constructor(options: ControlLinkOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    const url = new URL(options.controlUrl);
    this.#pool = new Pool(url.origin, {
      connections: 2,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: SILENCE_MS },
    });
    this.#basePath = url.pathname.replace(/\/+$/, '');
  }

  /** @returns true when there was a usable snapshot on disk */
  loadFromDisk(): boolean {
    try {
      this.#use(JSON.parse(readFileSync(this.#options.snapshotPath, 'utf8')) as Snapshot);
      return true;
    } catch {
      return false;
    }
  }

  /** Follows control until closed; never throws. */
  async follow(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const snapshot = await this.#fetch();
        this.#setReachable(true, '');
        if (snapshot !== null) {
          this.#use(snapshot);
          this.#save(snapshot);
        }
      } catch (error) {
        if (this.#isClosed) return;
        this.#setReachable(false, (error as Error).message);
        await this.#options.clock.sleep(RETRY_MS);
      }
    }
  }

  async #fetch(): Promise<Snapshot | null> {
    // After a failure ask without holding, so that the state is known at once.
    const hold = this.#isReachable === true ? HOLD_MS : 0;
    const request = new AbortController();
    this.#request = request;
    const timer = this.#options.clock.setTimer(hold + SILENCE_MS, () =>
      request.abort(new PlimsollError('store_unavailable', `control has been silent for ${hold + SILENCE_MS} ms`)),
    );
    try {
      return await this.#ask(hold, request.signal);
    } finally {
      timer.cancel();
    }
  }

  async #ask(hold: number, signal: AbortSignal): Promise<Snapshot | null> {
    const answer = await this.#pool.request({
      method: 'GET',
      path: `${this.#basePath}/internal/v1/snapshot?after=${this.#epoch}&holdMs=${hold}`,
      headers: { authorization: `Bearer ${this.#options.clusterKey}`, 'x-plimsoll-gateway': JSON.stringify(this.#options.report()) },
      signal,
    });
    if (answer.statusCode === 204) {
      await answer.body.dump();
      return null;
    }
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw new PlimsollError(
        'store_unavailable',
        `control answered ${answer.statusCode}${answer.statusCode === 401 ? ': the cluster keys differ' : ''}`,
      );
    }
    return (await answer.body.json()) as Snapshot;
  }

  #use(snapshot: Snapshot): void {
    // One version of skew in either direction: fields are only ever added.
    if (Math.abs(snapshot.schemaVersion - SNAPSHOT_SCHEMA_VERSION) > 1) {
      throw new PlimsollError(
        'data_newer_than_code',
        `The snapshot has schema ${snapshot.schemaVersion}; this gateway reads ${SNAPSHOT_SCHEMA_VERSION} and its neighbours`,
      );
    }
    this.#epoch = snapshot.epoch;
    this.#options.onSnapshot(snapshot);
  }

  #save(snapshot: Snapshot): void {
    const path = this.#options.snapshotPath;
    const temporary = `${path}.${process.pid}`;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(temporary, JSON.stringify(snapshot), { mode: 0o600, flush: true });
      chmodSync(temporary, 0o600);
      renameSync(temporary, path);
    } catch (error) {
      // The snapshot in memory serves; only the next boot without control would miss it.
      this.#options.onState(true, `cannot save the snapshot: ${(error as Error).message}`);
    }
  }

  #setReachable(isReachable: boolean, reason: string): void {
    if (this.#isReachable === isReachable) return;
    // Gateway and control start together: whose door opens first is no news.
    if (this.#isReachable === null && (isReachable || this.#options.clock.monotonicMs() - this.#startedMs < START_MS)) {
      if (isReachable) this.#isReachable = true;
      return;
    }
    this.#isReachable = isReachable;
    this.#options.onState(isReachable, reason);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#request?.abort();
    await this.#pool.destroy();
  }
}
