import type { Scope } from '../../kernel/scope.ts';
import type { InvoiceFormat, InvoiceLine } from './read-invoice.ts';

/** What a provider charged, as it was imported. */
export interface StoredInvoice {
  /** UUIDv7. */
  readonly id: string;
  readonly name: string;
  readonly format: InvoiceFormat;
  /** Names of the providers of plimsoll.yaml whose calls it is for. */
  readonly providers: readonly string[];
  readonly importedAtMs: number;
  readonly importedBy: string;
  /** Of the file: the same file is one invoice. */
  readonly contentHash: string;
  readonly roundedRows: number;
  readonly lines: readonly InvoiceLine[];
}

export interface InvoiceStore {
  /** @returns false when the same file was imported already */
  insert(scope: Scope, invoice: StoredInvoice): Promise<boolean>;
  get(scope: Scope, id: string): Promise<StoredInvoice | null>;
  /** Newest first. */
  list(scope: Scope, limit: number): Promise<StoredInvoice[]>;
  /** @returns false when there is none with this id */
  remove(scope: Scope, id: string): Promise<boolean>;
}
