import type { Scope } from '../../kernel/scope.ts';
import type { Statement } from './statement.ts';

/** Statements of months. What was written never changes; versions of a month are 1..n without gaps. */
export interface StatementStore {
  /** @throws PlimsollError `conflict` when this version of the month is there already: somebody was faster */
  append(scope: Scope, statement: Statement): Promise<void>;
  /** @param version null = the newest */
  get(scope: Scope, month: string, version: number | null): Promise<Statement | null>;
  /** Newest month and version first. */
  list(scope: Scope, limit: number): Promise<Statement[]>;
}
