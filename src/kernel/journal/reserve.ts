import { renameSync, rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SEGMENT_MAGIC } from './frame.ts';

/** Writes the reserve's zeros for real, so that its blocks belong to us when the disk is full. */
export async function prepareReserve(directory: string, reserveBytes: number): Promise<void> {
  const path = join(directory, 'reserve');
  if (statSync(path, { throwIfNoEntry: false })?.size === reserveBytes) return;
  const temporary = `${path}.new`;
  try {
    const zeros = Buffer.alloc(reserveBytes);
    SEGMENT_MAGIC.copy(zeros);
    await writeFile(temporary, zeros, { mode: 0o600, flush: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
