/** Prefixes are compared in pieces of so many characters: what is found is at most that much too short. */
const PIECE = 256;
/** How long providers keep a prefix that nobody asks for: the shortest that the large ones promise. */
const KEPT_MS = 300_000;

interface Node {
  readonly next: Map<string, Node>;
  seenAtMs: number;
  /** Somebody read it from the cache: its writing is paid. */
  isWritten: boolean;
}

function newNode(): Node {
  return { next: new Map(), seenAtMs: Number.NEGATIVE_INFINITY, isWritten: false };
}

interface FoundPrefix {
  /** Characters from the beginning that a call of the last five minutes had sent as well. */
  readonly characters: number;
  /** Of them: read again for the first time, so that a cache would have had to be written for them. */
  readonly newlyWritten: number;
}

/** What calls of one model have sent, in the order of time. */
export class SentPrefixes {
  readonly #root = newNode();

  /** Looks up how the request begins, and notes it. */
  add(request: string, atMs: number): FoundPrefix {
    let node = this.#root;
    let characters = 0;
    let newlyWritten = 0;
    let isFound = true;
    for (let at = 0; at + PIECE <= request.length; at += PIECE) {
      const piece = request.slice(at, at + PIECE);
      let next = node.next.get(piece);
      if (next === undefined) {
        next = newNode();
        node.next.set(piece, next);
      }
      if (isFound && atMs - next.seenAtMs <= KEPT_MS) {
        characters += PIECE;
        if (!next.isWritten) newlyWritten += PIECE;
        next.isWritten = true;
      } else {
        isFound = false;
        // Forgotten by now, or never there: it would have to be written anew.
        if (atMs - next.seenAtMs > KEPT_MS) next.isWritten = false;
      }
      next.seenAtMs = atMs;
      node = next;
    }
    return { characters, newlyWritten };
  }
}
