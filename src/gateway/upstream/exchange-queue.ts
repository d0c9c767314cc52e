import type { Exchange } from './exchange.ts';

/** First in, first out; an exchange can leave from anywhere without a search. */
export class ExchangeQueue {
  #first: Exchange | null = null;
  #last: Exchange | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Exchange | null {
    return this.#first;
  }

  push(exchange: Exchange): void {
    exchange.isQueued = true;
    exchange.before = this.#last;
    if (this.#last === null) this.#first = exchange;
    else this.#last.after = exchange;
    this.#last = exchange;
    this.#size++;
  }

  shift(): Exchange | null {
    const first = this.#first;
    if (first !== null) this.remove(first);
    return first;
  }

  remove(exchange: Exchange): void {
    if (!exchange.isQueued) return;
    exchange.isQueued = false;
    if (exchange.before === null) this.#first = exchange.after;
    else exchange.before.after = exchange.after;
    if (exchange.after === null) this.#last = exchange.before;
    else exchange.after.before = exchange.before;
    exchange.before = null;
    exchange.after = null;
    this.#size--;
  }
}
