import { NAME_BYTE } from './byte-classes.ts';

const FRAMING_NAMES = ['content-length', 'transfer-encoding', 'connection', 'keep-alive'] as const;

/** Headers that say where an answer ends and what becomes of its connection. */
export type FramingName = (typeof FRAMING_NAMES)[number];

export interface HeaderName {
  /** Lower case. */
  readonly text: string;
  readonly framing: FramingName | null;
}

/** A power of two. Providers send some twenty names; two that share a slot only evict each other. */
const SLOTS = 512;

/** The hash that `find` takes: started with 0, fed with each lower-case byte. */
export function hashNameByte(hash: number, lowerCase: number): number {
  return (hash * 31 + lowerCase) | 0;
}

/** Header names as strings that exist once, found by their bytes, so that an answer makes no string per name. Bounded by its slots. */
export class HeaderNames {
  readonly #slots = new Array<HeaderName | null>(SLOTS).fill(null);

  /** @param hash of the lower-case name at [start, end) of `bytes`, whose bytes are all in `NAME_BYTE` */
  find(bytes: Buffer, start: number, end: number, hash: number): HeaderName {
    const slot = hash & (SLOTS - 1);
    const known = this.#slots[slot] as HeaderName | null; // the mask keeps it within the slots
    if (known !== null && isSame(known.text, bytes, start, end)) return known;
    const name = headerName(bytes.toString('latin1', start, end).toLowerCase());
    this.#slots[slot] = name;
    return name;
  }
}

function isSame(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index++) {
    if (NAME_BYTE[bytes[start + index] as number] !== text.charCodeAt(index)) return false;
  }
  return true;
}

function headerName(lowerCase: string): HeaderName {
  // A string that has been the name of a property is internalised: V8 then finds properties by its address.
  const [text = lowerCase] = Object.keys({ [lowerCase]: true });
  return { text, framing: FRAMING_NAMES.find((name) => name === text) ?? null };
}
