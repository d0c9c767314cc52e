/** Cells of the table that one comparison may fill: about a third of a second. */
const MAX_CELLS = 100_000_000;

/**
 * Levenshtein distance in UTF-16 code units, as promptfoo's and autoevals' libraries count it.
 * @returns null when the texts are too long to be compared (over 10⁸ cells after their common beginning and end)
 */
export function editDistance(first: string, second: string): number | null {
  let start = 0;
  let [firstEnd, secondEnd] = [first.length, second.length];
  while (start < firstEnd && start < secondEnd && first.charCodeAt(start) === second.charCodeAt(start)) start++;
  while (firstEnd > start && secondEnd > start && first.charCodeAt(firstEnd - 1) === second.charCodeAt(secondEnd - 1)) {
    firstEnd--;
    secondEnd--;
  }
  const [rows, columns] = [firstEnd - start, secondEnd - start];
  if (rows === 0 || columns === 0) return Math.max(rows, columns);
  if (rows * columns > MAX_CELLS) return null;
  const row = Uint32Array.from({ length: columns + 1 }, (_, index) => index);
  for (let i = 1; i <= rows; i++) {
    const code = first.charCodeAt(start + i - 1);
    let diagonal = i - 1;
    let left = i;
    row[0] = i;
    for (let j = 1; j <= columns; j++) {
      const above = row[j] ?? 0;
      const change = code === second.charCodeAt(start + j - 1) ? diagonal : diagonal + 1;
      left = Math.min(change, above + 1, left + 1);
      row[j] = left;
      diagonal = above;
    }
  }
  return row[columns] ?? 0;
}

/** 1 = equal, 0 = nothing in common: 1 − distance / longer length; two empty texts are equal. Null when too long to be compared. */
export function textSimilarity(first: string, second: string): number | null {
  const longer = Math.max(first.length, second.length);
  if (longer === 0) return 1;
  const distance = editDistance(first, second);
  return distance === null ? null : 1 - distance / longer;
}
