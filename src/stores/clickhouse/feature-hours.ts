import { type Migration, onCluster } from './ddl.ts';
import { filled } from './narrow-rollups.ts';
import { FEATURE_HOUR_ROLLUP, FEATURE_ROLLUP_COLUMNS, featureHourSelect, featureTable } from './rollups.ts';

const { table } = FEATURE_HOUR_ROLLUP;

/** A view behind a view: what a correction inserts into the quarters reaches the hours too. */
export const featureHours: Migration = {
  version: 13,
  name: 'hours by feature',
  statements: (dialect) => [
    featureTable(dialect, FEATURE_HOUR_ROLLUP),
    ...filled(dialect, table, FEATURE_ROLLUP_COLUMNS, featureHourSelect()),
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${table}_view${onCluster(dialect)} TO ${table} AS ${featureHourSelect()}`,
  ],
};
