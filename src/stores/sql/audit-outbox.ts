import { type ExpressionBuilder, sql } from 'kysely';
import type { AuditOutbox } from '../../kernel/audit.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Actor } from '../../kernel/scope.ts';
import type { Handle } from './connection.ts';
import type { Database } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

export function sqlAuditOutbox(handle: Handle): AuditOutbox {
  return {
    record: (scope, entry) =>
      handle.write(async (db) => {
        // The row stays locked until the transaction ends: sequences follow the order of commit, and a rollback gives its number back.
        const { last_sequence: sequence } = await db
          .insertInto('audit_positions')
          .values({ ...tenantColumns(scope), last_sequence: 1 })
          .onConflict((conflict) =>
            conflict.columns(['organisation_id', 'environment']).doUpdateSet({
              last_sequence: (builder: ExpressionBuilder<Database, 'audit_positions'>) =>
                builder('audit_positions.last_sequence', '+', sql.lit(1)),
            }),
          )
          .returning('last_sequence')
          .executeTakeFirstOrThrow();
        await db
          .insertInto('audit_outbox')
          .values({
            ...tenantColumns(scope),
            sequence,
            action: entry.action,
            actor: JSON.stringify(entry.actor),
            subject: entry.subject,
            details: JSON.stringify(entry.details, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
            at_ms: entry.atMs,
          })
          .execute();
      }),
    list: (scope, { afterSequence, limit }) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('audit_outbox')
          .selectAll()
          .where(inScope(scope))
          .where('sequence', '>', afterSequence)
          .orderBy('sequence')
          .limit(limit)
          .execute();
        return rows.map((row) => ({
          sequence: row.sequence,
          action: row.action,
          // Both are written by `record` above.
          actor: parseJsonText(row.actor) as Actor,
          subject: row.subject,
          details: parseJsonText(row.details) as Record<string, unknown>,
          atMs: row.at_ms,
        }));
      }),
  };
}
