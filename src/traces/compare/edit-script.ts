/** A stretch of both lists: the same, or what was taken out of `a` and put into `b` in its place. Ends are exclusive. */
export interface Run {
  readonly isSame: boolean;
  readonly aFrom: number;
  readonly aTo: number;
  readonly bFrom: number;
  readonly bTo: number;
}

export interface EditScript {
  /** In order, without gaps over both lists; same and changed stretches take turns. */
  readonly runs: readonly Run[];
  /** True when the lists differ by more than `maxEdits`: the middle then stands as one change, and is not the shortest. */
  readonly isCoarse: boolean;
}

/**
 * The shortest way from one list to the other by taking out and putting in.
 * @param maxEdits ceiling of work: time and memory grow with its square
 * @see E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986
 */
export function editScript(a: readonly string[], b: readonly string[], maxEdits: number): EditScript {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const pairs = matchMiddle(a.slice(head, a.length - tail), b.slice(head, b.length - tail), maxEdits);
  const runs: Run[] = [];
  let [x, y] = [0, 0];
  const pass = (same: boolean, toX: number, toY: number): void => {
    if (toX === x && toY === y) return;
    const before = runs.at(-1);
    if (before?.isSame === same) runs[runs.length - 1] = { ...before, aTo: toX, bTo: toY };
    else runs.push({ isSame: same, aFrom: x, aTo: toX, bFrom: y, bTo: toY });
    [x, y] = [toX, toY];
  };
  pass(true, head, head);
  for (const [inA, inB] of pairs ?? []) {
    pass(false, head + inA, head + inB);
    pass(true, head + inA + 1, head + inB + 1);
  }
  pass(false, a.length - tail, b.length - tail);
  pass(true, a.length, b.length);
  return { runs, isCoarse: pairs === null };
}

/** Places that stay, ascending in both; null when more than `maxEdits` are needed. */
function matchMiddle(a: readonly string[], b: readonly string[], maxEdits: number): readonly (readonly [number, number])[] | null {
  if (a.length === 0 || b.length === 0) return [];
  const limit = Math.min(a.length + b.length, maxEdits);
  const reached = new Int32Array(2 * limit + 3); // furthest x on each diagonal k, at k + limit + 1
  const history: Int32Array[] = [];
  const at = (k: number): number => reached[k + limit + 1] ?? 0;
  for (let edits = 0; edits <= limit; edits++) {
    for (let k = -edits; k <= edits; k += 2) {
      let x = k === -edits || (k !== edits && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reached[k + limit + 1] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(history, a.length, b.length);
    }
    history.push(reached.slice(limit + 1 - edits, limit + 2 + edits));
  }
  return null;
}

/** @param history for each number of edits, the furthest x on the diagonals −edits … edits */
function walkBack(history: readonly Int32Array[], aLength: number, bLength: number): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let [x, y] = [aLength, bLength];
  for (let edits = history.length; edits >= 0; edits--) {
    const before = edits === 0 ? undefined : history[edits - 1];
    const k = x - y;
    const at = (diagonal: number): number => before?.[diagonal + edits - 1] ?? -1;
    const from = k === -edits || (k !== edits && at(k - 1) < at(k + 1)) ? k + 1 : k - 1;
    const fromX = before === undefined ? 0 : at(from);
    const fromY = before === undefined ? 0 : fromX - from;
    while (x > fromX && y > fromY) pairs.push([--x, --y]);
    [x, y] = [fromX, fromY];
  }
  return pairs.reverse();
}
