import type { Insertable, Selectable } from 'kysely';
import { AnomalyCauses, type CostAnomaly } from '../../costs/anomalies/model.ts';
import type { AnomalyStore } from '../../costs/anomalies/store.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Handle } from './connection.ts';
import type { CostAnomalyRow } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

function toAnomaly(row: Selectable<CostAnomalyRow>): CostAnomaly {
  const { handling, handled_reason: reason, handled_by: by, handled_at_ms: atMs } = row;
  return {
    id: row.id,
    dimension: row.dimension,
    key: row.series_key,
    detector: row.detector,
    fromMs: row.from_ms,
    toMs: row.to_ms,
    lastSeenMs: row.last_seen_ms,
    endedAtMs: row.ended_at_ms,
    detectedAtMs: row.detected_at_ms,
    observedPicoUsd: BigInt(row.observed_pico_usd),
    expectedPicoUsd: BigInt(row.expected_pico_usd),
    score: row.score,
    causes: row.causes === null ? null : AnomalyCauses.parse(parseJsonText(row.causes)),
    handling:
      handling === null || atMs === null
        ? null
        : { kind: handling, reason: reason ?? '', by: by ?? '', atMs, mutedUntilMs: row.muted_until_ms },
  };
}

type Changing = Omit<
  Insertable<CostAnomalyRow>,
  | 'organisation_id'
  | 'environment'
  | 'id'
  | 'dimension'
  | 'series_key'
  | 'detector'
  | 'detected_at_ms'
  | 'handling'
  | 'handled_reason'
  | 'handled_by'
  | 'handled_at_ms'
  | 'muted_until_ms'
>;

function changing(anomaly: CostAnomaly): Changing {
  return {
    from_ms: anomaly.fromMs,
    to_ms: anomaly.toMs,
    last_seen_ms: anomaly.lastSeenMs,
    ended_at_ms: anomaly.endedAtMs,
    observed_pico_usd: anomaly.observedPicoUsd.toString(),
    expected_pico_usd: anomaly.expectedPicoUsd.toString(),
    score: anomaly.score,
    causes: anomaly.causes === null ? null : JSON.stringify(anomaly.causes),
  };
}

export function sqlCostAnomalies(handle: Handle): AnomalyStore {
  return {
    insert: (scope, anomaly) =>
      handle.write(async (db) => {
        const written = await db
          .insertInto('cost_anomalies')
          .values({
            ...tenantColumns(scope),
            ...changing(anomaly),
            id: anomaly.id,
            dimension: anomaly.dimension,
            series_key: anomaly.key,
            detector: anomaly.detector,
            detected_at_ms: anomaly.detectedAtMs,
            handling: null,
            handled_reason: null,
            handled_by: null,
            handled_at_ms: null,
            muted_until_ms: null,
          })
          .onConflict((conflict) => conflict.doNothing())
          .returning('id')
          .execute();
        return written.length > 0;
      }),
    update: (scope, anomaly) =>
      handle.write(async (db) => {
        await db.updateTable('cost_anomalies').set(changing(anomaly)).where(inScope(scope)).where('id', '=', anomaly.id).execute();
      }),
    handle: (scope, id, { kind, reason, by, atMs, mutedUntilMs }) =>
      handle.write(async (db) => {
        const row = await db
          .updateTable('cost_anomalies')
          .set({ handling: kind, handled_reason: reason, handled_by: by, handled_at_ms: atMs, muted_until_ms: mutedUntilMs })
          .where(inScope(scope))
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst();
        return row === undefined ? null : toAnomaly(row);
      }),
    since: (scope, sinceMs) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('cost_anomalies')
          .selectAll()
          .where(inScope(scope))
          .where(({ eb, or }) =>
            or([eb('ended_at_ms', 'is', null), eb('last_seen_ms', '>=', sinceMs), eb('muted_until_ms', '>=', sinceMs)]),
          )
          .orderBy('id')
          .execute();
        return rows.map(toAnomaly);
      }),
    list: (scope, { state, key, beforeId, limit }) =>
      handle.read(async (db) => {
        let query = db.selectFrom('cost_anomalies').selectAll().where(inScope(scope));
        if (state !== null) query = query.where('ended_at_ms', state === 'open' ? 'is' : 'is not', null);
        if (key !== null) query = query.where('series_key', '=', key);
        if (beforeId !== null) query = query.where('id', '<', beforeId);
        return (await query.orderBy('id', 'desc').limit(limit).execute()).map(toAnomaly);
      }),
  };
}
