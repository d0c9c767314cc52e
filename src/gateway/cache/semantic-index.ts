/** Vectors are kept in blocks, so that an index grows without copying. */
const BLOCK_VECTORS = 256;
/** A comparison is given up between strides of this many dimensions, once the rest cannot reach the threshold. */
const STRIDE = 64;

interface Slot {
  readonly key: string;
  readonly circumstances: string;
}

/** The nearest question that was found. */
export interface Neighbour {
  readonly key: string;
  /** Cosine. */
  readonly similarity: number;
}

/**
 * Questions of one feature as vectors of length 1 in plain typed arrays. Only questions under equal circumstances (tenant, model, history,
 * guards: one text) are compared, each with each: what that costs is bounded by the number of questions that share them, at most 50 000.
 * Full: the oldest makes room.
 */
export class SemanticIndex {
  readonly #dimensions: number;
  readonly #maxEntries: number;
  readonly #strides: number;
  readonly #blocks: Float32Array[] = [];
  /** Length of what follows each stride, per vector: bounds the rest of a product (Cauchy–Schwarz). */
  readonly #tails: Float32Array[] = [];
  readonly #slots: (Slot | undefined)[] = [];
  readonly #byCircumstances = new Map<string, Set<number>>();
  #next = 0;

  constructor(dimensions: number, maxEntries: number) {
    this.#dimensions = dimensions;
    this.#maxEntries = maxEntries;
    this.#strides = Math.ceil(dimensions / STRIDE);
  }

  get size(): number {
    let size = 0;
    for (const slots of this.#byCircumstances.values()) size += slots.size;
    return size;
  }

  takes(vector: Float32Array): boolean {
    return vector.length === this.#dimensions;
  }

  add(circumstances: string, key: string, vector: Float32Array): void {
    for (const slot of this.#byCircumstances.get(circumstances) ?? []) if (this.#slots[slot]?.key === key) return;
    const slot = this.#next;
    this.#next = (this.#next + 1) % this.#maxEntries;
    this.#drop(slot);
    const block = Math.floor(slot / BLOCK_VECTORS);
    this.#blocks[block] ??= new Float32Array(BLOCK_VECTORS * this.#dimensions);
    this.#tails[block] ??= new Float32Array(BLOCK_VECTORS * this.#strides);
    const place = slot % BLOCK_VECTORS;
    this.#blocks[block]?.set(vector, place * this.#dimensions);
    this.#tails[block]?.set(this.#tailsOf(vector), place * this.#strides);
    this.#slots[slot] = { key, circumstances };
    const known = this.#byCircumstances.get(circumstances) ?? new Set();
    known.add(slot);
    this.#byCircumstances.set(circumstances, known);
  }

  /** Forgets a question whose answer is gone. */
  remove(circumstances: string, key: string): void {
    for (const slot of this.#byCircumstances.get(circumstances) ?? []) if (this.#slots[slot]?.key === key) this.#drop(slot);
  }

  /** The nearest one under equal circumstances; null when none reaches the threshold. */
  find(circumstances: string, vector: Float32Array, threshold: number): Neighbour | null {
    const slots = this.#byCircumstances.get(circumstances);
    if (slots === undefined) return null;
    const tails = this.#tailsOf(vector);
    let best: Neighbour | null = null;
    for (const slot of slots) {
      const similarity = this.#compare(slot, vector, tails, best?.similarity ?? threshold);
      const key = this.#slots[slot]?.key;
      if (key !== undefined && similarity >= (best?.similarity ?? threshold)) best = { key, similarity };
    }
    return best;
  }

  #compare(slot: number, vector: Float32Array, tails: Float32Array, needed: number): number {
    const block = Math.floor(slot / BLOCK_VECTORS);
    const place = slot % BLOCK_VECTORS;
    const vectors = this.#blocks[block] as Float32Array; // a used slot has a block
    const own = this.#tails[block] as Float32Array;
    const from = place * this.#dimensions;
    let sum = 0;
    for (let stride = 0; stride < this.#strides; stride++) {
      const end = Math.min(this.#dimensions, (stride + 1) * STRIDE);
      for (let index = stride * STRIDE; index < end; index++) sum += (vectors[from + index] as number) * (vector[index] as number);
      // A little more than exact, for what rounding to 32 bits takes away.
      if (sum + (own[place * this.#strides + stride] as number) * (tails[stride] as number) + 1e-4 < needed) return -1;
    }
    return sum;
  }

  #tailsOf(vector: Float32Array): Float32Array {
    const tails = new Float32Array(this.#strides);
    let squares = 0;
    for (let stride = this.#strides - 1; stride >= 0; stride--) {
      tails[stride] = Math.sqrt(squares);
      for (let index = stride * STRIDE; index < Math.min(this.#dimensions, (stride + 1) * STRIDE); index++)
        squares += (vector[index] ?? 0) ** 2;
    }
    return tails;
  }

  #drop(slot: number): void {
    const known = this.#slots[slot];
    if (known === undefined) return;
    this.#slots[slot] = undefined;
    const slots = this.#byCircumstances.get(known.circumstances);
    slots?.delete(slot);
    if (slots?.size === 0) this.#byCircumstances.delete(known.circumstances);
  }
}
