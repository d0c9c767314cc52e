import type { Selectable } from 'kysely';
import { z } from 'zod';
import { INVOICE_FORMATS } from '../../costs/invoices/read-invoice.ts';
import type { InvoiceStore, StoredInvoice } from '../../costs/invoices/store.ts';
import { Statement } from '../../costs/statements/statement.ts';
import type { StatementStore } from '../../costs/statements/store.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Handle } from './connection.ts';
import type { CostInvoiceRow } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

export function sqlCostStatements(handle: Handle): StatementStore {
  const toStatement = (body: string): Statement => Statement.parse(parseJsonText(body));
  return {
    append: (scope, statement) =>
      handle.write(async (db) => {
        const { month, version } = statement;
        const written = await db
          .insertInto('cost_statements')
          .values({ ...tenantColumns(scope), month, version, issued_at_ms: statement.issuedAt, body: JSON.stringify(statement) })
          .onConflict((conflict) => conflict.doNothing())
          .returning('version')
          .execute();
        if (written.length === 0)
          throw new PlimsollError('conflict', `Version ${version} of ${month} was issued in this moment by somebody else.`, {
            details: { month, version },
          });
      }),
    get: (scope, month, version) =>
      handle.read(async (db) => {
        let query = db.selectFrom('cost_statements').select('body').where(inScope(scope)).where('month', '=', month);
        if (version !== null) query = query.where('version', '=', version);
        const row = await query.orderBy('version', 'desc').limit(1).executeTakeFirst();
        return row === undefined ? null : toStatement(row.body);
      }),
    list: (scope, limit) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('cost_statements')
          .select('body')
          .where(inScope(scope))
          .orderBy('month', 'desc')
          .orderBy('version', 'desc')
          .limit(limit)
          .execute();
        return rows.map((row) => toStatement(row.body));
      }),
  };
}

const InvoiceBody = z.object({
  format: z.enum(INVOICE_FORMATS),
  providers: z.array(z.string()),
  importedBy: z.string(),
  roundedRows: z.int(),
  lines: z.array(z.object({ day: z.string(), model: z.string(), picoUsd: z.string().transform((text) => BigInt(text)) })),
});

function toInvoice(row: Selectable<CostInvoiceRow>): StoredInvoice {
  return {
    ...InvoiceBody.parse(parseJsonText(row.body)),
    id: row.id,
    name: row.name,
    importedAtMs: row.imported_at_ms,
    contentHash: row.content_hash,
  };
}

export function sqlCostInvoices(handle: Handle): InvoiceStore {
  return {
    insert: (scope, invoice) =>
      handle.write(async (db) => {
        const { format, providers, importedBy, roundedRows } = invoice;
        const lines = invoice.lines.map((line) => ({ ...line, picoUsd: line.picoUsd.toString() }));
        const written = await db
          .insertInto('cost_invoices')
          .values({
            ...tenantColumns(scope),
            id: invoice.id,
            name: invoice.name,
            content_hash: invoice.contentHash,
            imported_at_ms: invoice.importedAtMs,
            body: JSON.stringify({ format, providers, importedBy, roundedRows, lines }),
          })
          .onConflict((conflict) => conflict.doNothing())
          .returning('id')
          .execute();
        return written.length > 0;
      }),
    get: (scope, id) =>
      handle.read(async (db) => {
        const row = await db.selectFrom('cost_invoices').selectAll().where(inScope(scope)).where('id', '=', id).executeTakeFirst();
        return row === undefined ? null : toInvoice(row);
      }),
    list: (scope, limit) =>
      handle.read(async (db) => {
        const rows = await db.selectFrom('cost_invoices').selectAll().where(inScope(scope)).orderBy('id', 'desc').limit(limit).execute();
        return rows.map(toInvoice);
      }),
    remove: (scope, id) =>
      handle.write(async (db) => {
        const gone = await db.deleteFrom('cost_invoices').where(inScope(scope)).where('id', '=', id).returning('id').execute();
        return gone.length > 0;
      }),
  };
}
