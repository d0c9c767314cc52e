import { write, writev } from 'node:fs';

/** Writes until all bytes are down or the system refuses. @returns bytes that are down, and the system's error when that is not all */
export async function writeAll(fd: number, buffers: readonly Buffer[], position: number): Promise<{ bytes: number; error: Error | null }> {
  let rest = buffers.filter((buffer) => buffer.length > 0);
  let total = 0;
  while (rest.length > 0) {
    const { written, error } = await writeSome(fd, rest, position + total);
    if (written === 0) return { bytes: total, error: error ?? Object.assign(new Error('the disk took no bytes'), { code: 'ENOSPC' }) };
    total += written;
    let skip = written;
    let index = 0;
    while (index < rest.length && skip >= (rest[index]?.length ?? 0)) skip -= rest[index++]?.length ?? 0;
    rest = rest.slice(index);
    const first = rest[0];
    if (first !== undefined && skip > 0) rest[0] = first.subarray(skip);
  }
  return { bytes: total, error: null };
}

/** One system call. A single buffer takes `write`: `writev` spends more on the event loop than the kernel does on the copy. */
function writeSome(fd: number, buffers: readonly Buffer[], position: number): Promise<{ written: number; error: Error | null }> {
  return new Promise((resolve) => {
    const onWritten = (failure: Error | null, bytes: number): void => resolve({ written: failure ? 0 : bytes, error: failure });
    const [first] = buffers;
    if (buffers.length === 1 && first !== undefined) write(fd, first, 0, first.length, position, onWritten);
    // IOV_MAX is 1 024 on Linux and macOS.
    else writev(fd, buffers.slice(0, 1024), position, onWritten);
  });
}
