/**
 * Deterministic embeddings: hashed words and character 3- to 5-grams, signed, so that texts that share words lie close together.
 * Lexical, not semantic: paraphrases with other words are far apart.
 */

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

const COMPARED_CHARACTERS = 20_000;
const GRAM_WEIGHT = 0.25;

/**
 * @param dimensions length of the vector (count ≥ 1)
 * @returns a vector of length 1; for a text without letters and digits the first axis
 */
export function embedText(text: string, dimensions: number): Float64Array {
  const vector = new Float64Array(dimensions);
  const add = (feature: string, weight: number): void => {
    const code = hash(feature);
    const at = code % dimensions;
    // One bit that the place does not depend on gives the sign, so that collisions cancel out on average.
    vector[at] = (vector[at] ?? 0) + (hash(`${feature}±`) & 1 ? weight : -weight);
  };
  const words =
    text
      .slice(0, COMPARED_CHARACTERS)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  for (const word of words) {
    add(`w:${word}`, 1);
    const padded = `^${word}$`;
    for (let size = 3; size <= 5; size++) for (let at = 0; at + size <= padded.length; at++) add(padded.slice(at, at + size), GRAM_WEIGHT);
  }
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (squares === 0) vector[0] = 1;
  else for (let at = 0; at < dimensions; at++) vector[at] = (vector[at] ?? 0) / Math.sqrt(squares);
  return vector;
}

/** A vector as a JSON answer shows it: seven digits, as 32-bit numbers have. */
export function roundedVector(vector: Float64Array): number[] {
  return Array.from(vector, (value) => Math.round(value * 1e7) / 1e7);
}

/** A vector as little-endian 32-bit numbers in base64. */
export function base64Vector(vector: Float64Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, at) => void bytes.writeFloatLE(value, at * 4));
  return bytes.toString('base64');
}

/** Cosine of two vectors of length 1. */
export function similarity(a: Float64Array, b: Float64Array): number {
  let product = 0;
  for (let at = 0; at < a.length; at++) product += (a[at] ?? 0) * (b[at] ?? 0);
  return product;
}
