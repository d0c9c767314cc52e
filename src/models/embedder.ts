/** lexical compares spelling; the vectors of a provider's model compare meaning. */
export type EmbedderKind = 'lexical' | 'provider';

/** @returns the vector with length 1; all zeros stay so */
export function unitVector(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => (length === 0 ? 0 : value / length));
}

/** Cosine of two vectors of length 1 (or 0). */
export function cosine(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += (left[index] ?? 0) * (right[index] ?? 0);
  return sum;
}
