import { open } from 'node:fs/promises';
import { Pool } from 'undici';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { deleteReadSegments, readJournal } from '../kernel/journal/reader.ts';
import { segmentPath } from '../kernel/journal/segment.ts';

export interface JournalUploaderOptions {
  readonly directory: string;
  readonly writer: string;
  readonly controlUrl: string;
  readonly clusterKey: string;
  readonly clock: Clock;
  readonly log: (level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>) => void;
}

const CHUNK_BYTES = 4 * 1024 * 1024;
const IDLE_MS = 200;
const MAX_BACKOFF_MS = 5_000;

/**
 * Copies this gateway's journal, byte for byte, to a control on another machine. Control says how far it has come (that is the durable
 * cursor), so a chunk that is sent twice is written once.
 */
export class JournalUploader {
  readonly #options: JournalUploaderOptions;
  readonly #pool: Pool;
  readonly #basePath: string;
  #isStopping = false;
  #work: Promise<void> = Promise.resolve();

  constructor(options: JournalUploaderOptions) {
    this.#options = options;
    const url = new URL(options.controlUrl);
    this.#basePath = `${url.pathname.replace(/\/+$/, '')}/internal/v1/journal/${encodeURIComponent(options.writer)}`;
    this.#pool = new Pool(url.origin, { connections: 1, headersTimeout: 30_000, bodyTimeout: 30_000, connect: { timeout: 5_000 } });
  }

  start(): void {
    this.#work = this.#run();
  }

  /** Sends what is still here, for as long as control takes it and the deadline allows; the rest waits on disk for the next start. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#work;
    const endMs = this.#options.clock.monotonicMs() + deadlineMs;
    try {
      while (this.#options.clock.monotonicMs() < endMs && (await this.#step()));
    } catch (error) {
      this.#options.log('warn', 'journal_upload_left', { message: (error as Error).message });
    }
    await this.#pool.destroy();
  }

  async #run(): Promise<void> {
    let backoffMs = IDLE_MS;
    let isWaiting = false;
    while (!this.#isStopping) {
      try {
        const moved = await this.#step();
        isWaiting = false;
        backoffMs = IDLE_MS;
        if (!moved) await this.#options.clock.sleep(IDLE_MS);
      } catch (error) {
        if (!isWaiting) this.#options.log('warn', 'journal_upload_waiting', { message: (error as Error).message });
        isWaiting = true;
        await this.#options.clock.sleep(backoffMs);
        backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
      }
    }
  }

  /** @returns true when bytes were sent */
  async #step(): Promise<boolean> {
    const { directory } = this.#options;
    const cursor = await this.#ask('GET', '', null);
    const slice = await readJournal(directory, cursor, { maxRecords: 100_000, maxBytes: CHUNK_BYTES });
    if (slice.records.length === 0) return false;
    // Whole records only: a preallocated segment ends in zeros that later records will overwrite.
    const { segment, offset } = slice.from;
    await this.#ask(
      'POST',
      `?segment=${segment}&offset=${offset}`,
      await readRange(segmentPath(directory, segment), offset, slice.next.offset),
    );
    await deleteReadSegments(directory, { segment, offset: 0 });
    return true;
  }

  async #ask(method: 'GET' | 'POST', query: string, body: Buffer | null): Promise<{ segment: number; offset: number }> {
    const answer = await this.#pool.request({
      method,
      path: `${this.#basePath}${query}`,
      headers: { authorization: `Bearer ${this.#options.clusterKey}`, ...(body ? { 'content-type': 'application/octet-stream' } : {}) },
      body,
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200)
      throw new PlimsollError('store_unavailable', `control answered ${answer.statusCode} to a journal upload: ${text.slice(0, 200)}`);
    return JSON.parse(text) as { segment: number; offset: number };
  }
}

async function readRange(path: string, from: number, to: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(to - from);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, from + filled);
      if (bytesRead === 0) throw new PlimsollError('internal', `${path} became shorter while it was read`);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}
