/** An entry knows its place, so that it can leave without a search. -1 = not in a list. */
export interface Slotted {
  slot: number;
}

/**
 * The things in flight. Not a Set: one that is added to and deleted from all the time allocates a new table again and again; here an entry costs
 * a slot of an array. In our profiles of the gateway the garbage collector had less to do with this than with a Set; why was not looked into.
 */
export class SlotList<T extends Slotted> {
  readonly #entries: T[] = [];

  get size(): number {
    return this.#entries.length;
  }

  add(entry: T): void {
    if (entry.slot >= 0) return;
    entry.slot = this.#entries.length;
    this.#entries.push(entry);
  }

  delete(entry: T): void {
    const { slot } = entry;
    if (slot < 0) return;
    entry.slot = -1;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    last.slot = slot;
    this.#entries[slot] = last;
  }

  /** A copy: entries may leave while it is walked. */
  list(): T[] {
    return this.#entries.slice();
  }
}
