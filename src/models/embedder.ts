/** Turns a text into a vector, so that texts can be compared by its cosine. */
export interface Embedder {
  /** lexical compares spelling; the vectors of a provider's model compare meaning. */
  readonly kind: 'lexical' | 'provider';
  /** Vectors of different ids cannot be compared. */
  readonly id: string;
  readonly dimensions: number;
  /** @returns a vector of length 1; all zeros for a text without anything to compare */
  embed(text: string): Promise<Float32Array>;
}

/** Cosine of two vectors of length 1 (or 0). */
export function cosine(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += (left[index] ?? 0) * (right[index] ?? 0);
  return sum;
}
