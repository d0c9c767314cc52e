import type { Selectable } from 'kysely';
import { compactCase, type EvalCase, readCase } from '../../datasets/model.ts';
import type { SplitPlan } from '../../datasets/split.ts';
import type { DatasetRecord, DatasetStore, DatasetVersion } from '../../datasets/store.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Handle } from './connection.ts';
import type { DatasetRow, DatasetVersionRow } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

/** Rows of one statement; both databases bound its parameters. */
const CHUNK = 500;

function toRecord(row: Selectable<DatasetRow>): DatasetRecord {
  return {
    name: row.name,
    description: row.description,
    split: row.split === null ? null : (parseJsonText(row.split) as SplitPlan), // written below
    newestVersion: row.newest_version,
    createdAtMs: row.created_at_ms,
    archivedAtMs: row.archived_at_ms,
  };
}

function toVersion(row: Selectable<DatasetVersionRow>): DatasetVersion {
  return {
    version: row.version,
    parent: row.parent,
    author: row.author,
    message: row.message,
    createdAtMs: row.created_at_ms,
    caseCount: row.case_count,
    added: row.added,
    removed: row.removed,
    contentHash: row.content_hash,
  };
}

function toCase(hash: string, body: string): EvalCase {
  // The hash is its name: what an earlier Plimsoll hashed stays found under it.
  return { ...readCase(parseJsonText(body), `case ${hash}`), hash };
}

function chunks<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, index) => items.slice(index * CHUNK, (index + 1) * CHUNK));
}

export function sqlDatasets(handle: Handle): DatasetStore {
  return {
    list: (scope) =>
      handle.read(async (db) =>
        (await db.selectFrom('datasets').selectAll().where(inScope(scope)).orderBy('name').execute()).map(toRecord),
      ),
    get: (scope, name) =>
      handle.read(async (db) => {
        const row = await db.selectFrom('datasets').selectAll().where(inScope(scope)).where('name', '=', name).executeTakeFirst();
        return row === undefined ? null : toRecord(row);
      }),
    create: (scope, record) =>
      handle.write(async (db) => {
        const row = await db
          .insertInto('datasets')
          .values({
            ...tenantColumns(scope),
            name: record.name,
            description: record.description,
            split: record.split === null ? null : JSON.stringify(record.split),
            newest_version: record.newestVersion,
            created_at_ms: record.createdAtMs,
            archived_at_ms: record.archivedAtMs,
          })
          .onConflict((conflict) => conflict.columns(['organisation_id', 'environment', 'name']).doNothing())
          .returning('name')
          .executeTakeFirst();
        if (row === undefined)
          throw new PlimsollError('conflict', `There is a dataset ${record.name} already.`, {
            details: { param: 'name', name: record.name },
          });
      }),
    change: (scope, name, { description, split, archivedAtMs }) =>
      handle.write(async (db) => {
        const changed = await db
          .updateTable('datasets')
          .set({
            name,
            ...(description === undefined ? {} : { description }),
            ...(split === undefined ? {} : { split: split === null ? null : JSON.stringify(split) }),
            ...(archivedAtMs === undefined ? {} : { archived_at_ms: archivedAtMs }),
          })
          .where(inScope(scope))
          .where('name', '=', name)
          .returning('name')
          .execute();
        return changed.length > 0;
      }),
    append: (scope, name, draft) =>
      handle.write(async (db) => {
        const version = draft.parent + 1;
        // The row is the lock: of two writers with one parent the second finds another newest version.
        const moved = await db
          .updateTable('datasets')
          .set({ newest_version: version })
          .where(inScope(scope))
          .where('name', '=', name)
          .where('newest_version', '=', draft.parent)
          .returning('name')
          .execute();
        if (moved.length === 0) {
          const now = await db
            .selectFrom('datasets')
            .select('newest_version')
            .where(inScope(scope))
            .where('name', '=', name)
            .executeTakeFirst();
          if (now === undefined) throw new PlimsollError('not_found', `There is no dataset ${name}.`, { details: { name } });
          throw new PlimsollError(
            'conflict',
            `${name} is at version ${now.newest_version} by now, and this change was made on version ${draft.parent}.`,
            {
              details: { name, newestVersion: now.newest_version, parent: draft.parent },
            },
          );
        }
        for (const part of chunks(draft.ended))
          await db
            .updateTable('dataset_members')
            .set({ to_version: version })
            .where(inScope(scope))
            .where('dataset', '=', name)
            .where('to_version', 'is', null)
            .where('case_hash', 'in', part)
            .execute();
        for (const part of chunks(draft.added)) {
          await db
            .insertInto('dataset_cases')
            .values(
              part.map(({ evalCase }) => ({ ...tenantColumns(scope), hash: evalCase.hash, body: JSON.stringify(compactCase(evalCase)) })),
            )
            .onConflict((conflict) => conflict.columns(['organisation_id', 'environment', 'hash']).doNothing())
            .execute();
          await db
            .insertInto('dataset_members')
            .values(
              part.map(({ evalCase, position }) => ({
                ...tenantColumns(scope),
                dataset: name,
                case_hash: evalCase.hash,
                from_version: version,
                to_version: null,
                position,
              })),
            )
            .execute();
        }
        const row: DatasetVersionRow = {
          ...tenantColumns(scope),
          dataset: name,
          version,
          parent: draft.parent === 0 ? null : draft.parent,
          author: draft.author,
          message: draft.message,
          created_at_ms: draft.createdAtMs,
          case_count: draft.caseCount,
          added: draft.added.length,
          removed: draft.ended.length,
          content_hash: draft.contentHash,
        };
        await db.insertInto('dataset_versions').values(row).execute();
        return toVersion(row);
      }),
    versions: (scope, name) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('dataset_versions')
          .selectAll()
          .where(inScope(scope))
          .where('dataset', '=', name)
          .orderBy('version', 'desc')
          .execute();
        return rows.map(toVersion);
      }),
    cases: (scope, name, version, { afterPosition, limit }) =>
      handle.read(async (db) => {
        const members = await db
          .selectFrom('dataset_members')
          .select(['case_hash', 'position'])
          .where(inScope(scope))
          .where('dataset', '=', name)
          .where('from_version', '<=', version)
          .where((where) => where.or([where('to_version', 'is', null), where('to_version', '>', version)]))
          .where('position', '>', afterPosition)
          .orderBy('position')
          .limit(limit)
          .execute();
        const bodies = new Map<string, string>();
        for (const part of chunks(members)) {
          const hashes = part.map(({ case_hash }) => case_hash);
          const rows = await db
            .selectFrom('dataset_cases')
            .select(['hash', 'body'])
            .where(inScope(scope))
            .where('hash', 'in', hashes)
            .execute();
          for (const { hash, body } of rows) bodies.set(hash, body);
        }
        return members.flatMap(({ case_hash: hash, position }) => {
          const body = bodies.get(hash);
          return body === undefined ? [] : [{ position, evalCase: toCase(hash, body) }];
        });
      }),
    recordOpening: (scope, name, opening) =>
      handle.write(async (db) => {
        await db
          .insertInto('dataset_openings')
          .values({
            ...tenantColumns(scope),
            id: opening.id,
            dataset: name,
            version: opening.version,
            reason: opening.reason,
            opened_by: opening.openedBy,
            at_ms: opening.atMs,
          })
          .execute();
      }),
    openings: (scope, name) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('dataset_openings')
          .selectAll()
          .where(inScope(scope))
          .where('dataset', '=', name)
          .orderBy('id')
          .execute();
        return rows.map((row) => ({ id: row.id, version: row.version, reason: row.reason, openedBy: row.opened_by, atMs: row.at_ms }));
      }),
  };
}
