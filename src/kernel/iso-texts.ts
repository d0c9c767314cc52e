const THOUSANDTHS = Array.from({ length: 1000 }, (_, index) => `.${String(index).padStart(3, '0')}Z`);

/** Moments as `Date.toISOString` writes them, for many that lie close together: the second is put into words once. */
export class IsoTexts {
  #second = Number.NaN;
  #text = '';

  /** @param epochMs whole milliseconds */
  of(epochMs: number): string {
    const second = Math.floor(epochMs / 1000);
    if (second !== this.#second) {
      this.#text = new Date(second * 1000).toISOString().slice(0, -'.000Z'.length);
      this.#second = second;
    }
    return this.#text + THOUSANDTHS[epochMs - second * 1000];
  }
}
