import { AsyncLocalStorage } from 'node:async_hooks';
import type { Kysely } from 'kysely';
import { PlimsollError } from '../../kernel/errors.ts';
import { storeFailure } from './failures.ts';
import type { Database } from './schema.ts';

export type Queries<T> = (db: Kysely<Database>) => Promise<T>;

/** How a small store reaches the database, inside a transaction or out of one. */
export interface Handle {
  /** Sees what is committed; inside a transaction also what it wrote itself. */
  read<T>(queries: Queries<T>): Promise<T>;
  /** Runs in the open transaction, or in one of its own. */
  write<T>(queries: Queries<T>): Promise<T>;
}

export interface Connection extends Handle {
  readonly kind: 'sqlite' | 'postgres';
  readonly schema: string | null;
  /** Of the database software, e.g. `3.50.4`. */
  serverVersion(): Promise<string>;
  /** One transaction; `tx` reads and writes in it. */
  transaction<T>(work: (tx: Handle, db: Kysely<Database>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Makes one write inside another a clear error. With SQLite's one write connection it would wait for itself for ever, with
 * PostgreSQL it would silently be a transaction of its own, or a deadlock. Inside a transaction only `tx` may be awaited for writing.
 */
export class TransactionGuard {
  readonly #open = new AsyncLocalStorage<{ isOpen: boolean }>();

  async run<T>(place: string, work: () => Promise<T>): Promise<T> {
    if (this.#open.getStore()?.isOpen === true) {
      throw new PlimsollError(
        'internal',
        'A write outside the open transaction was called from inside it: use the stores that the transaction hands out.',
      );
    }
    const state = { isOpen: true };
    try {
      return await this.#open.run(state, work);
    } catch (thrown) {
      throw storeFailure(thrown, place);
    } finally {
      // Work that the transaction started and did not wait for may write again afterwards.
      state.isOpen = false;
    }
  }
}

/** Gives `work` a handle on the open transaction; the handle ends with it, so that a stray use cannot land in another one. */
export async function transactionHandle<T>(
  db: Kysely<Database>,
  place: string,
  work: (tx: Handle, db: Kysely<Database>) => Promise<T>,
): Promise<T> {
  let isOpen = true;
  const run = async <R>(queries: Queries<R>): Promise<R> => {
    if (!isOpen) throw new PlimsollError('internal', 'A store of a finished transaction was used.');
    try {
      return await queries(db);
    } catch (thrown) {
      throw storeFailure(thrown, place);
    }
  };
  try {
    return await work({ read: run, write: run }, db);
  } finally {
    isOpen = false;
  }
}
