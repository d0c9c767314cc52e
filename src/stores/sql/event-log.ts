import type { EventLog } from '../../kernel/event-log/event-log.ts';
import { newUuidV7 } from '../../kernel/ids.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Handle } from './connection.ts';
import { inScope, tenantColumns } from './tenant.ts';

export function sqlEventLog(handle: Handle): EventLog {
  return {
    append: (scope, event, key) =>
      handle.write(async (db) => {
        const id = newUuidV7(event.atMs);
        const written = await db
          .insertInto('event_log')
          .values({
            ...tenantColumns(scope),
            id,
            key: key ?? id,
            name: event.name,
            subject: event.subject,
            severity: event.severity,
            message: event.message,
            details: JSON.stringify(event.details),
            at_ms: event.atMs,
          })
          .onConflict((conflict) => conflict.columns(['organisation_id', 'environment', 'key']).doNothing())
          .returning('id')
          .execute();
        return written.length > 0;
      }),
    list: (scope, { names, subject, beforeId, limit }) =>
      handle.read(async (db) => {
        let query = db.selectFrom('event_log').selectAll().where(inScope(scope));
        if (names !== null) query = query.where('name', 'in', names);
        if (subject !== null) query = query.where('subject', '=', subject);
        if (beforeId !== null) query = query.where('id', '<', beforeId);
        const rows = await query.orderBy('id', 'desc').limit(limit).execute();
        return rows.map((row) => ({
          id: row.id,
          name: row.name,
          subject: row.subject,
          severity: row.severity,
          message: row.message,
          // Written by `append` above.
          details: parseJsonText(row.details) as Record<string, unknown>,
          atMs: row.at_ms,
        }));
      }),
    prune: (scope, beforeMs) =>
      handle.write(async (db) => {
        const removed = await db.deleteFrom('event_log').where(inScope(scope)).where('at_ms', '<', beforeMs).returning('id').execute();
        return removed.length;
      }),
  };
}
