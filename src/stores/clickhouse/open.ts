import { hash } from 'node:crypto';
import type { RetentionStore } from '../../audit/retention/store.ts';
import type { CostQueries } from '../../costs/cost-queries.ts';
import type { FocusExport } from '../../costs/focus/routes.ts';
import type { CallBatch, LedgerBatch, LedgerCorrections, LedgerStore } from '../../costs/store.ts';
import type { SliStore } from '../../slo/store.ts';
import type { SpanExport } from '../../traces/export/export-file.ts';
import type { ScoreStore } from '../../traces/scores/store.ts';
import type { SessionStore } from '../../traces/sessions.ts';
import type { SqlLimits, SqlRunner } from '../../traces/sql-console/runner.ts';
import type { SpanBatch, TraceStore } from '../../traces/store.ts';
import { ClickHouseConnection, type ClickHouseOptions } from './client.ts';
import {
  chunks,
  hasWords,
  IO_WRITER,
  LEDGER_WRITER,
  PART_WRITER,
  REPRICING_WRITER,
  SCORE_WRITER,
  SPAN_WRITER,
  type TableWriter,
  WORD_WRITER,
} from './columns.ts';
import { readContextSample } from './context-sample.ts';
import { correctRollups, correctRows, unstage } from './corrections.ts';
import { readPriceIds, readUsedAtPrices, readWaste } from './cost-attempts.ts';
import { readHourlyCosts, readMemberHours } from './cost-hours.ts';
import { readEconomics, readPeriodTotals, readSavings } from './cost-queries.ts';
import { readModelDays, readShowback, readTeamUse } from './cost-statements.ts';
import { checkName, type Dialect, onCluster } from './ddl.ts';
import { readFieldValues } from './field-values.ts';
import { writeFocus } from './focus-export.ts';
import { getSpanTexts, getTrace } from './get-trace.ts';
import { readCacheUse, readLedgerByCall, readLedgerCounts, readLedgerPage } from './ledger-store.ts';
import { listTraces } from './list-traces.ts';
import { readSeries, readSummary } from './metrics.ts';
import { migrateTables } from './migrate.ts';
import { dropAbandonedExports, writeParquet } from './parquet-export.ts';
import { createRetentionStore } from './retention.ts';
import { readDecisions } from './routing-decisions.ts';
import { listScores, readOutcomeTotals, readScoresOfTrace, readScoreTotals } from './scores.ts';
import { readSession, readSessions, readUser, readUsers } from './sessions.ts';
import { readAnswerCounts, readCallCounts, readRepeatCounts } from './slis.ts';
import { readSpansWithTexts } from './span-export.ts';
import { createSqlRunner } from './sql-console.ts';
import { readStoredSpans } from './stored-spans.ts';
import { readTargetMetrics } from './target-metrics.ts';
import { frameTexts, KnownParts } from './text-parts.ts';

export interface ClickHouseStores {
  readonly traces: TraceStore;
  readonly sessions: SessionStore;
  readonly ledger: LedgerStore;
  readonly corrections: LedgerCorrections;
  readonly costs: CostQueries;
  readonly focus: FocusExport;
  readonly spanExport: SpanExport;
  readonly retention: RetentionStore;
  readonly scores: ScoreStore;
  readonly slis: SliStore;
  /** The store as the SQL console sees it, within these limits. */
  sqlRunner(limits: SqlLimits): SqlRunner;
  /** Spans, texts, ledger and scores of one batch, each idempotent under the batch's token. Resolves when all of it is durable. */
  insertBatch(batch: CallBatch): Promise<void>;
  /**
   * Creates the database and brings the tables to this code's version.
   * @throws PlimsollError `data_newer_than_code`, `migration_failed`, `store_unavailable`
   */
  migrate(): Promise<{ from: number; to: number }>;
  close(): Promise<void>;
}

/** Opens nothing yet: connections are made on first use. The embedded engine and a ClickHouse server differ by URL and credentials only. */
export function openClickHouse(
  options: ClickHouseOptions,
  sqlUser: Pick<ClickHouseOptions, 'username' | 'password'> | null = null,
): ClickHouseStores {
  const dialect: Dialect = { database: checkName(options.database, 'database name'), cluster: options.cluster ?? null };
  const connection = new ClickHouseConnection(options, dialect.database);
  /** Of the SQL console: at a server, a user of its own whom the server's grants hold. */
  const consoleConnection = sqlUser === null ? connection : new ClickHouseConnection({ ...options, ...sqlUser }, dialect.database);
  const known = new KnownParts();

  async function insertRows<Row>(writer: TableWriter<Row>, rows: readonly Row[], token: string): Promise<void> {
    let place = 0;
    for (const lines of chunks(writer, rows))
      await connection.insert(writer.table, writer.columns, lines, `${token}/${writer.table}/${place++}`);
  }
  async function insertSpans(batch: SpanBatch): Promise<void> {
    // Texts first: when a span is visible, its previews are.
    const { io, parts, keys } = frameTexts(batch.io, known);
    // Named by content: which parts are known differs when a batch is sent again, and a part that is there twice is one in the end.
    for (const lines of chunks(PART_WRITER, parts))
      await connection.insert(PART_WRITER.table, PART_WRITER.columns, lines, `parts/${hash('sha256', lines)}`);
    known.add(keys);
    await insertRows(IO_WRITER, io, batch.token);
    await insertRows(WORD_WRITER, batch.io.filter(hasWords), batch.token);
    await insertRows(SPAN_WRITER, batch.spans, batch.token);
  }
  const insertScores: ScoreStore['insertScores'] = (batch) => insertRows(SCORE_WRITER, batch.rows, batch.token);
  const insertLedger = (batch: LedgerBatch) => insertRows(LEDGER_WRITER, batch.rows, batch.token);

  return {
    traces: {
      insertSpans,
      listTraces: (scope, query) => listTraces(connection, scope, query),
      getTrace: (scope, traceId, texts = 'always') => getTrace(connection, scope, traceId, texts),
      spanTexts: (scope, traceId, spanId) => getSpanTexts(connection, scope, traceId, spanId),
      storedSpans: (scope, traceIds) => readStoredSpans(connection, scope, traceIds),
      summary: (scope, from, to, groupBy) => readSummary(connection, scope, from, to, groupBy),
      decisions: (scope, query) => readDecisions(connection, scope, query),
      targets: (scope, from, to, groupBy) => readTargetMetrics(connection, scope, from, to, groupBy),
      series: (scope, query) => readSeries(connection, scope, query),
      ping: () => connection.ping(),
    },
    sessions: {
      sessions: (scope, query) => readSessions(connection, scope, query),
      session: (scope, session, after) => readSession(connection, scope, session, after),
      users: (scope, query) => readUsers(connection, scope, query),
      user: (scope, user, range) => readUser(connection, scope, user, range),
      values: (scope, query) => readFieldValues(connection, scope, query),
    },
    ledger: {
      insertRows: insertLedger,
      ledgerByCall: (scope, callId) => readLedgerByCall(connection, scope, callId),
      ledgerCounts: (scope, from, to) => readLedgerCounts(connection, scope, from, to),
      cacheUse: (scope, from, to) => readCacheUse(connection, scope, from, to),
    },
    corrections: {
      page: (scope, page) => readLedgerPage(connection, scope, page),
      stage: (_scope, runId, batch, page, calls) =>
        insertRows(
          REPRICING_WRITER,
          calls.map((call) => ({ ...call, runId, batch })),
          `repricing/${runId}/${batch}/${page}`,
        ),
      unstage: (scope, runId, batch) => unstage(connection, scope, runId, batch),
      correctRollups: (scope, runId, batch) => correctRollups(connection, scope, runId, batch),
      correctRows: (scope, runId, batch) => correctRows(connection, scope, runId, batch),
    },
    costs: {
      totals: (scope, period, filter) => readPeriodTotals(connection, scope, period, filter),
      priceIds: (scope, period) => readPriceIds(connection, scope, period),
      usedAtPrices: (scope, period, tiers, filter, breakdown) => readUsedAtPrices(connection, scope, period, tiers, filter, breakdown),
      waste: (scope, period) => readWaste(connection, scope, period),
      savings: (scope, period) => readSavings(connection, scope, period),
      contextSample: (scope, period) => readContextSample(connection, scope, period),
      showback: (scope, period) => readShowback(connection, scope, period),
      teamUse: (scope, period, rules) => readTeamUse(connection, scope, period, rules),
      modelDays: (scope, period, providers) => readModelDays(connection, scope, period, providers),
      memberHours: (scope, period, query) => readMemberHours(connection, scope, period, query),
      hourly: (scope, period, dimension) => readHourlyCosts(connection, scope, period, dimension),
      economics: (scope, period, groupBy, tag) => readEconomics(connection, scope, period, groupBy, tag),
    },
    scores: {
      insertScores,
      listScores: (scope, query) => listScores(connection, scope, query),
      scoresOfTrace: (scope, traceId) => readScoresOfTrace(connection, scope, traceId),
      scoreTotals: (scope, period) => readScoreTotals(connection, scope, period),
      outcomeTotals: (scope, period) => readOutcomeTotals(connection, scope, period),
    },
    slis: {
      callCounts: (scope, period, lines, defaults) => readCallCounts(connection, scope, period, lines, defaults),
      answerCounts: (scope, period, every) => readAnswerCounts(connection, scope, period, every),
      repeatCounts: (scope, period, windowMs, every) => readRepeatCounts(connection, scope, period, windowMs, every),
    },
    focus: { write: (scope, period, grain, format, rules) => writeFocus(connection, scope, period, grain, format, rules) },
    spanExport: {
      spans: (scope, query, signal) => readSpansWithTexts(connection, scope, query, signal),
      async parquet(id, spans, signal) {
        await dropAbandonedExports(connection, dialect);
        return writeParquet(connection, dialect, id, spans, signal);
      },
    },
    retention: createRetentionStore(connection, dialect),
    sqlRunner: (limits) => createSqlRunner(consoleConnection, limits),
    async insertBatch(batch) {
      await insertLedger({ token: batch.token, rows: batch.ledger });
      await insertSpans(batch);
      await insertScores({ token: batch.token, rows: batch.scores ?? [] });
    },
    async migrate() {
      const server = new ClickHouseConnection(options, 'default');
      try {
        await server.command(`CREATE DATABASE IF NOT EXISTS ${dialect.database}${onCluster(dialect)}`);
      } finally {
        await server.close();
      }
      return await migrateTables(connection, dialect);
    },
    async close() {
      if (consoleConnection !== connection) await consoleConnection.close();
      await connection.close();
    },
  };
}
