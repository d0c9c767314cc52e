import type { CostQueries } from '../costs/cost-queries.ts';
import type { FocusExport } from '../costs/focus/routes.ts';
import type { CallBatch } from '../costs/store.ts';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError, toPlimsollError } from '../kernel/errors.ts';
import type { SliStore } from '../slo/store.ts';
import { type ClickHouseStores, openClickHouse } from '../stores/clickhouse/open.ts';
import type { SpanExport } from '../traces/export/export-file.ts';
import type { ScoreStore } from '../traces/scores/store.ts';
import type { SessionStore } from '../traces/sessions.ts';
import type { SqlLimits, SqlRunner } from '../traces/sql-console/runner.ts';
import type { TraceStore } from '../traces/store.ts';
import type { Environment } from './environment.ts';

export interface EngineLinkOptions {
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: (level: 'info' | 'warn' | 'error', event: string, fields?: Readonly<Record<string, unknown>>) => void;
}

const RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;
const DATABASE = 'plimsoll';

/** The trace store of control: connects and migrates in the background, so that control serves while the engine is still away. */
export class EngineLink {
  readonly #options: EngineLinkOptions;
  readonly #stores: ClickHouseStores;
  #isReady = false;
  #message = 'starting';
  #isClosed = false;
  #migration: Promise<void> = Promise.resolve();
  readonly #verdict = Promise.withResolvers<PlimsollError | null>();

  constructor(options: EngineLinkOptions) {
    this.#options = options;
    const { clickhouseUrl, clickhouseSqlUrl, variables } = options.environment;
    if (clickhouseUrl === null) {
      this.#stores = openClickHouse({
        url: `http://127.0.0.1:${variables.PLIMSOLL_INTERNAL_ENGINE_PORT}`,
        token: variables.PLIMSOLL_INTERNAL_ENGINE_TOKEN,
        database: DATABASE,
      });
    } else {
      const url = new URL(clickhouseUrl);
      const database = url.pathname.replace(/^\/+/, '') || DATABASE;
      const cluster = url.searchParams.get('cluster') ?? undefined;
      this.#stores = openClickHouse(
        { url: url.origin, ...userOf(url), database, cluster },
        clickhouseSqlUrl === null ? null : userOf(new URL(clickhouseSqlUrl)),
      );
    }
  }

  /**
   * The store for the SQL console, or why there is none: a server's own grants must hold who runs statements of people.
   * @throws PlimsollError `store_unavailable`
   */
  sqlRunner(limits: SqlLimits): SqlRunner | string {
    const { clickhouseUrl, clickhouseSqlUrl } = this.#options.environment;
    if (clickhouseUrl !== null && clickhouseSqlUrl === null)
      return 'with a ClickHouse server it needs PLIMSOLL_CLICKHOUSE_SQL_URL, a user who may only SELECT (docs/investigating.md).';
    if (!this.#isReady) throw new PlimsollError('store_unavailable', `The trace store is not ready: ${this.#message}`);
    return this.#stores.sqlRunner(limits);
  }

  start(): void {
    this.#migration = this.#migrate();
  }

  /**
   * Waits until the store is usable, or known to be one that this code must not touch, or until the time is up (then it goes on trying).
   * @throws PlimsollError `data_newer_than_code`, `migration_failed`
   */
  async firstVerdict(timeoutMs: number): Promise<void> {
    const timer = this.#options.clock.setTimer(timeoutMs, () => this.#verdict.resolve(null));
    const error = await this.#verdict.promise;
    timer.cancel();
    if (error !== null) throw error;
  }

  async #migrate(): Promise<void> {
    let retryMs = RETRY_MS;
    while (!this.#isClosed && !this.#isReady) {
      try {
        const { from, to } = await this.#stores.migrate();
        this.#isReady = true;
        this.#message = 'ready';
        this.#verdict.resolve(null);
        if (from !== to) this.#options.log('info', 'trace_store_migrated', { from, to });
      } catch (thrown) {
        const error = toPlimsollError(thrown);
        // Only a person can help with these: say it, look again now and then.
        if (error.message !== this.#message && error.code !== 'store_unavailable')
          this.#options.log('error', 'trace_store_unusable', { code: error.code, message: error.message, fix: error.fix });
        this.#message = error.message;
        if (error.code === 'data_newer_than_code' || error.code === 'migration_failed') this.#verdict.resolve(error);
        await this.#options.clock.sleep(retryMs);
        retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
      }
    }
  }

  /** The stores once they are migrated. @throws PlimsollError `store_unavailable` */
  async stores(): Promise<
    Pick<
      ClickHouseStores,
      'traces' | 'ledger' | 'corrections' | 'costs' | 'focus' | 'spanExport' | 'retention' | 'scores' | 'sessions' | 'slis'
    > & {
      insert(batch: CallBatch): Promise<void>;
    }
  > {
    if (!this.#isReady) throw new PlimsollError('store_unavailable', `The trace store is not ready: ${this.#message}`);
    const { traces, ledger, corrections, costs, focus, spanExport, retention, scores, sessions, slis } = this.#stores;
    return {
      traces,
      ledger,
      corrections,
      costs,
      focus,
      spanExport,
      retention,
      scores,
      sessions,
      slis,
      insert: (batch) => this.#stores.insertBatch(batch),
    };
  }

  /** Trace store for routes: answers `store_unavailable` while the engine is away. */
  readonly traces: TraceStore = {
    insertSpans: async (batch) => (await this.stores()).traces.insertSpans(batch),
    listTraces: async (scope, query, nowMs) => (await this.stores()).traces.listTraces(scope, query, nowMs),
    getTrace: async (scope, traceId, texts) => (await this.stores()).traces.getTrace(scope, traceId, texts),
    spanTexts: async (scope, traceId, spanId) => (await this.stores()).traces.spanTexts(scope, traceId, spanId),
    storedSpans: async (scope, traceIds) => (await this.stores()).traces.storedSpans(scope, traceIds),
    summary: async (scope, from, to, groupBy) => (await this.stores()).traces.summary(scope, from, to, groupBy),
    decisions: async (scope, query) => (await this.stores()).traces.decisions(scope, query),
    targets: async (scope, from, to, groupBy) => (await this.stores()).traces.targets(scope, from, to, groupBy),
    series: async (scope, query) => (await this.stores()).traces.series(scope, query),
    ping: async () => (await this.stores()).traces.ping(),
  };

  readonly focus: FocusExport = {
    write: async (scope, period, grain, format, rules) => (await this.stores()).focus.write(scope, period, grain, format, rules),
  };

  readonly spanExport: SpanExport = {
    spans: (scope, query, signal) => {
      const open = () => this.stores();
      return (async function* () {
        yield* (await open()).spanExport.spans(scope, query, signal);
      })();
    },
    parquet: async (id, spans, signal) => (await this.stores()).spanExport.parquet(id, spans, signal),
  };

  /** Sessions and users for routes: answers `store_unavailable` while the engine is away. */
  readonly sessions: SessionStore = {
    sessions: async (scope, query) => (await this.stores()).sessions.sessions(scope, query),
    session: async (scope, session, after) => (await this.stores()).sessions.session(scope, session, after),
    users: async (scope, query) => (await this.stores()).sessions.users(scope, query),
    user: async (scope, user, range) => (await this.stores()).sessions.user(scope, user, range),
    values: async (scope, query) => (await this.stores()).sessions.values(scope, query),
  };

  /** Ledger questions for routes: answers `store_unavailable` while the engine is away. */
  readonly costs: CostQueries = {
    totals: async (scope, period, filter) => (await this.stores()).costs.totals(scope, period, filter),
    priceIds: async (scope, period) => (await this.stores()).costs.priceIds(scope, period),
    usedAtPrices: async (scope, period, tiers, filter, breakdown) =>
      (await this.stores()).costs.usedAtPrices(scope, period, tiers, filter, breakdown),
    waste: async (scope, period) => (await this.stores()).costs.waste(scope, period),
    savings: async (scope, period) => (await this.stores()).costs.savings(scope, period),
    contextSample: async (scope, period) => (await this.stores()).costs.contextSample(scope, period),
    showback: async (scope, period) => (await this.stores()).costs.showback(scope, period),
    teamUse: async (scope, period, rules) => (await this.stores()).costs.teamUse(scope, period, rules),
    modelDays: async (scope, period, providers) => (await this.stores()).costs.modelDays(scope, period, providers),
    memberHours: async (scope, period, query) => (await this.stores()).costs.memberHours(scope, period, query),
    hourly: async (scope, period, dimension) => (await this.stores()).costs.hourly(scope, period, dimension),
    economics: async (scope, period, groupBy, tag) => (await this.stores()).costs.economics(scope, period, groupBy, tag),
  };

  /** Scores for routes: answers `store_unavailable` while the engine is away. */
  readonly scores: ScoreStore = {
    insertScores: async (batch) => (await this.stores()).scores.insertScores(batch),
    listScores: async (scope, query) => (await this.stores()).scores.listScores(scope, query),
    scoresOfTrace: async (scope, traceId) => (await this.stores()).scores.scoresOfTrace(scope, traceId),
    scoreTotals: async (scope, period) => (await this.stores()).scores.scoreTotals(scope, period),
    outcomeTotals: async (scope, period) => (await this.stores()).scores.outcomeTotals(scope, period),
  };

  /** Counts of indicators for routes: answers `store_unavailable` while the engine is away. */
  readonly slis: SliStore = {
    callCounts: async (scope, period, lines, defaults) => (await this.stores()).slis.callCounts(scope, period, lines, defaults),
    answerCounts: async (scope, period, every) => (await this.stores()).slis.answerCounts(scope, period, every),
    repeatCounts: async (scope, period, windowMs, every) => (await this.stores()).slis.repeatCounts(scope, period, windowMs, every),
  };

  async health(): Promise<{ ready: boolean; message: string }> {
    try {
      await this.traces.ping();
      return { ready: true, message: 'ready' };
    } catch (thrown) {
      return { ready: false, message: toPlimsollError(thrown).message };
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#migration;
    await this.#stores.close();
  }
}

function userOf(url: URL): { username: string | undefined; password: string | undefined } {
  return { username: decodeURIComponent(url.username) || undefined, password: decodeURIComponent(url.password) || undefined };
}
