/**
 * Rows of the control store. Only text, bigint and double precision; JSON is text. Integers arrive as numbers on both databases
 * (as bigints beyond 2⁵³ − 1, which no column of today reaches).
 */
interface Tenant {
  organisation_id: string;
  environment: string;
}

export interface VirtualKeyRow extends Tenant {
  id: string;
  name: string;
  prefix: string;
  hmac: string;
  feature: string | null;
  team: string | null;
  models: string | null;
  created_at_ms: number;
  created_by: string;
  expires_at_ms: number | null;
  revoked_at_ms: number | null;
  rotated_from: string | null;
  last_used_at_ms: number | null;
}

export interface AdminKeyRow extends Tenant {
  id: string;
  name: string;
  prefix: string;
  hmac: string;
  created_at_ms: number;
  revoked_at_ms: number | null;
}

export interface DashboardSessionRow extends Tenant {
  id: string;
  token_hmac: string;
  admin_key_id: string;
  admin_key_hmac: string;
  created_at_ms: number;
  expires_at_ms: number;
  ends_at_ms: number;
}

export interface AuditOutboxRow extends Tenant {
  sequence: number;
  action: string;
  actor: string;
  subject: string;
  details: string;
  at_ms: number;
}

/** Last sequence given out per scope; the row's lock makes sequences follow the order of commit. */
export interface AuditPositionRow extends Tenant {
  last_sequence: number;
}

export interface JobRow extends Tenant {
  id: string;
  key: string;
  name: string;
  timing: string;
  payload: string;
  retry: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  next_run_at_ms: number;
  failed_attempts: number;
  current_run_id: string | null;
  lease_until_ms: number | null;
  /** 1 when the job was changed while it ran: the end of that run then leaves the new time alone. */
  is_rescheduled: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface JobRunRow extends Tenant {
  id: string;
  job_id: string;
  name: string;
  status: 'running' | 'succeeded' | 'failed' | 'abandoned';
  attempt: number;
  scheduled_for_ms: number;
  started_at_ms: number;
  finished_at_ms: number | null;
  error: string | null;
  owner: string;
}

export interface IngestCursorRow extends Tenant {
  reader: string;
  writer: string;
  committed_segment: number;
  committed_offset: number;
  pending_segment: number | null;
  pending_offset: number | null;
  pending_token: string | null;
}

export interface SettingRow extends Tenant {
  key: string;
  value: string;
}

export interface FeatureSwitchRow extends Tenant {
  id: string;
  feature: string;
  kind: 'pause' | 'throttle';
  requests_per_second: number | null;
  share_ratio: number | null;
  reason: string;
  set_by_kind: string;
  set_by_id: string;
  set_by_name: string;
  set_at_ms: number;
  expires_at_ms: number | null;
  ended_at_ms: number | null;
  ended_by: string | null;
  end_reason: string | null;
}

export interface EventLogRow extends Tenant {
  id: string;
  key: string;
  name: string;
  subject: string;
  severity: 'info' | 'warning' | 'critical';
  message: string;
  details: string;
  at_ms: number;
}

export interface ReplayRow extends Tenant {
  id: string;
  state: string;
  /** ReplayRun as JSON. */
  body: string;
}

export interface ReplayItemRow extends Tenant {
  replay_id: string;
  number: number;
  /** ReplayItem as JSON. */
  body: string;
}

export interface CostAnomalyRow extends Tenant {
  id: string;
  dimension: 'feature' | 'team' | 'model';
  series_key: string;
  detector: 'spike' | 'creep';
  from_ms: number;
  to_ms: number;
  last_seen_ms: number;
  ended_at_ms: number | null;
  detected_at_ms: number;
  /** Pico-dollars, decimal: wider than bigint. */
  observed_pico_usd: string;
  expected_pico_usd: string;
  score: number;
  causes: string | null;
  handling: 'acknowledged' | 'expected' | null;
  handled_reason: string | null;
  handled_by: string | null;
  handled_at_ms: number | null;
  muted_until_ms: number | null;
}

/** Something to be joined with what is told later of the same run. */
export interface OpenRunRow extends Tenant {
  run_key: string;
  state: 'waiting' | 'shown' | 'done';
  due_at_ms: number;
  /** JSON; null once it is done. */
  held: string | null;
}

export interface CostStatementRow extends Tenant {
  month: string;
  version: number;
  issued_at_ms: number;
  body: string;
}

export interface CostInvoiceRow extends Tenant {
  id: string;
  name: string;
  content_hash: string;
  imported_at_ms: number;
  body: string;
}

export interface SavedViewRow extends Tenant {
  id: string;
  page: string;
  name: string;
  query: string;
  /** Who sees it: an owner's key, or empty = everybody. */
  reader: string;
  owner: string;
  owner_name: string;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface DatasetRow extends Tenant {
  name: string;
  description: string;
  /** JSON. */
  split: string | null;
  newest_version: number;
  created_at_ms: number;
  archived_at_ms: number | null;
}

export interface DatasetVersionRow extends Tenant {
  dataset: string;
  version: number;
  parent: number | null;
  author: string;
  message: string;
  created_at_ms: number;
  case_count: number;
  added: number;
  removed: number;
  content_hash: string;
}

/** A case is in every version from `from_version` to before `to_version` (null = still): a change of one case is one row, not all again. */
export interface DatasetMemberRow extends Tenant {
  dataset: string;
  case_hash: string;
  from_version: number;
  to_version: number | null;
  position: number;
}

export interface DatasetCaseRow extends Tenant {
  hash: string;
  /** JSON, as `compactCase` gives it. */
  body: string;
}

export interface DatasetOpeningRow extends Tenant {
  id: string;
  dataset: string;
  version: number | null;
  reason: string;
  opened_by: string;
  at_ms: number;
}

export interface Database {
  schema_migrations: { version: number; name: string; applied_at_ms: number };
  virtual_keys: VirtualKeyRow;
  admin_keys: AdminKeyRow;
  dashboard_sessions: DashboardSessionRow;
  audit_outbox: AuditOutboxRow;
  audit_positions: AuditPositionRow;
  jobs: JobRow;
  job_runs: JobRunRow;
  ingest_cursors: IngestCursorRow;
  settings: SettingRow;
  feature_switches: FeatureSwitchRow;
  event_log: EventLogRow;
  replays: ReplayRow;
  replay_items: ReplayItemRow;
  cost_anomalies: CostAnomalyRow;
  cost_statements: CostStatementRow;
  cost_invoices: CostInvoiceRow;
  open_runs: OpenRunRow;
  saved_views: SavedViewRow;
  datasets: DatasetRow;
  dataset_versions: DatasetVersionRow;
  dataset_members: DatasetMemberRow;
  dataset_cases: DatasetCaseRow;
  dataset_openings: DatasetOpeningRow;
}
