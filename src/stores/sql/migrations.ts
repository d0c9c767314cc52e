export interface Migration {
  readonly version: number;
  readonly name: string;
  /** One statement each, for both databases; `text` becomes `text COLLATE "C"` on PostgreSQL, so that both order bytes. */
  readonly statements: readonly string[];
}

const TENANT = 'organisation_id text NOT NULL, environment text NOT NULL';

/** Forward only. A migration that was released is never edited: add the next one, and a fixture of the version before it. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'base',
    statements: [
      `CREATE TABLE virtual_keys (${TENANT}, id text NOT NULL, name text NOT NULL, prefix text NOT NULL, hmac text NOT NULL,
        feature text, team text, models text, created_at_ms bigint NOT NULL, created_by text NOT NULL, expires_at_ms bigint,
        revoked_at_ms bigint, PRIMARY KEY (organisation_id, environment, id))`,
      'CREATE UNIQUE INDEX virtual_keys_hmac ON virtual_keys (organisation_id, environment, hmac)',
      `CREATE TABLE admin_keys (${TENANT}, id text NOT NULL, name text NOT NULL, prefix text NOT NULL, hmac text NOT NULL,
        created_at_ms bigint NOT NULL, revoked_at_ms bigint, PRIMARY KEY (organisation_id, environment, id))`,
      'CREATE UNIQUE INDEX admin_keys_hmac ON admin_keys (organisation_id, environment, hmac)',
      `CREATE TABLE dashboard_sessions (${TENANT}, id text NOT NULL, token_hmac text NOT NULL, admin_key_id text NOT NULL,
        admin_key_hmac text NOT NULL, created_at_ms bigint NOT NULL, expires_at_ms bigint NOT NULL, ends_at_ms bigint NOT NULL,
        PRIMARY KEY (organisation_id, environment, id))`,
      'CREATE UNIQUE INDEX dashboard_sessions_token ON dashboard_sessions (organisation_id, environment, token_hmac)',
      `CREATE TABLE audit_positions (${TENANT}, last_sequence bigint NOT NULL, PRIMARY KEY (organisation_id, environment))`,
      `CREATE TABLE audit_outbox (${TENANT}, sequence bigint NOT NULL, action text NOT NULL, actor text NOT NULL, subject text NOT NULL,
        details text NOT NULL, at_ms bigint NOT NULL, PRIMARY KEY (organisation_id, environment, sequence))`,
      `CREATE TABLE jobs (${TENANT}, id text NOT NULL, key text NOT NULL, name text NOT NULL, timing text NOT NULL, payload text NOT NULL,
        retry text NOT NULL, state text NOT NULL, next_run_at_ms bigint NOT NULL, failed_attempts bigint NOT NULL, current_run_id text,
        lease_until_ms bigint, is_rescheduled bigint NOT NULL, created_at_ms bigint NOT NULL, updated_at_ms bigint NOT NULL,
        PRIMARY KEY (organisation_id, environment, id))`,
      'CREATE UNIQUE INDEX jobs_key ON jobs (organisation_id, environment, key)',
      'CREATE INDEX jobs_due ON jobs (organisation_id, environment, state, next_run_at_ms)',
      `CREATE TABLE job_runs (${TENANT}, id text NOT NULL, job_id text NOT NULL, name text NOT NULL, status text NOT NULL,
        attempt bigint NOT NULL, scheduled_for_ms bigint NOT NULL, started_at_ms bigint NOT NULL, finished_at_ms bigint, error text,
        owner text NOT NULL, PRIMARY KEY (organisation_id, environment, id),
        FOREIGN KEY (organisation_id, environment, job_id) REFERENCES jobs (organisation_id, environment, id) ON DELETE CASCADE)`,
      'CREATE INDEX job_runs_job ON job_runs (organisation_id, environment, job_id, id)',
      `CREATE TABLE ingest_cursors (${TENANT}, reader text NOT NULL, writer text NOT NULL, committed_segment bigint NOT NULL,
        committed_offset bigint NOT NULL, pending_segment bigint, pending_offset bigint, pending_token text,
        PRIMARY KEY (organisation_id, environment, reader, writer))`,
      `CREATE TABLE settings (${TENANT}, key text NOT NULL, value text NOT NULL, PRIMARY KEY (organisation_id, environment, key))`,
    ],
  },
  {
    version: 2,
    name: 'key rotation and last use',
    statements: [
      'ALTER TABLE virtual_keys ADD COLUMN rotated_from text',
      'ALTER TABLE virtual_keys ADD COLUMN last_used_at_ms bigint',
      'CREATE INDEX virtual_keys_feature ON virtual_keys (organisation_id, environment, feature, id)',
    ],
  },
  {
    version: 3,
    name: 'feature switches and event log',
    statements: [
      `CREATE TABLE feature_switches (${TENANT}, id text NOT NULL, feature text NOT NULL, kind text NOT NULL,
        requests_per_second double precision, share_ratio double precision, reason text NOT NULL, set_by_kind text NOT NULL,
        set_by_id text NOT NULL, set_by_name text NOT NULL, set_at_ms bigint NOT NULL, expires_at_ms bigint, ended_at_ms bigint,
        ended_by text, end_reason text, PRIMARY KEY (organisation_id, environment, id))`,
      // One switch of a feature is open at a time, whoever races.
      'CREATE UNIQUE INDEX feature_switches_open ON feature_switches (organisation_id, environment, feature) WHERE ended_at_ms IS NULL',
      'CREATE INDEX feature_switches_feature ON feature_switches (organisation_id, environment, feature, id)',
      `CREATE TABLE event_log (${TENANT}, id text NOT NULL, key text NOT NULL, name text NOT NULL, subject text NOT NULL,
        severity text NOT NULL, message text NOT NULL, details text NOT NULL, at_ms bigint NOT NULL,
        PRIMARY KEY (organisation_id, environment, id))`,
      'CREATE UNIQUE INDEX event_log_key ON event_log (organisation_id, environment, key)',
      'CREATE INDEX event_log_subject ON event_log (organisation_id, environment, subject, id)',
    ],
  },
  {
    version: 4,
    name: 'replays',
    statements: [
      `CREATE TABLE replays (${TENANT}, id text NOT NULL, state text NOT NULL, body text NOT NULL,
        PRIMARY KEY (organisation_id, environment, id))`,
      `CREATE TABLE replay_items (${TENANT}, replay_id text NOT NULL, number bigint NOT NULL, body text NOT NULL,
        PRIMARY KEY (organisation_id, environment, replay_id, number),
        FOREIGN KEY (organisation_id, environment, replay_id) REFERENCES replays (organisation_id, environment, id) ON DELETE CASCADE)`,
    ],
  },
  {
    version: 5,
    name: 'cost anomalies',
    statements: [
      `CREATE TABLE cost_anomalies (${TENANT}, id text NOT NULL, dimension text NOT NULL, series_key text NOT NULL, detector text NOT NULL,
        from_ms bigint NOT NULL, to_ms bigint NOT NULL, last_seen_ms bigint NOT NULL, ended_at_ms bigint, detected_at_ms bigint NOT NULL,
        observed_pico_usd text NOT NULL, expected_pico_usd text NOT NULL, score double precision NOT NULL, causes text, handling text,
        handled_reason text, handled_by text, handled_at_ms bigint, muted_until_ms bigint, PRIMARY KEY (organisation_id, environment, id))`,
      // One of a series and detector is open at a time, whoever races.
      `CREATE UNIQUE INDEX cost_anomalies_open ON cost_anomalies (organisation_id, environment, dimension, series_key, detector)
        WHERE ended_at_ms IS NULL`,
    ],
  },
  {
    version: 6,
    name: 'runs of SDKs whose other half is to come',
    statements: [
      `CREATE TABLE open_runs (${TENANT}, run_key text NOT NULL, state text NOT NULL, due_at_ms bigint NOT NULL, held text,
        PRIMARY KEY (organisation_id, environment, run_key))`,
      'CREATE INDEX open_runs_due ON open_runs (organisation_id, environment, due_at_ms)',
    ],
  },
  {
    version: 7,
    name: 'cost statements and invoices',
    statements: [
      `CREATE TABLE cost_statements (${TENANT}, month text NOT NULL, version bigint NOT NULL, issued_at_ms bigint NOT NULL, body text NOT NULL,
        PRIMARY KEY (organisation_id, environment, month, version))`,
      `CREATE TABLE cost_invoices (${TENANT}, id text NOT NULL, name text NOT NULL, content_hash text NOT NULL, imported_at_ms bigint NOT NULL,
        body text NOT NULL, PRIMARY KEY (organisation_id, environment, id))`,
      'CREATE UNIQUE INDEX cost_invoices_content ON cost_invoices (organisation_id, environment, content_hash)',
    ],
  },
  {
    version: 8,
    name: 'saved views',
    statements: [
      `CREATE TABLE saved_views (${TENANT}, id text NOT NULL, page text NOT NULL, name text NOT NULL, query text NOT NULL,
        reader text NOT NULL, owner text NOT NULL, owner_name text NOT NULL, created_at_ms bigint NOT NULL, updated_at_ms bigint NOT NULL,
        PRIMARY KEY (organisation_id, environment, id))`,
      // One of a name is there for each reader, whoever races.
      'CREATE UNIQUE INDEX saved_views_name ON saved_views (organisation_id, environment, page, reader, name)',
    ],
  },
  {
    version: 9,
    name: 'datasets',
    statements: [
      `CREATE TABLE datasets (${TENANT}, name text NOT NULL, description text NOT NULL, split text, newest_version bigint NOT NULL,
        created_at_ms bigint NOT NULL, archived_at_ms bigint, PRIMARY KEY (organisation_id, environment, name))`,
      `CREATE TABLE dataset_versions (${TENANT}, dataset text NOT NULL, version bigint NOT NULL, parent bigint, author text NOT NULL,
        message text NOT NULL, created_at_ms bigint NOT NULL, case_count bigint NOT NULL, added bigint NOT NULL, removed bigint NOT NULL,
        content_hash text NOT NULL, PRIMARY KEY (organisation_id, environment, dataset, version))`,
      `CREATE TABLE dataset_cases (${TENANT}, hash text NOT NULL, body text NOT NULL, PRIMARY KEY (organisation_id, environment, hash))`,
      `CREATE TABLE dataset_members (${TENANT}, dataset text NOT NULL, case_hash text NOT NULL, from_version bigint NOT NULL,
        to_version bigint, position bigint NOT NULL, PRIMARY KEY (organisation_id, environment, dataset, case_hash, from_version))`,
      'CREATE INDEX dataset_members_position ON dataset_members (organisation_id, environment, dataset, position)',
      `CREATE TABLE dataset_openings (${TENANT}, id text NOT NULL, dataset text NOT NULL, version bigint, reason text NOT NULL,
        opened_by text NOT NULL, at_ms bigint NOT NULL, PRIMARY KEY (organisation_id, environment, id))`,
      'CREATE INDEX dataset_openings_dataset ON dataset_openings (organisation_id, environment, dataset, id)',
    ],
  },
];

export const SCHEMA_VERSION: number = Math.max(...MIGRATIONS.map((migration) => migration.version));
