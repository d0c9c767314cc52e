import type { AnomalyStore } from '../../costs/anomalies/store.ts';
import type { InvoiceStore } from '../../costs/invoices/store.ts';
import type { StatementStore } from '../../costs/statements/store.ts';
import type { DatasetStore } from '../../datasets/store.ts';
import type { FeatureSwitchStore } from '../../features/switch-store.ts';
import type { AdminKeyStore, SessionStore, VirtualKeyStore } from '../../identity/store.ts';
import type { AuditOutbox } from '../../kernel/audit.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import type { EventLog } from '../../kernel/event-log/event-log.ts';
import type { JobStore } from '../../kernel/jobs/job.ts';
import type { ReplayStore } from '../../traces/replay/store.ts';
import type { ViewStore } from '../../traces/views/store.ts';
import { sqlAdminKeys } from './admin-keys.ts';
import { sqlAuditOutbox } from './audit-outbox.ts';
import type { Connection, Handle } from './connection.ts';
import { sqlCostAnomalies } from './cost-anomalies.ts';
import { sqlCostInvoices, sqlCostStatements } from './cost-documents.ts';
import { sqlDatasets } from './datasets.ts';
import { sqlEventLog } from './event-log.ts';
import { sqlFeatureSwitches } from './feature-switches.ts';
import { type IngestCursorStore, sqlIngestCursors } from './ingest-cursors.ts';
import { sqlJobs } from './jobs.ts';
import { migrate } from './migrate.ts';
import { type SqlOpenRuns, sqlOpenRuns } from './open-runs.ts';
import { openPostgres } from './postgres.ts';
import { sqlReplays } from './replays.ts';
import { sqlSessions } from './sessions.ts';
import { type SettingsStore, sqlSettings } from './settings.ts';
import { openSqlite } from './sqlite.ts';
import { sqlViews } from './views.ts';
import { sqlVirtualKeys } from './virtual-keys.ts';

export type ControlStoreLocation =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string; readonly schema?: string };

export interface ControlStores {
  readonly keys: VirtualKeyStore;
  readonly adminKeys: AdminKeyStore;
  readonly sessions: SessionStore;
  readonly jobs: JobStore;
  readonly cursors: IngestCursorStore;
  readonly settings: SettingsStore;
  readonly audit: AuditOutbox;
  readonly featureSwitches: FeatureSwitchStore;
  readonly eventLog: EventLog;
  readonly replays: ReplayStore;
  readonly anomalies: AnomalyStore;
  readonly statements: StatementStore;
  readonly invoices: InvoiceStore;
  readonly openRuns: SqlOpenRuns;
  readonly views: ViewStore;
  readonly datasets: DatasetStore;
}

export interface ControlStoreStatus {
  readonly kind: 'sqlite' | 'postgres';
  /** Of the database software. */
  readonly version: string;
  readonly schemaVersion: number;
}

/** Everything that the control plane keeps. A method called on the store itself is a transaction of its own. */
export interface ControlStore extends ControlStores {
  /**
   * One transaction over several stores: all of it or nothing. Inside, write only through `tx`; a write through the store itself throws
   * `internal`, a read through it sees the state before. Keep it short and wait for nothing but `tx`: on SQLite every other writer waits.
   * An error of the database inside `work` ends the transaction also when it is caught.
   */
  transaction<T>(work: (tx: ControlStores) => Promise<T>): Promise<T>;
  /** Asks the database. @throws PlimsollError `store_unavailable` */
  status(): Promise<ControlStoreStatus>;
  close(): Promise<void>;
}

function storesOf(handle: Handle): ControlStores {
  return {
    keys: sqlVirtualKeys(handle),
    adminKeys: sqlAdminKeys(handle),
    sessions: sqlSessions(handle),
    jobs: sqlJobs(handle),
    cursors: sqlIngestCursors(handle),
    settings: sqlSettings(handle),
    audit: sqlAuditOutbox(handle),
    featureSwitches: sqlFeatureSwitches(handle),
    eventLog: sqlEventLog(handle),
    replays: sqlReplays(handle),
    anomalies: sqlCostAnomalies(handle),
    statements: sqlCostStatements(handle),
    invoices: sqlCostInvoices(handle),
    openRuns: sqlOpenRuns(handle),
    views: sqlViews(handle),
    datasets: sqlDatasets(handle),
  };
}

async function connect(location: ControlStoreLocation): Promise<Connection> {
  switch (location.kind) {
    case 'sqlite':
      return openSqlite(location.path);
    case 'postgres':
      return openPostgres(location.url, location.schema ?? null);
  }
}

/**
 * Opens the control store and brings its schema up to date.
 * @throws PlimsollError `data_dir_unusable`, `store_unavailable`, `data_newer_than_code`, `migration_failed`, `config_invalid`
 */
export async function openControlStore(location: ControlStoreLocation, clock: Clock = systemClock): Promise<ControlStore> {
  const connection = await connect(location);
  const schemaVersion = await migrate(
    { kind: connection.kind, schema: connection.schema, transaction: (work) => connection.transaction((_tx, db) => work(db)) },
    clock.nowMs(),
  ).catch(async (thrown: unknown) => {
    await connection.close();
    throw thrown;
  });
  return {
    ...storesOf(connection),
    transaction: (work) => connection.transaction((tx) => work(storesOf(tx))),
    async status() {
      await connection.read((db) => db.selectFrom('schema_migrations').select('version').limit(1).execute());
      return { kind: connection.kind, version: await connection.serverVersion(), schemaVersion };
    },
    close: () => connection.close(),
  };
}
