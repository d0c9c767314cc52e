import { close, closeSync, fdatasync, fsync, ftruncate, mkdirSync, open, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock, Timer } from '../clock.ts';
import { PlimsollError } from '../errors.ts';
import { type Pending, wholeFrames } from './batch.ts';
import { DiskPace } from './disk-pace.ts';
import { SEGMENT_MAGIC } from './frame.ts';
import { FrameEncoder, gatherFrames } from './frame-encoder.ts';
import type { JournalEntry, JournalWriter } from './record.ts';
import { prepareReserve } from './reserve.ts';
import { journalBytes, listSegments, segmentPath } from './segment.ts';
import { isDiskFull, type Written, writeAll, writeAllDirectly } from './write-all.ts';

export interface JournalWriterOptions {
  /** `<data>/journal/<writer>`; created when missing. One process writes to it. */
  readonly directory: string;
  readonly clock: Clock;
  /** A segment is closed once it is this long. */
  readonly maxSegmentBytes?: number;
  /** All segments of this writer together: beyond 80 % payloads are shed, at 100 % only the reserve is left. Asked each time, since it follows the configuration. */
  readonly maxTotalBytes?: () => number;
  /** Preallocated space that only ledger records may use. */
  readonly reserveBytes?: number;
  /** Ledger records held in memory when the reserve is used up. */
  readonly ringBytes?: number;
  /**
   * Records that must stand again at the start of each new segment (calls in flight), so that recovery needs the newest segments only. Asked in one
   * turn with the segment's beginning: what it appends itself stands there too, behind all that was appended before.
   */
  readonly carryOver?: () => Iterable<JournalEntry>;
  /** Told once per change: the disk stopped or resumed taking records. */
  readonly onDegraded?: (isDegraded: boolean, reason: string) => void;
}

/** Limit of one writer's segments unless the configuration says another. */
export const DEFAULT_TOTAL_BYTES = 4 * 1024 * 1024 * 1024;
const SYNC_DELAY_MS = 40;
const STALL_MS = 1_000;
const RETRY_MS = 1_000;
const MAX_WRITE_BYTES = 4 * 1024 * 1024;

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);
const ftruncateAsync = promisify(ftruncate);
const openAsync = promisify(open);
const closeAsync = promisify(close);

/** Those who wait for one batch. `sequence` is the last record that any of them asked for. */
interface Waiters {
  sequence: number;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** Where records go now. `ring` = nowhere but memory, until the disk takes them again. */
type Mode = 'normal' | 'reserve' | 'ring';

/**
 * Append-only writer of one directory. One write is in flight at a time; what arrives meanwhile becomes the next write.
 * The event loop never waits for the disk, only for the page cache, and for that only while it answers at once (`DiskPace`).
 */
export class FileJournalWriter implements JournalWriter {
  readonly #options: Required<Omit<JournalWriterOptions, 'carryOver' | 'onDegraded'>>;
  readonly #carryOver: () => Iterable<JournalEntry>;
  readonly #onDegraded: (isDegraded: boolean, reason: string) => void;
  readonly #pace = new DiskPace();
  #fd = -1;
  #segment = 0;
  #offset = 0;
  #mode: Mode = 'normal';
  #queue: Pending[] = [];
  #queuedBytes = 0;
  #sequence = 0;
  #writtenSequence = 0;
  /** Oldest first. */
  #waiters: Waiters[] = [];
  /** The waiters of the batch that is being gathered, the last of #waiters; null until somebody waits for it. */
  #gathering: Waiters | null = null;
  readonly #encoder = new FrameEncoder();
  #isWriting = false;
  #isScheduled = false;
  #isStalled = false;
  #isClosed = false;
  #syncTimer: Timer | null = null;
  #retryTimer: Timer | null = null;
  #totalTimer: Timer | null = null;
  #totalBytes = 0;
  #syncing: Promise<void> = Promise.resolve();
  #work: Promise<void> = Promise.resolve();
  readonly #stats = { shedPayloads: 0, appended: 0, bytes: 0, isDegraded: false };

  private constructor(options: JournalWriterOptions) {
    this.#options = {
      directory: options.directory,
      clock: options.clock,
      maxSegmentBytes: options.maxSegmentBytes ?? 64 * 1024 * 1024,
      maxTotalBytes: options.maxTotalBytes ?? (() => DEFAULT_TOTAL_BYTES),
      reserveBytes: options.reserveBytes ?? 16 * 1024 * 1024,
      ringBytes: options.ringBytes ?? 8 * 1024 * 1024,
    };
    this.#carryOver = options.carryOver ?? (() => []);
    this.#onDegraded = options.onDegraded ?? (() => {});
  }

  /** @throws PlimsollError `data_dir_unusable` when the directory cannot be written at all; a full disk is no error, the writer starts in the ring. */
  static async open(options: JournalWriterOptions): Promise<FileJournalWriter> {
    const writer = new FileJournalWriter(options);
    try {
      mkdirSync(options.directory, { recursive: true, mode: 0o700 });
      writer.#totalBytes = journalBytes(options.directory);
      await prepareReserve(writer.#options.directory, writer.#options.reserveBytes);
      await writer.#openSegment();
    } catch (error) {
      if (!isDiskFull(error)) {
        throw new PlimsollError('data_dir_unusable', `Cannot write the journal in ${options.directory}: ${(error as Error).message}`, {
          details: { directory: options.directory },
          cause: error,
        });
      }
      await writer.#leaveDisk(error);
    }
    writer.#watchTotal();
    return writer;
  }

  get stats(): JournalWriter['stats'] {
    return this.#stats;
  }

  append(record: JournalEntry): void {
    if (this.#isClosed) throw new PlimsollError('internal', 'The journal is closed');
    const isLedger = record.type !== 'payload';
    if (!isLedger && this.#mustShed()) {
      this.#stats.shedPayloads += 1;
      return;
    }
    const frame = this.#encoder.encode(record);
    this.#queue.push({ frame, isLedger, sequence: ++this.#sequence });
    this.#queuedBytes += frame.bytes;
    this.#stats.appended += 1;
    this.#stats.bytes += frame.bytes;
    this.#schedule();
  }

  #mustShed(): boolean {
    return (
      this.#mode !== 'normal' ||
      this.#isStalled ||
      this.#queuedBytes > this.#options.ringBytes ||
      this.#totalBytes > 0.8 * this.#options.maxTotalBytes()
    );
  }

  canAccept(): boolean {
    return !this.#isClosed && ((this.#mode !== 'ring' && !this.#isStalled) || this.#queuedBytes < this.#options.ringBytes);
  }

  written(): Promise<void> {
    if (this.#writtenSequence >= this.#sequence || this.#mode === 'ring' || this.#isStalled) return Promise.resolve();
    const gathering = this.#gathering ?? this.#newWaiters();
    gathering.sequence = this.#sequence;
    return gathering.promise;
  }

  #newWaiters(): Waiters {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gathering = { sequence: this.#sequence, promise, resolve };
    this.#waiters.push(this.#gathering);
    return this.#gathering;
  }

  async sync(): Promise<boolean> {
    const sequence = this.#sequence;
    await this.written();
    const isDown = this.#mode === 'normal' && this.#writtenSequence >= sequence;
    await this.#syncNow();
    return isDown && this.#mode === 'normal';
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    if (this.#mode === 'ring') await this.#tryDiskOnceMore();
    if (this.#mode !== 'ring') await this.sync();
    this.#isClosed = true;
    this.#syncTimer?.cancel();
    this.#retryTimer?.cancel();
    this.#totalTimer?.cancel();
    await this.#work;
    await this.#syncing;
    if (this.#fd >= 0) await closeAsync(this.#fd);
    this.#fd = -1;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isWriting || this.#mode === 'ring') return;
    this.#isScheduled = true;
    // One turn of the event loop gathers what many calls append in it.
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#isWriting || this.#mode === 'ring') return;
      this.#drainDirectly();
      if (this.#queue.length > 0 && !this.#isWriting) this.#work = this.#drain();
    });
  }

  /** Writes as much as may be written on the event loop; leaves the rest, and everything unusual, to `#drain`. */
  #drainDirectly(): void {
    const { clock, maxSegmentBytes } = this.#options;
    while (this.#queue.length > 0 && this.#mode === 'normal' && this.#offset < maxSegmentBytes && !this.#isTotalReached()) {
      const startMs = clock.monotonicMs();
      if (!this.#pace.mayWriteDirectly(this.#queuedBytes, startMs)) return;
      const batch = this.#takeBatch();
      const written = writeAllDirectly(this.#fd, gatherFrames(batch.map((entry) => entry.frame)), this.#offset);
      this.#pace.noteWrite(startMs, clock.monotonicMs());
      const error = this.#book(batch, written);
      if (error === null) continue;
      this.#isWriting = true;
      this.#work = this.#leaveDisk(error).finally(() => {
        this.#isWriting = false;
        if (this.#queue.length > 0) this.#schedule();
      });
      return;
    }
  }

  /** The bytes of a batch are down, all or some of them. */
  #book(batch: readonly Pending[], { bytes, error }: Written): Error | null {
    const { count, bytes: wholeBytes } = wholeFrames(batch, bytes);
    this.#offset += wholeBytes;
    if (this.#mode === 'normal') this.#totalBytes += wholeBytes;
    // A whole frame may have been read already, also when the write failed behind it: it must never be written again elsewhere.
    this.#takeOff(count);
    if (error !== null) return error;
    this.#setStalled(false);
    this.#resolveWaiters();
    this.#scheduleSync();
    return null;
  }

  async #drain(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#queue.length > 0 && this.#fd >= 0) {
        if (this.#offset >= this.#options.maxSegmentBytes) {
          // Takes the whole queue along.
          await this.#rotate();
          continue;
        }
        if (this.#isTotalReached() && this.#mode === 'normal') throw Object.assign(new Error('maxTotalBytes reached'), { code: 'ENOSPC' });
        const batch = this.#takeBatch();
        if (batch.length === 0) throw Object.assign(new Error('reserve used up'), { code: 'ENOSPC' });
        await this.#writeBatch(batch);
      }
    } catch (error) {
      await this.#leaveDisk(error);
    } finally {
      this.#isWriting = false;
      if (this.#queue.length > 0) this.#schedule();
    }
  }

  #isTotalReached(): boolean {
    return this.#totalBytes >= this.#options.maxTotalBytes();
  }

  /** The head of the queue, at most one write long; in the reserve only as much as still fits. */
  #takeBatch(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { frame } of this.#queue) {
      if (count > 0 && bytes + frame.bytes > MAX_WRITE_BYTES) break;
      if (this.#mode === 'reserve' && this.#offset + bytes + frame.bytes > this.#options.reserveBytes) break;
      bytes += frame.bytes;
      count += 1;
    }
    // Who waits from now on waits for a later batch.
    this.#gathering = null;
    return this.#queue.slice(0, count);
  }

  async #writeBatch(batch: readonly Pending[]): Promise<void> {
    const stall = this.#options.clock.setTimer(STALL_MS, () => this.#setStalled(true));
    try {
      const error = this.#book(batch, await writeAll(this.#fd, gatherFrames(batch.map((entry) => entry.frame)), this.#offset));
      if (error !== null) throw error;
    } finally {
      stall.cancel();
    }
  }

  /** The first `count` entries of the queue are with the system. */
  #takeOff(count: number): void {
    for (const { frame, sequence } of this.#queue.splice(0, count)) {
      this.#queuedBytes -= frame.bytes;
      this.#writtenSequence = sequence;
      this.#encoder.release(frame);
    }
    // With an empty queue everything appended is either written or was shed: nobody waits for a shed payload.
    if (this.#queue.length === 0) this.#writtenSequence = this.#sequence;
  }

  #resolveWaiters(): void {
    const isFree = this.#mode === 'ring' || this.#isStalled;
    let done = 0;
    while (done < this.#waiters.length && (isFree || (this.#waiters[done]?.sequence ?? 0) <= this.#writtenSequence))
      this.#waiters[done++]?.resolve();
    if (done > 0) this.#waiters.splice(0, done);
    if (this.#waiters.length === 0) this.#gathering = null;
  }

  #setStalled(isStalled: boolean): void {
    if (this.#isStalled === isStalled) return;
    this.#isStalled = isStalled;
    this.#report(isStalled ? `the disk has not answered a write for ${STALL_MS} ms` : 'the disk answers again');
    if (isStalled) this.#resolveWaiters();
  }

  #report(reason: string): void {
    const isDegraded = this.#isStalled || this.#mode !== 'normal';
    if (isDegraded === this.#stats.isDegraded) return;
    this.#stats.isDegraded = isDegraded;
    this.#onDegraded(isDegraded, reason);
  }

  #scheduleSync(): void {
    this.#syncTimer ??= this.#options.clock.setTimer(SYNC_DELAY_MS, () => {
      this.#syncTimer = null;
      this.#syncNow().catch((error: unknown) => {
        // While a write is in flight it meets the same disk and fails by itself.
        if (!this.#isWriting) void this.#leaveDisk(error);
      });
    });
  }

  #syncNow(): Promise<void> {
    const fd = this.#fd;
    if (fd < 0) return Promise.resolve();
    this.#syncing = this.#syncing.catch(() => {}).then(() => (fd === this.#fd ? this.#syncFile(fd) : undefined));
    return this.#syncing;
  }

  async #syncFile(fd: number): Promise<void> {
    this.#pace.syncStarted(this.#options.clock.monotonicMs());
    try {
      await fdatasyncAsync(fd);
    } finally {
      this.#pace.syncEnded();
    }
  }

  /**
   * The segment shows under its name only once it holds all that recovery needs: the calls in flight, and what waits to be written, such as
   * the settlements of calls that are no longer in flight. A reader may delete the segments before as soon as it sees this one.
   */
  async #openSegment(): Promise<void> {
    this.#segment = (listSegments(this.#options.directory).at(-1) ?? 0) + 1;
    const path = segmentPath(this.#options.directory, this.#segment);
    const temporary = `${path}.new`;
    const fd = await openAsync(temporary, 'w', 0o600);
    try {
      const carried = new FrameEncoder();
      const frames = Array.from(this.#carryOver(), (record) => carried.encode(record));
      const waiting = this.#queue.map((entry) => entry.frame);
      this.#gathering = null;
      const { bytes, error } = await writeAll(fd, [SEGMENT_MAGIC, ...gatherFrames(frames), ...gatherFrames(waiting)], 0);
      if (error !== null) throw error;
      this.#offset = bytes;
      await fdatasyncAsync(fd);
      renameSync(temporary, path);
      await this.#syncDirectory();
      this.#takeOff(waiting.length);
    } catch (error) {
      await closeAsync(fd);
      rmSync(temporary, { force: true });
      rmSync(path, { force: true });
      throw error;
    }
    this.#totalBytes += this.#offset;
    this.#fd = fd;
    this.#resolveWaiters();
  }

  async #rotate(): Promise<void> {
    const old = this.#fd;
    await fdatasyncAsync(old);
    await this.#syncing.catch(() => {});
    await this.#openSegment();
    // One that was begun meanwhile must not meet a closed file and take that for a broken disk.
    await this.#syncing.catch(() => {});
    await closeAsync(old);
  }

  /** The present place does not take records: cut off a half-written frame, then the reserve, then memory. */
  async #leaveDisk(error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#fd >= 0) {
      await this.#syncing.catch(() => {});
      await ftruncateAsync(this.#fd, this.#offset).catch(() => {});
      await closeAsync(this.#fd).catch(() => {});
      this.#fd = -1;
    }
    const shed = this.#queue.filter((entry) => !entry.isLedger);
    if (shed.length > 0) {
      this.#stats.shedPayloads += shed.length;
      for (const { frame } of shed) this.#encoder.release(frame);
      this.#queue = this.#queue.filter((entry) => entry.isLedger);
      this.#queuedBytes = this.#queue.reduce((sum, { frame }) => sum + frame.bytes, 0);
    }
    this.#mode = this.#mode === 'normal' && (await this.#enterReserve()) ? 'reserve' : 'ring';
    this.#report(reason);
    this.#resolveWaiters();
    this.#retryTimer ??= this.#options.clock.setTimer(RETRY_MS, () => this.#retry());
  }

  async #enterReserve(): Promise<boolean> {
    const segment = (listSegments(this.#options.directory).at(-1) ?? 0) + 1;
    const path = segmentPath(this.#options.directory, segment);
    try {
      renameSync(join(this.#options.directory, 'reserve'), path);
      this.#fd = await openAsync(path, 'r+');
    } catch {
      return false;
    }
    this.#segment = segment;
    this.#offset = SEGMENT_MAGIC.length;
    const carried = new FrameEncoder();
    for (const record of this.#carryOver()) {
      const frame = carried.encode(record);
      if (this.#offset + frame.bytes > this.#options.reserveBytes) break;
      const written = await writeAll(this.#fd, gatherFrames([frame]), this.#offset);
      carried.release(frame);
      if (written.error !== null) break;
      this.#offset += written.bytes;
    }
    return true;
  }

  #retry(): void {
    this.#retryTimer = null;
    if (this.#isClosed || this.#mode === 'normal') return;
    if (this.#isWriting) {
      this.#retryTimer = this.#options.clock.setTimer(RETRY_MS, () => this.#retry());
      return;
    }
    this.#isWriting = true;
    this.#work = this.#returnToDisk().finally(() => {
      this.#isWriting = false;
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  /** Before the end: what only memory holds would be gone with it. */
  async #tryDiskOnceMore(): Promise<void> {
    this.#retryTimer?.cancel();
    this.#retryTimer = null;
    await this.#work;
    if (this.#mode === 'normal') return;
    this.#isWriting = true;
    await this.#returnToDisk();
    this.#isWriting = false;
    if (this.#queue.length > 0) this.#schedule();
  }

  async #returnToDisk(): Promise<void> {
    const reserveFd = this.#fd;
    try {
      this.#totalBytes = journalBytes(this.#options.directory);
      if (this.#isTotalReached()) throw Object.assign(new Error('maxTotalBytes reached'), { code: 'ENOSPC' });
      await prepareReserve(this.#options.directory, this.#options.reserveBytes);
      await this.#openSegment();
      if (reserveFd >= 0) await closeAsync(reserveFd);
      this.#mode = 'normal';
      this.#report('the disk takes records again');
    } catch {
      this.#retryTimer = this.#options.clock.setTimer(RETRY_MS, () => this.#retry());
    }
  }

  async #syncDirectory(): Promise<void> {
    const fd = openSync(this.#options.directory, 'r');
    try {
      await fsyncAsync(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Readers delete what they have passed: count again now and then. */
  #watchTotal(): void {
    this.#totalTimer = this.#options.clock.setTimer(2_000, () => {
      if (this.#isClosed) return;
      this.#totalBytes = journalBytes(this.#options.directory);
      this.#watchTotal();
    });
  }
}
