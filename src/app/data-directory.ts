import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PlimsollError } from '../kernel/errors.ts';
import { contentHash, newSecret } from '../kernel/ids.ts';
import { listSegments, segmentPath } from '../kernel/journal/segment.ts';

/** A month, in any time zone. */
const LONGEST_PERIOD_MS = 32 * 86_400_000;

/** Places inside the data directory. */
export class DataDirectory {
  readonly root: string;
  constructor(root: string) {
    this.root = root;
  }
  get journals(): string {
    return join(this.root, 'journal');
  }
  journal(writer: string): string {
    return join(this.journals, writer);
  }
  /**
   * Gateway workers of this machine that have written within the longest period that limits know, and nothing since `untilMs`.
   * @param prefix of their names, up to the number
   */
  gatewayWriters(prefix: string, untilMs = Number.POSITIVE_INFINITY): string[] {
    const names = existsSync(this.journals) ? readdirSync(this.journals) : [];
    return names.filter((name) => {
      if (!name.startsWith(prefix) || !/^\d+$/.test(name.slice(prefix.length))) return false;
      const newest = listSegments(this.journal(name)).at(-1);
      if (newest === undefined) return false;
      const stat = statSync(segmentPath(this.journal(name), newest), { throwIfNoEntry: false });
      return stat !== undefined && stat.mtimeMs <= untilMs && Date.now() - stat.mtimeMs < LONGEST_PERIOD_MS;
    });
  }
  get controlDatabase(): string {
    return join(this.root, 'control', 'control.db');
  }
  get lastGoodConfig(): string {
    return join(this.root, 'control', 'last-good.yaml');
  }
  get engine(): string {
    return join(this.root, 'engine');
  }
  get snapshot(): string {
    return join(this.root, 'gateway', 'snapshot.json');
  }
  get compileCache(): string {
    return join(this.root, 'cache', 'compile');
  }
  /** One empty file for each child that works on this directory. */
  get processes(): string {
    return join(this.root, 'processes');
  }
  get secrets(): string {
    return join(this.root, 'secrets');
  }

  /** @throws PlimsollError `data_dir_unusable` with the path and the system's reason */
  prepare(): void {
    try {
      // mkdir of a whole path answers ENOENT on a read-only file system; asked for directly, the system gives its real reason.
      if (!existsSync(this.root)) accessSync(nearestExisting(this.root), constants.W_OK | constants.X_OK);
      for (const directory of [
        this.root,
        this.journals,
        join(this.root, 'control'),
        join(this.root, 'gateway'),
        this.processes,
        this.secrets,
        this.compileCache,
      ])
        mkdirSync(directory, { recursive: true, mode: 0o700 });
      accessSync(this.root, constants.R_OK | constants.W_OK | constants.X_OK);
      const probe = join(this.root, `.probe-${process.pid}`);
      writeFileSync(probe, 'x');
      rmSync(probe);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw new PlimsollError('data_dir_unusable', `Cannot use the data directory ${this.root}: ${(error as Error).message}`, {
        details: { directory: this.root },
        cause: error,
      });
    }
  }

  /** A secret that was made before; null when there is none. */
  existingSecret(name: string): string | null {
    const path = join(this.secrets, name);
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
  }

  /**
   * A secret made on first use and kept (0600). Safe when several processes ask at once: the first one's value wins.
   * @throws PlimsollError `data_dir_unusable`, e.g. when the disk is full
   */
  secret(name: string): string {
    const path = join(this.secrets, name);
    if (!existsSync(path)) {
      const temporary = `${path}.${process.pid}`;
      try {
        writeFileSync(temporary, newSecret(), { mode: 0o600, flush: true });
        linkSync(temporary, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
          throw new PlimsollError('data_dir_unusable', `Cannot write ${path}: ${(error as Error).message}`, { cause: error });
      } finally {
        rmSync(temporary, { force: true });
      }
    }
    return readFileSync(path, 'utf8').trim();
  }

  /** Notes that this child works on the directory, until it ends. A note that cannot be written (full disk) is left out. */
  register(role: string): void {
    const note = join(this.processes, `${role}-${process.pid}-${processStart(process.pid) ?? ''}`);
    try {
      writeFileSync(note, '', { mode: 0o600 });
    } catch {
      return;
    }
    process.once('exit', () => rmSync(note, { force: true }));
  }

  /** Children of an earlier supervisor that still live: they finish what they have, on these very journals and stores. */
  registered(): { role: string; pid: number }[] {
    return readdirSync(this.processes).flatMap((note) => {
      const [role = '', pid = '', started = ''] = note.split('-');
      if (isAlive(Number(pid)) && (started === '' || processStart(Number(pid)) === started)) return [{ role, pid: Number(pid) }];
      rmSync(join(this.processes, note), { force: true });
      return [];
    });
  }

  /** Short name of this data directory, made on first use: what tells its journals from those of other machines. */
  instanceName(): string {
    return contentHash(this.secret('instance')).slice(0, 12);
  }

  /**
   * Claims the directory for this process tree.
   * @returns a function that gives it back
   * @throws PlimsollError `data_dir_unusable` when another live Plimsoll holds it
   */
  lock(): () => void {
    const path = join(this.root, 'lock');
    const mine = `${process.pid} ${processStart(process.pid) ?? ''}`.trim();
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        writeFileSync(path, mine, { flag: 'wx', mode: 0o600 });
        return () => {
          try {
            if (readFileSync(path, 'utf8') === mine) rmSync(path, { force: true });
          } catch {
            // Someone removed the directory: nothing is left to give back.
          }
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
          throw new PlimsollError('data_dir_unusable', `Cannot lock ${path}: ${(error as Error).message}`, { cause: error });
        const [pid, started] = readFileSync(path, 'utf8').split(' ');
        const holder = Number(pid);
        if (holder !== process.pid && isAlive(holder) && (!started || processStart(holder) === started)) {
          throw new PlimsollError(
            'data_dir_unusable',
            `The data directory ${this.root} is in use by the Plimsoll with process id ${holder}`,
            { details: { directory: this.root, processId: holder } },
          );
        }
        rmSync(path, { force: true });
      }
    }
    throw new PlimsollError('data_dir_unusable', `Cannot lock ${path}: another process keeps taking it`);
  }
}

function nearestExisting(path: string): string {
  const parent = dirname(path);
  return parent === path || existsSync(parent) ? parent : nearestExisting(parent);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Start time of a process in clock ticks (Linux), so that a reused process id is not taken for the old holder; null elsewhere. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
