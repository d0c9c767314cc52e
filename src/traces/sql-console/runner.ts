import type { Scope } from '../../kernel/scope.ts';
import type { SqlTable } from './model.ts';
import type { EngineNames } from './name-check.ts';

export interface SqlLimits {
  readonly seconds: number;
  readonly memoryBytes: number;
  /** Rows that are sent; one more is read, to know that there are more. */
  readonly rows: number;
  readonly resultBytes: number;
  readonly threads: number;
}

export interface SqlRows {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly elapsedMs: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

/**
 * The trace store as the console sees it: read only by the engine's own rules, on a connection and a budget of its own, and of each table only the
 * rows of the scope.
 */
export interface SqlRunner {
  /** In which the tables are: they may be named with it. */
  readonly database: string;
  readonly tables: readonly SqlTable[];
  readonly limits: SqlLimits;
  /**
   * The syntax tree that the engine's parser makes of a SELECT; nothing of it is run or looked up.
   * @throws PlimsollError `invalid_argument` with what the parser says
   */
  parse(sql: string, signal: AbortSignal): Promise<string[]>;
  /** Functions and other databases that the engine has. @throws PlimsollError `store_unavailable` */
  names(): Promise<EngineNames>;
  /**
   * Runs a SELECT that has passed the checks, in the very form that was parsed.
   * @throws PlimsollError `invalid_argument` for what the statement is to blame for, `query_too_expensive`, `store_unavailable`
   */
  run(scope: Scope, sql: string, signal: AbortSignal): Promise<SqlRows>;
}
