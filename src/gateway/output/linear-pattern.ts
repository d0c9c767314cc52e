import { type PatternNode, PatternRefused, parsePattern } from './pattern-parser.ts';
import type { WorkBudget } from './work-budget.ts';

type Instruction =
  | { readonly kind: 'atom'; readonly matches: (codePoint: number) => boolean }
  | { readonly kind: 'assert'; readonly at: 'start' | 'end' | 'word' | 'notWord' }
  | { readonly kind: 'split'; first: number; second: number }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'match' };

/** Counted repetitions are written out; this bounds what a few characters can ask for. */
const MAX_INSTRUCTIONS = 5000;
const NOWHERE = -1;

function compile(node: PatternNode): Instruction[] {
  const program: Instruction[] = [];
  const add = <T extends Instruction>(instruction: T): T => {
    if (program.length >= MAX_INSTRUCTIONS) throw new PatternRefused('the repetitions of the pattern are too large');
    program.push(instruction);
    return instruction;
  };
  const emit = (part: PatternNode): void => {
    switch (part.kind) {
      case 'atom':
      case 'assert':
        add(part);
        return;
      case 'sequence':
        for (const each of part.parts) emit(each);
        return;
      case 'choice': {
        const ends: { to: number }[] = [];
        part.options.forEach((option, index) => {
          const isLast = index === part.options.length - 1;
          const split = isLast ? null : add({ kind: 'split' as const, first: program.length + 1, second: NOWHERE });
          emit(option);
          if (split === null) return;
          ends.push(add({ kind: 'jump' as const, to: NOWHERE }));
          split.second = program.length;
        });
        for (const end of ends) end.to = program.length;
        return;
      }
      case 'repeat': {
        for (let count = 0; count < part.min; count++) emit(part.node);
        if (part.max === null) {
          const at = program.length;
          const split = add({ kind: 'split' as const, first: at + 1, second: NOWHERE });
          emit(part.node);
          add({ kind: 'jump' as const, to: at });
          split.second = program.length;
          return;
        }
        const skips: { second: number }[] = [];
        for (let count = part.min; count < part.max; count++) {
          skips.push(add({ kind: 'split' as const, first: program.length + 1, second: NOWHERE }));
          emit(part.node);
        }
        for (const skip of skips) skip.second = program.length;
        return;
      }
    }
  };
  emit(node);
  add({ kind: 'match' });
  return program;
}

/** Instructions that are active at one place of the text; each at most once. */
class ThreadSet {
  readonly list: Int32Array;
  readonly #marks: Int32Array;
  #generation = 0;
  size = 0;

  constructor(capacity: number) {
    this.list = new Int32Array(capacity);
    this.#marks = new Int32Array(capacity);
  }

  clear(): void {
    this.size = 0;
    this.#generation++;
  }

  /** @returns false when it is in already */
  mark(instruction: number): boolean {
    if (this.#marks[instruction] === this.#generation) return false;
    this.#marks[instruction] = this.#generation;
    return true;
  }

  push(instruction: number): void {
    this.list[this.size++] = instruction;
  }
}

function isWord(codePoint: number): boolean {
  return (
    (codePoint >= 0x30 && codePoint <= 0x39) ||
    (codePoint >= 0x41 && codePoint <= 0x5a) ||
    codePoint === 0x5f ||
    (codePoint >= 0x61 && codePoint <= 0x7a)
  );
}

/**
 * A pattern that is matched in time linear in the text, whatever the pattern (Thompson's simulation: all ways at once, none twice). Patterns
 * of JSON schemas come from clients; a backtracking engine can be kept busy for hours by twenty characters.
 * @see Ken Thompson, "Regular Expression Search Algorithm", CACM 11(6), 1968
 */
export class LinearPattern {
  readonly #source: string;
  readonly #program: readonly Instruction[];
  readonly #budget: WorkBudget;
  #current: ThreadSet;
  #next: ThreadSet;
  readonly #stack: number[] = [];

  /** @throws PatternRefused */
  constructor(source: string, budget: WorkBudget) {
    this.#source = source;
    this.#budget = budget;
    this.#program = compile(parsePattern(source));
    this.#current = new ThreadSet(this.#program.length);
    this.#next = new ThreadSet(this.#program.length);
  }

  /** Ajv tells patterns apart by it. */
  toString(): string {
    return `/${this.#source}/u`;
  }

  /** Whether the pattern matches anywhere in the text. @throws TooExpensive */
  test(text: string): boolean {
    let before = NOWHERE;
    let position = 0;
    this.#current.clear();
    for (;;) {
      const after = text.codePointAt(position) ?? NOWHERE;
      if (this.#follow(this.#current, 0, before, after)) return true;
      this.#budget.take(1 + (this.#current.size >> 2));
      if (after === NOWHERE) return false;
      position += after > 0xffff ? 2 : 1;
      const following = text.codePointAt(position) ?? NOWHERE;
      this.#next.clear();
      const { list, size } = this.#current;
      for (let index = 0; index < size; index++) {
        const at = list[index] ?? 0;
        const instruction = this.#program[at];
        if (instruction?.kind === 'atom' && instruction.matches(after) && this.#follow(this.#next, at + 1, after, following)) return true;
      }
      [this.#current, this.#next] = [this.#next, this.#current];
      before = after;
    }
  }

  /** Adds what can be reached without reading. @returns true when the end of the pattern is */
  #follow(threads: ThreadSet, from: number, before: number, after: number): boolean {
    const stack = this.#stack;
    stack.length = 0;
    stack.push(from);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (!threads.mark(at)) continue;
      const instruction = this.#program[at];
      switch (instruction?.kind) {
        case 'match':
          return true;
        case 'jump':
          stack.push(instruction.to);
          break;
        case 'split':
          stack.push(instruction.second, instruction.first);
          break;
        case 'assert':
          if (holds(instruction.at, before, after)) stack.push(at + 1);
          break;
        case 'atom':
          threads.push(at);
          break;
        default:
      }
    }
    return false;
  }
}

function holds(assertion: 'start' | 'end' | 'word' | 'notWord', before: number, after: number): boolean {
  switch (assertion) {
    case 'start':
      return before === NOWHERE;
    case 'end':
      return after === NOWHERE;
    case 'word':
      return isWord(before) !== isWord(after);
    case 'notWord':
      return isWord(before) === isWord(after);
  }
}
