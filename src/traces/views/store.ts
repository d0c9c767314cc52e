import type { Scope } from '../../kernel/scope.ts';
import type { StoredView } from './model.ts';
import type { ViewPage } from './view-query.ts';

/** Saved views. A name is there once on a page among the shared ones, and once among those of one owner. */
export interface ViewStore {
  /** Shared views and those of the reader, by name. @param page null = of every page @param reader an `ownerKey` */
  list(scope: Scope, page: ViewPage | null, reader: string): Promise<StoredView[]>;
  /** Also a private one of somebody else: the caller decides who may see it. */
  get(scope: Scope, id: string): Promise<StoredView | null>;
  /** A new view, or new values of the one with its id. @throws PlimsollError `conflict` when the name is taken */
  put(scope: Scope, view: StoredView): Promise<void>;
  /** @returns false when there was none */
  remove(scope: Scope, id: string): Promise<boolean>;
}
