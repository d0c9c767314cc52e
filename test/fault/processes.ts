import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../harness/plimsoll.ts';

/** Ids of living processes (zombies left out) that were started for this data directory: supervisor and children alike. Linux. */
export function processesOf(dataDirectory: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const variables = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
      return variables.includes(`PLIMSOLL_DATA_DIR=${dataDirectory}`) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

export async function allGone(dataDirectory: string, timeoutMs = 10_000): Promise<void> {
  await eventually(
    'no process is left',
    async () => processesOf(dataDirectory),
    (pids) => pids.length === 0,
    timeoutMs,
  );
}

/** Why tests that mount a file system cannot run here; null when they can. */
export const MOUNT_REFUSED: string | null =
  process.platform !== 'linux' || process.getuid?.() !== 0 ? 'needs root on Linux to mount a small tmpfs' : trialMount();

function trialMount(): string | null {
  const directory = mkdtempSync(join(tmpdir(), 'plimsoll-mount-'));
  try {
    const mounted = mount(directory, '1m');
    if (mounted.status !== 0) return `mount answers: ${mounted.stderr.trim()}`;
    spawnSync('umount', [directory]);
    return null;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function mount(directory: string, size: string): SpawnSyncReturns<string> {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { encoding: 'utf8' });
}

export interface SmallDisk {
  readonly path: string;
  remount(options: string): void;
  remove(): void;
}

/** A file system of its own, e.g. `64m`. */
export function smallDisk(size: string): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'plimsoll-disk-'));
  const mounted = mount(path, size);
  if (mounted.status !== 0) throw new Error(mounted.stderr);
  return {
    path,
    remount(options) {
      const result = spawnSync('mount', ['-o', `remount,${options}`, path], { encoding: 'utf8' });
      if (result.status !== 0) throw new Error(result.stderr);
    },
    remove() {
      spawnSync('umount', ['-l', path]);
      if (existsSync(path)) rmSync(path, { recursive: true, force: true });
    },
  };
}
