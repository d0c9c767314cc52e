import type { Selectable } from 'kysely';
import { PlimsollError } from '../../kernel/errors.ts';
import type { JournalPosition } from '../../kernel/journal/record.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { Handle } from './connection.ts';
import type { IngestCursorRow } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

export interface IngestCursor {
  readonly writer: string;
  /** Everything before it is in the reader's store. */
  readonly committed: JournalPosition;
  /**
   * A batch that was begun and not committed: `committed` up to `end`, under the deduplication token `token`. After a restart exactly
   * this batch is sent again with this token, so that the store can drop what it has already.
   */
  readonly pending: { readonly end: JournalPosition; readonly token: string } | null;
}

/** How far each reader (the trace store, the ledger …) has come in each writer's journal. Several readers move independently. */
export interface IngestCursorStore {
  /** Cursors of one reader, by writer. */
  read(scope: Scope, reader: string): Promise<IngestCursor[]>;
  /**
   * Notes the batch before it is sent. The first batch of a writer creates its cursor at `from`. The same call again is harmless.
   * @throws PlimsollError `conflict` when the cursor is not at `from`, or another batch is pending
   * @throws PlimsollError `invalid_argument` when `to` is not after `from`
   */
  begin(scope: Scope, reader: string, writer: string, from: JournalPosition, to: JournalPosition, token: string): Promise<void>;
  /**
   * The pending batch is stored: moves the cursor to its end.
   * @returns the new position
   * @throws PlimsollError `conflict` when no batch is pending
   */
  commit(scope: Scope, reader: string, writer: string): Promise<JournalPosition>;
}

function toCursor(row: Selectable<IngestCursorRow>): IngestCursor {
  const { pending_segment: segment, pending_offset: offset, pending_token: token } = row;
  return {
    writer: row.writer,
    committed: { segment: row.committed_segment, offset: row.committed_offset },
    pending: segment === null || offset === null || token === null ? null : { end: { segment, offset }, token },
  };
}

export function sqlIngestCursors(handle: Handle): IngestCursorStore {
  return {
    read: (scope, reader) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('ingest_cursors')
          .selectAll()
          .where(inScope(scope))
          .where('reader', '=', reader)
          .orderBy('writer')
          .execute();
        return rows.map(toCursor);
      }),
    begin: (scope, reader, writer, from, to, token) =>
      handle.write(async (db) => {
        if (to.segment < from.segment || (to.segment === from.segment && to.offset <= from.offset)) {
          throw new PlimsollError(
            'invalid_argument',
            `A batch must end after it begins: ${from.segment}:${from.offset} to ${to.segment}:${to.offset}.`,
            {
              details: { from, to },
            },
          );
        }
        await db
          .insertInto('ingest_cursors')
          .values({ ...tenantColumns(scope), reader, writer, committed_segment: from.segment, committed_offset: from.offset })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        const pending = { pending_segment: to.segment, pending_offset: to.offset, pending_token: token };
        const begun = await db
          .updateTable('ingest_cursors')
          .set(pending)
          .where(inScope(scope))
          .where(({ and }) => and({ reader, writer, committed_segment: from.segment, committed_offset: from.offset }))
          .where(({ eb, or, and }) => or([eb('pending_token', 'is', null), and(pending)]))
          .returning('writer')
          .execute();
        if (begun.length === 0) {
          const row = await db
            .selectFrom('ingest_cursors')
            .selectAll()
            .where(inScope(scope))
            .where(({ and }) => and({ reader, writer }))
            .executeTakeFirstOrThrow();
          const { committed, pending: other } = toCursor(row);
          const state = other === null ? 'no batch is pending' : `batch ${other.token} is pending`;
          throw new PlimsollError(
            'conflict',
            `Reader "${reader}" of writer "${writer}" stands at ${committed.segment}:${committed.offset} and ${state}; cannot begin at ${from.segment}:${from.offset}.`,
            { details: { reader, writer, committed, pending: other, from, to } },
          );
        }
      }),
    commit: (scope, reader, writer) =>
      handle.write(async (db) => {
        const row = await db
          .updateTable('ingest_cursors')
          .set(({ ref }) => ({
            // Only rows with a pending batch are matched, so neither is null.
            committed_segment: ref('pending_segment').$notNull(),
            committed_offset: ref('pending_offset').$notNull(),
            pending_segment: null,
            pending_offset: null,
            pending_token: null,
          }))
          .where(inScope(scope))
          .where(({ and }) => and({ reader, writer }))
          .where('pending_token', 'is not', null)
          .returningAll()
          .executeTakeFirst();
        if (row === undefined) {
          throw new PlimsollError('conflict', `Reader "${reader}" of writer "${writer}" has no pending batch to commit.`, {
            details: { reader, writer },
          });
        }
        return toCursor(row).committed;
      }),
  };
}
