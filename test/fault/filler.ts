import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { SmallDisk } from './processes.ts';

/** Takes every free byte of a disk, again and again, until it is removed. */
export class Filler {
  readonly #path: string;
  readonly #fd: number;
  readonly #timer: NodeJS.Timeout;
  constructor(disk: SmallDisk) {
    this.#path = join(disk.path, 'filler');
    this.#fd = openSync(this.#path, 'w');
    this.fill();
    this.#timer = setInterval(() => this.fill(), 20);
  }
  fill(): void {
    for (const size of [1 << 20, 4096, 1]) {
      try {
        for (;;) writeSync(this.#fd, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  }
  remove(): void {
    clearInterval(this.#timer);
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }
}
