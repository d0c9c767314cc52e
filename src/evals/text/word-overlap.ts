/** Longer texts are not compared word by word: the tables of their sequences would take the memory of the process. */
export const MAX_OVERLAP_CHARACTERS = 1_000_000;

/** How often each sequence of `n` words stands in the text. */
export function countSequences(words: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + n <= words.length; at++) {
    const sequence = words.slice(at, at + n).join(' ');
    counts.set(sequence, (counts.get(sequence) ?? 0) + 1);
  }
  return counts;
}

/** Sequences in both, each at most as often as in the one where it is rarer. */
export function clippedOverlap(first: ReadonlyMap<string, number>, second: ReadonlyMap<string, number>): number {
  let overlap = 0;
  for (const [sequence, count] of first) overlap += Math.min(count, second.get(sequence) ?? 0);
  return overlap;
}

/** Sequences of `n` words in a text of `words` words. */
export function sequenceCount(words: number, n: number): number {
  return Math.max(0, words - n + 1);
}

/** Harmonic mean; 0 when both are. */
export function f1(precision: number, recall: number): number {
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

/** Length of the longest sequence that stands in both, with gaps; null when the texts are too long (over 10⁸ cells). */
export function longestCommonSubsequence(first: readonly string[], second: readonly string[]): number | null {
  if (first.length * second.length > 100_000_000) return null;
  // Numbers compare faster than texts.
  const numbers = new Map<string, number>();
  const code = (word: string): number => {
    const known = numbers.get(word) ?? numbers.size;
    numbers.set(word, known);
    return known;
  };
  const columns = Int32Array.from(second, code);
  const row = new Uint32Array(columns.length + 1);
  for (const word of first) {
    const wanted = code(word);
    let diagonal = 0;
    for (let j = 1; j <= columns.length; j++) {
      const above = row[j] ?? 0;
      row[j] = columns[j - 1] === wanted ? diagonal + 1 : Math.max(above, row[j - 1] ?? 0);
      diagonal = above;
    }
  }
  return row[columns.length] ?? 0;
}
