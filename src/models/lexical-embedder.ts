const DIMENSIONS = 512;
const SHORTEST_GRAM = 3;
const LONGEST_GRAM = 5;
/** A whole word says more than one of its pieces. */
const WORD_WEIGHT = 2;

/** FNV-1a over UTF-16 code units. */
function hash(text: string, start: number, end: number, seed: number): number {
  let value = seed;
  for (let index = start; index < end; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

const WORD_SEED = 0x811c9dc5;
const GRAM_SEED = 0x2f0b4c47;

function add(vector: Float32Array, hashed: number, weight: number): void {
  // The top bit is the sign, so that collisions cancel out on average.
  const index = hashed % DIMENSIONS;
  vector[index] = (vector[index] ?? 0) + (hashed & 0x80000000 ? -weight : weight);
}

/**
 * Words and character 3–5-grams hashed into 512 dimensions. It knows spelling, not meaning: "cheap" is not near "inexpensive", and one word in
 * a long text changes little. Case and white space are not compared.
 * @see Weinberger et al. 2009, "Feature hashing for large scale multitask learning"
 */
export function embedLexically(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  for (const word of text.toLowerCase().split(/\s+/u)) {
    if (word === '') continue;
    add(vector, hash(word, 0, word.length, WORD_SEED), WORD_WEIGHT);
    const padded = ` ${word} `;
    for (let length = SHORTEST_GRAM; length <= LONGEST_GRAM; length++)
      for (let start = 0; start + length <= padded.length; start++) add(vector, hash(padded, start, start + length, GRAM_SEED), 1);
  }
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (squares > 0) for (let index = 0; index < DIMENSIONS; index++) vector[index] = (vector[index] ?? 0) / Math.sqrt(squares);
  return vector;
}

/** Vectors of another one cannot be compared with these. */
export const LEXICAL_EMBEDDER_ID = 'lexical-1';
