import { type ExpressionBuilder, sql } from 'kysely';
import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { Handle } from './connection.ts';
import type { Database } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

/** Small values of a scope, JSON. */
export interface SettingsStore {
  /** Null when the key was never written. */
  get(scope: Scope, key: string): Promise<unknown>;
  put(scope: Scope, key: string, value: unknown): Promise<void>;
  /** Writes only when there is none yet. @returns what is stored afterwards: of several writers, all get the first one's value */
  putIfAbsent(scope: Scope, key: string, value: unknown): Promise<unknown>;
  /** Atomic. @returns 1, 2, 3 …; a rolled back transaction gives its number back */
  increment(scope: Scope, key: string): Promise<number>;
  /** The next snapshot epoch: `increment` of `snapshot.epoch`. */
  nextEpoch(scope: Scope): Promise<number>;
}

function toJson(key: string, value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new PlimsollError('invalid_argument', `Setting "${key}" is not JSON.`, { details: { key } });
  return text;
}

export function sqlSettings(handle: Handle): SettingsStore {
  const get = (scope: Scope, key: string): Promise<unknown> =>
    handle.read(async (db) => {
      const row = await db.selectFrom('settings').select('value').where(inScope(scope)).where('key', '=', key).executeTakeFirst();
      return row === undefined ? null : (parseJsonText(row.value) as unknown);
    });
  const increment = (scope: Scope, key: string): Promise<number> =>
    handle.write(async (db) => {
      const row = await db
        .insertInto('settings')
        .values({ ...tenantColumns(scope), key, value: '1' })
        .onConflict((conflict) =>
          conflict.columns(['organisation_id', 'environment', 'key']).doUpdateSet({
            value: (_: ExpressionBuilder<Database, 'settings'>) => sql<string>`cast(cast(settings.value as bigint) + 1 as text)`,
          }),
        )
        .returning('value')
        .executeTakeFirstOrThrow();
      return Number(row.value);
    });
  return {
    get,
    increment,
    nextEpoch: (scope) => increment(scope, 'snapshot.epoch'),
    put: (scope, key, value) =>
      handle.write(async (db) => {
        const text = toJson(key, value);
        await db
          .insertInto('settings')
          .values({ ...tenantColumns(scope), key, value: text })
          .onConflict((conflict) => conflict.columns(['organisation_id', 'environment', 'key']).doUpdateSet({ value: text }))
          .execute();
      }),
    putIfAbsent: (scope, key, value) =>
      handle.write(async (db) => {
        await db
          .insertInto('settings')
          .values({ ...tenantColumns(scope), key, value: toJson(key, value) })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        const row = await db.selectFrom('settings').select('value').where(inScope(scope)).where('key', '=', key).executeTakeFirstOrThrow();
        return parseJsonText(row.value) as unknown;
      }),
  };
}
