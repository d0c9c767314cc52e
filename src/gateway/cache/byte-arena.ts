/** Memory is taken from the system in pages of this size. */
const PAGE_BYTES = 256 * 1024;
const SMALLEST_CELL_BYTES = 256;
/** Each class of cells is that much larger than the one before: what a cell wastes is a tenth on average. */
const GROWTH = 1.25;
/** Longer ones get memory of their own. */
const LARGEST_CELL_BYTES = PAGE_BYTES / 4;

interface Page {
  readonly bytes: Buffer;
  readonly cellBytes: number;
  used: number;
  /** Offsets of cells that were given back. */
  readonly free: number[];
  /** Cells from here on were never given out. */
  fresh: number;
}

/** A place for bytes: [start, start + length) of `bytes`. */
export interface Cell {
  readonly bytes: Buffer;
  readonly start: number;
  readonly length: number;
  /** Null = memory of its own. */
  readonly page: Page | null;
}

/**
 * Memory for many small things that come and go: cells of some sizes in large pages (a slab allocator). A buffer for each of them would be memory
 * from the system each time, and counted against the garbage collector, which then runs as often as it would for a heap that grows.
 */
export class ByteArena {
  readonly #sizes: number[] = [];
  /** By class: pages with a cell free. */
  readonly #open: Page[][] = [];
  #bytes = 0;

  constructor() {
    for (let size = SMALLEST_CELL_BYTES; size < LARGEST_CELL_BYTES; size = Math.ceil((size * GROWTH) / 8) * 8) {
      this.#sizes.push(size);
      this.#open.push([]);
    }
  }

  /** Taken from the system for cells. */
  get pageBytes(): number {
    return this.#bytes;
  }

  allocate(length: number): Cell {
    const size = this.#classOf(length);
    const open = this.#open[size];
    const cellBytes = this.#sizes[size];
    if (open === undefined || cellBytes === undefined) return { bytes: Buffer.allocUnsafeSlow(length), start: 0, length, page: null };
    let page = open.at(-1);
    if (page === undefined) {
      page = { bytes: Buffer.allocUnsafeSlow(PAGE_BYTES), cellBytes, used: 0, free: [], fresh: 0 };
      this.#bytes += PAGE_BYTES;
      open.push(page);
    }
    const start = page.free.pop() ?? page.fresh;
    if (start === page.fresh) page.fresh += cellBytes;
    page.used++;
    if (isFull(page)) open.pop();
    return { bytes: page.bytes, start, length, page };
  }

  /** Once per cell: another one may hold its bytes from now on. */
  release({ page, start }: Cell): void {
    if (page === null) return;
    const open = this.#open[this.#classOf(page.cellBytes)] as Page[]; // the class that it was made for
    if (isFull(page)) open.push(page);
    page.free.push(start);
    if (--page.used > 0) return;
    open.splice(open.indexOf(page), 1);
    this.#bytes -= PAGE_BYTES;
  }

  /** @returns the smallest class that fits; one past the end when none does */
  #classOf(length: number): number {
    let low = 0;
    let high = this.#sizes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sizes[middle] as number) >= length) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function isFull({ free, fresh, cellBytes, bytes }: Page): boolean {
  return free.length === 0 && fresh + cellBytes > bytes.length;
}
