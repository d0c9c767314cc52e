import { PlimsollError } from '../../kernel/errors.ts';

/** Where the tables live; decides the engine clause and nothing else. */
export interface Dialect {
  readonly database: string;
  /** Null = one node, plain MergeTree. */
  readonly cluster: string | null;
}

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Each statement may run again after a crash in the middle (IF NOT EXISTS). */
  statements(dialect: Dialect): string[];
}

/** Names that may stand in a statement unquoted; nothing else is ever spliced in. */
export function checkName(name: string, what: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name))
    throw new PlimsollError('config_invalid', `Not a ${what}: ${JSON.stringify(name)}`, { details: { name } });
  return name;
}

export function onCluster({ cluster }: Dialect): string {
  return cluster === null ? '' : ` ON CLUSTER ${checkName(cluster, 'cluster name')}`;
}

/** Engine and durability: acknowledged = on disk; a token seen within the last 10 000 blocks is not inserted twice. */
export function engine(dialect: Dialect, family: 'MergeTree' | 'AggregatingMergeTree' | 'ReplacingMergeTree', version = ''): string {
  if (dialect.cluster === null) return version === '' ? family : `${family}(${version})`;
  return `Replicated${family}('/clickhouse/tables/{shard}/{database}/{table}', '{replica}'${version === '' ? '' : `, ${version}`})`;
}

export function tableSettings(dialect: Dialect, extra: readonly string[] = []): string {
  const window =
    dialect.cluster === null
      ? ['non_replicated_deduplication_window = 10000']
      : ['replicated_deduplication_window = 10000', 'replicated_deduplication_window_seconds = 2592000'];
  return `SETTINGS ${[...extra, ...window, 'fsync_after_insert = 1', 'fsync_part_directory = 1'].join(', ')}`;
}
