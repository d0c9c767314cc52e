import type { TemplateValue } from './values.ts';

/** Deeper values would end the walker's stack. */
export const MAX_VALUE_DEPTH = 100;

interface Size {
  /** Characters that it takes at least when it is written out, shared parts counted each time. */
  readonly characters: number;
  readonly depth: number;
}

/** A template can put a list into a list twice, forty times over: what that writes is known before it is written. */
export class ValueSizes {
  readonly #known = new WeakMap<object, Size>();

  /** @returns depth is `Infinity` when the value is deeper than can be walked */
  of(value: TemplateValue, level = 0): Size {
    if (typeof value === 'string') return { characters: value.length, depth: 0 };
    if (typeof value !== 'object' || value === null) return { characters: 1, depth: 0 };
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    if (level > MAX_VALUE_DEPTH) return { characters: 0, depth: Number.POSITIVE_INFINITY };
    let characters = 2;
    let depth = 0;
    for (const [name, entry] of Object.entries(value)) {
      const size = this.of(entry as TemplateValue, level + 1); // entries of a template value are such values
      characters += size.characters + (Array.isArray(value) ? 1 : name.length);
      depth = Math.max(depth, size.depth + 1);
    }
    const size = { characters, depth };
    this.#known.set(value, size);
    return size;
  }
}
