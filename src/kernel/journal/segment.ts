import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** File name of a segment; numbers grow by one and are never reused. */
export function segmentPath(directory: string, segment: number): string {
  return join(directory, `${segment.toString().padStart(10, '0')}.journal`);
}

/** Numbers of the segments in a writer's directory, ascending; empty when the directory does not exist. */
export function listSegments(directory: string): number[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .flatMap((name) => {
      const match = /^(\d{10})\.journal$/.exec(name);
      return match?.[1] ? [Number(match[1])] : [];
    })
    .sort((a, b) => a - b);
}

/** Bytes of all segments of a writer. */
export function journalBytes(directory: string): number {
  return listSegments(directory).reduce(
    (sum, segment) => sum + (statSync(segmentPath(directory, segment), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
