/** What the tests of this folder have really run: a file per client, which docs/reference/compatibility.md is made from. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Column of the page (a kind of provider) → what was shown there, in order. */
export type Proven = Readonly<Record<string, readonly string[]>>;

const FOLDER = fileURLToPath(new URL('./proven/', import.meta.url));

export function readProven(id: string): Proven {
  const path = `${FOLDER}${id}.json`;
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Proven) : {}; // written below
}

/** Notes what one test file shows of one client, and holds it against what is on record. */
export class Proof {
  readonly #id: string;
  readonly #expected: number;
  readonly #passed = new Map<string, string[]>();

  /** @param cells how many there are when none is left out */
  constructor(id: string, cells: number) {
    this.#id = id;
    this.#expected = cells;
  }

  pass(column: string, name: string): void {
    const names = this.#passed.get(column) ?? [];
    names.push(name);
    this.#passed.set(column, names);
  }

  /**
   * With PLIMSOLL_PROVE=1 what has passed becomes the record; else both must say the same. A run of chosen tests only must not pass what is not
   * on record.
   */
  close(): void {
    const passed: Proven = Object.fromEntries(this.#passed);
    const count = [...this.#passed.values()].reduce((sum, names) => sum + names.length, 0);
    if (process.env.PLIMSOLL_PROVE === '1') {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(`${FOLDER}${this.#id}.json`, `${JSON.stringify(passed, null, 2)}\n`);
      return;
    }
    const recorded = readProven(this.#id);
    const advice = 'run this file with PLIMSOLL_PROVE=1, then "npm run gen"';
    if (count === this.#expected) assert.deepEqual(passed, recorded, advice);
    else
      for (const [column, names] of Object.entries(passed))
        for (const name of names) assert.ok(recorded[column]?.includes(name), `${name} to ${column}: ${advice}`);
  }
}
