import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError, toPlimsollError } from '../../kernel/errors.ts';
import type { EventLog } from '../../kernel/event-log/event-log.ts';
import { newUuidV7 } from '../../kernel/ids.ts';
import type { Actor, AuditSink, Scope } from '../../kernel/scope.ts';
import { refuseAt } from './lexer.ts';
import type { SqlConsoleView, SqlRequest, SqlResult } from './model.ts';
import { checkNames } from './name-check.ts';
import type { SqlLimits, SqlRows, SqlRunner } from './runner.ts';
import { readStatement, type Statement } from './statement.ts';
import { findRefusal, readTree, wrappedStatement } from './syntax-tree.ts';

export interface SqlConsole {
  view(): SqlConsoleView;
  /**
   * @throws PlimsollError `permission_denied` when the console is off, `invalid_argument` with line and column, `rate_limited` when others are running,
   *   `query_too_expensive`, `conflict` when it was cancelled, `store_unavailable`
   */
  run(scope: Scope, request: SqlRequest, actor: Actor): Promise<SqlResult>;
  /** @throws PlimsollError `not_found` when no run of this name goes on */
  cancel(runId: string): void;
}

interface Options {
  /** The store; or why there is none for the console. */
  readonly runner: () => SqlRunner | string;
  readonly limits: () => SqlLimits;
  readonly eventLog: EventLog;
  readonly audit: AuditSink;
  readonly nameOf: (scope: Scope, actor: Actor) => Promise<string>;
  readonly clock: Clock;
}

/** At a time, over all who ask: the console has one connection, and one may wait for it. */
const MAX_RUNS = 2;
/** Of a query, in the event log. */
const LOGGED_CHARACTERS = 4_000;

type Outcome = { readonly outcome: 'ok'; readonly result: SqlResult } | { readonly outcome: 'failed'; readonly error: PlimsollError };

export function createSqlConsole({ runner, limits, eventLog, audit, nameOf, clock }: Options): SqlConsole {
  const running = new Map<string, AbortController>();

  function open(): SqlRunner {
    const found = runner();
    if (typeof found === 'string') throw new PlimsollError('permission_denied', `The SQL console is off: ${found}`);
    return found;
  }

  async function answer(scope: Scope, query: string, runId: string, signal: AbortSignal): Promise<SqlResult> {
    const store = open();
    const statement = readStatement(query);
    const startedMs = clock.nowMs();
    const rows = statement.kind === 'select' ? await select(store, scope, query, statement, signal) : describe(store, query, statement);
    const isCut = rows.rows.length > store.limits.rows;
    return {
      runId,
      columns: [...rows.columns],
      rows: rows.rows.slice(0, store.limits.rows).map((row) => [...row]),
      isCut,
      elapsedMs: clock.nowMs() - startedMs,
      rowsRead: rows.rowsRead,
      bytesRead: rows.bytesRead,
    };
  }

  return {
    view() {
      const found = runner();
      const isOff = typeof found === 'string';
      return { isEnabled: !isOff, reason: isOff ? found : null, limits: limits(), tables: isOff ? [] : [...found.tables] };
    },
    async run(scope, { query, runId = newUuidV7(clock.nowMs()) }, actor) {
      open();
      if (running.has(runId)) throw new PlimsollError('conflict', `A run "${runId}" goes on already.`, { details: { param: 'runId' } });
      if (running.size >= MAX_RUNS)
        throw new PlimsollError('rate_limited', `${running.size} queries of the console run already: wait for their end, or cancel one.`);
      const abort = new AbortController();
      running.set(runId, abort);
      try {
        const name = await nameOf(scope, actor);
        const asked = query.slice(0, LOGGED_CHARACTERS);
        // Before it runs: what was asked is known whatever becomes of it.
        await audit.record(scope, { action: 'sql.run', actor, subject: `sql/${runId}`, details: { query: asked }, atMs: clock.nowMs() });
        const done = await answer(scope, query, runId, abort.signal).then(
          (result): Outcome => ({ outcome: 'ok', result }),
          (thrown: unknown): Outcome => ({ outcome: 'failed', error: whyNot(thrown, abort.signal) }),
        );
        const told =
          done.outcome === 'ok'
            ? { rows: done.result.rows.length, rowsRead: done.result.rowsRead, elapsedMs: done.result.elapsedMs }
            : { error: done.error.code, message: done.error.message.slice(0, 500) };
        await eventLog.append(scope, {
          name: 'sql.run',
          subject: `sql/${runId}`,
          severity: 'info',
          message: `${name} ran a query in the SQL console: ${done.outcome === 'ok' ? `${done.result.rows.length} rows` : done.error.code}.`,
          details: { actor: { kind: actor.kind, id: actor.id, name }, query: asked, ...told },
          atMs: clock.nowMs(),
        });
        if (done.outcome === 'failed') throw done.error;
        return done.result;
      } finally {
        running.delete(runId);
      }
    },
    cancel(runId) {
      const abort = running.get(runId);
      if (abort === undefined) throw new PlimsollError('not_found', `No run "${runId}" goes on.`, { details: { runId } });
      abort.abort();
    },
  };
}

function whyNot(thrown: unknown, signal: AbortSignal): PlimsollError {
  return signal.aborted ? new PlimsollError('conflict', 'The query was cancelled.') : toPlimsollError(thrown);
}

async function select(
  store: SqlRunner,
  scope: Scope,
  text: string,
  { sql, subqueries, tokens }: Extract<Statement, { kind: 'select' }>,
  signal: AbortSignal,
): Promise<SqlRows> {
  const names = await store.names();
  checkNames(text, tokens, names);
  const lines = await store.parse(sql, signal);
  const refusal = findRefusal(wrappedStatement(readTree(lines)), {
    tables: new Set(store.tables.map(({ name }) => name)),
    database: store.database,
    subqueries,
    engineFunctions: names.functions,
  });
  if (refusal !== null) {
    const at = tokens.find((token) => token.text.toLowerCase() === refusal.name.toLowerCase());
    refuseAt(text, at?.offset ?? 0, refusal.reason);
  }
  return store.run(scope, sql, signal);
}

/** Answered from the documented tables: the engine is not asked about its own. */
function describe({ tables }: SqlRunner, text: string, statement: Exclude<Statement, { kind: 'select' }>): SqlRows {
  const column = (name: string) => ({ name, type: 'String' });
  const nothingRead = { elapsedMs: 0, rowsRead: 0, bytesRead: 0 };
  if (statement.kind === 'tables')
    return {
      columns: ['name', 'description'].map(column),
      rows: tables.map(({ name, description }) => [name, description]),
      ...nothingRead,
    };
  const table = tables.find(({ name }) => name === statement.table);
  if (table === undefined)
    refuseAt(
      text,
      statement.offset,
      `${statement.table} is no table of the console. There are: ${tables.map(({ name }) => name).join(', ')}.`,
    );
  return {
    columns: ['name', 'type', 'description'].map(column),
    rows: table.columns.map(({ name, type, description }) => [name, type, description]),
    ...nothingRead,
  };
}
