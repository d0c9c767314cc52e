import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { PlimsollError } from '../../kernel/errors.ts';
import { parseRow, type ResultRow, rowLine } from './result-row.ts';

const BATCH_ROWS = 64;
const BATCH_MS = 250;
/** More than that is not kept waiting for the disk. */
const MAX_WAITING_ROWS = 1_000;
const RUN_ID = /^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$/;

/** What a run is: written once, before anything is called. */
export interface RunHeader {
  readonly version: 1;
  readonly id: string;
  readonly suite: string;
  readonly file: string;
  readonly feature: string | null;
  readonly startedAtMs: number;
  /** Of prompts, targets, cases, assertions and repeats: a run is resumed with the same only. */
  readonly planHash: string;
  /** Of types, options and judge of all assertions: runs with different ones are compared with a warning. */
  readonly assertionHash: string;
  readonly prompts: readonly { readonly label: string; readonly hash: string }[];
  readonly targets: readonly { readonly label: string; readonly model: string | null }[];
  readonly repeats: number;
  readonly judge: string | null;
  readonly cases: number;
  /** Items of the matrix. */
  readonly total: number;
}

/** A run's folder: `run.json`, `results.jsonl` (appended in batches), `summary.json` (at its end). */
export class RunDirectory {
  readonly id: string;
  readonly path: string;

  /** @param root `<data>/evals` */
  constructor(root: string, id: string) {
    if (!RUN_ID.test(id)) throw new PlimsollError('invalid_argument', `"${id}" is not the id of a run; see: plimsoll eval list`);
    this.id = id;
    this.path = join(root, id);
  }

  /** Newest first. */
  static list(root: string): RunDirectory[] {
    if (!existsSync(root)) return [];
    return readdirSync(root)
      .filter((name) => RUN_ID.test(name) && existsSync(join(root, name, 'run.json')))
      .sort()
      .reverse()
      .map((name) => new RunDirectory(root, name));
  }

  get results(): string {
    return join(this.path, 'results.jsonl');
  }

  create(header: RunHeader): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    this.#write('run.json', header);
  }

  /** @throws PlimsollError `not_found` */
  header(): RunHeader {
    const path = join(this.path, 'run.json');
    if (!existsSync(path)) throw new PlimsollError('not_found', `There is no run "${this.id}" in ${this.path}; see: plimsoll eval list`);
    return JSON.parse(readFileSync(path, 'utf8')) as RunHeader; // written by create
  }

  writeSummary(summary: unknown): void {
    this.#write('summary.json', summary);
  }

  /** Null while it runs, and after it was killed. */
  summary<T>(): T | null {
    const path = join(this.path, 'summary.json');
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : null; // written by writeSummary
  }

  /** Whole files only: a reader never sees half of one. */
  #write(name: string, value: unknown): void {
    const path = join(this.path, name);
    writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  }

  /** Rows in the order in which they were written; of an item that is there twice the first. Damaged lines are left out: their items are done again. */
  async *rows(): AsyncGenerator<ResultRow> {
    const seen = new Set<number>();
    for await (const { row } of this.#lines()) {
      if (row === null || seen.has(row.n)) continue;
      seen.add(row.n);
      yield row;
    }
  }

  /** Cuts off a line that a killed process left half written. */
  async repair(): Promise<void> {
    let whole = 0;
    for await (const { end, isComplete } of this.#lines()) if (isComplete) whole = end;
    if (existsSync(this.results) && statSync(this.results).size > whole) truncateSync(this.results, whole);
  }

  async *#lines(): AsyncGenerator<{ row: ResultRow | null; end: number; isComplete: boolean }> {
    if (!existsSync(this.results)) return;
    let waiting: Buffer[] = [];
    let end = 0;
    for await (const chunk of createReadStream(this.results, { highWaterMark: 1 << 18 })) {
      let from = 0;
      const bytes = chunk as Buffer; // no encoding was set
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
        const line = Buffer.concat([...waiting, bytes.subarray(from, at)]);
        waiting = [];
        end += line.length + 1;
        from = at + 1;
        yield { row: parseRow(line.toString()), end, isComplete: true };
      }
      if (from < bytes.length) waiting.push(bytes.subarray(from));
    }
    if (waiting.length > 0) yield { row: null, end: end + Buffer.concat(waiting).length, isComplete: false };
  }

  async writer(): Promise<RunWriter> {
    return new RunWriter(await open(this.results, 'a', 0o600));
  }
}

/** Appends rows in batches; a batch is one write and one fdatasync. What a kill loses is what was not yet in a batch. */
export class RunWriter {
  readonly #file: FileHandle;
  #waiting: string[] = [];
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failure: unknown = null;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @returns a promise only when the disk does not keep up */
  append(row: ResultRow): Promise<void> | null {
    if (this.#failure !== null) throw this.#failure;
    this.#waiting.push(rowLine(row));
    if (this.#waiting.length >= BATCH_ROWS) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), BATCH_MS);
    return this.#waiting.length > MAX_WAITING_ROWS ? this.flush() : null;
  }

  #start(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#writing !== null || this.#waiting.length === 0) return;
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#writing = this.#write(text).finally(() => {
      this.#writing = null;
      if (this.#waiting.length >= BATCH_ROWS) this.#start();
      else if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#start(), BATCH_MS);
    });
  }

  async #write(text: string): Promise<void> {
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
    } catch (cause) {
      this.#failure = new PlimsollError('data_dir_unusable', `The results of the run cannot be written: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** @throws PlimsollError `data_dir_unusable` when a batch could not be written */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#writing !== null) {
      this.#start();
      await this.#writing;
      if (this.#failure !== null) throw this.#failure;
    }
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      if (this.#timer !== null) clearTimeout(this.#timer);
      await this.#file.close();
    }
  }
}
