import { write, writeSync, writev, writevSync } from 'node:fs';

/** IOV_MAX on Linux and macOS. */
const MAX_VECTOR = 1024;

export interface Written {
  /** Bytes that are down. */
  readonly bytes: number;
  /** The system's error when that is not all. */
  readonly error: Error | null;
}

/** What is left of `buffers` once their first `written` bytes are down. */
function after(buffers: readonly Buffer[], written: number): readonly Buffer[] {
  let skip = written;
  let index = 0;
  while (index < buffers.length && skip >= (buffers[index]?.length ?? 0)) skip -= buffers[index++]?.length ?? 0;
  const rest = buffers.slice(index);
  const first = rest[0];
  if (first !== undefined && skip > 0) rest[0] = first.subarray(skip);
  return rest;
}

function tookNothing(): Error {
  return Object.assign(new Error('the disk took no bytes'), { code: 'ENOSPC' });
}

/** Writes until all bytes are down or the system refuses. */
export async function writeAll(fd: number, buffers: readonly Buffer[], position: number): Promise<Written> {
  let rest: readonly Buffer[] = buffers.filter((buffer) => buffer.length > 0);
  let total = 0;
  while (rest.length > 0) {
    const { written, error } = await writeSome(fd, rest, position + total);
    if (written === 0) return { bytes: total, error: error ?? tookNothing() };
    total += written;
    rest = after(rest, written);
  }
  return { bytes: total, error: null };
}

/** The same on the event loop. */
export function writeAllDirectly(fd: number, buffers: readonly Buffer[], position: number): Written {
  let rest: readonly Buffer[] = buffers;
  let total = 0;
  try {
    while (rest.length > 0) {
      const [first] = rest;
      const written =
        rest.length === 1 && first !== undefined
          ? writeSync(fd, first, 0, first.length, position + total)
          : writevSync(fd, rest.slice(0, MAX_VECTOR), position + total);
      total += written;
      rest = after(rest, written);
      if (written === 0 && rest.length > 0) return { bytes: total, error: tookNothing() };
    }
  } catch (error) {
    return { bytes: total, error: error as Error }; // node:fs throws nothing else
  }
  return { bytes: total, error: null };
}

/** One system call. A single buffer takes `write`: `writev` spends more on the event loop than the kernel does on the copy. */
function writeSome(fd: number, buffers: readonly Buffer[], position: number): Promise<{ written: number; error: Error | null }> {
  return new Promise((resolve) => {
    const onWritten = (failure: Error | null, bytes: number): void => resolve({ written: failure ? 0 : bytes, error: failure });
    const [first] = buffers;
    if (buffers.length === 1 && first !== undefined) write(fd, first, 0, first.length, position, onWritten);
    else writev(fd, buffers.slice(0, MAX_VECTOR), position, onWritten);
  });
}

export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
