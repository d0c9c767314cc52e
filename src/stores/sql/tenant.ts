import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely';
import type { Scope } from '../../kernel/scope.ts';
import type { Database } from './schema.ts';

type TenantTable = Exclude<keyof Database, 'schema_migrations'>;

/** The columns that lead every row. */
export function tenantColumns(scope: Scope): { organisation_id: string; environment: string } {
  return { organisation_id: scope.organisationId, environment: scope.environment };
}

/** The condition that every query starts with. */
export function inScope<T extends TenantTable>(
  scope: Scope,
): (builder: ExpressionBuilder<Database, T>) => ExpressionWrapper<Database, T, SqlBool> {
  // The two columns are in every tenant table; Kysely cannot see that for a table that is a type parameter.
  return (builder) => (builder as unknown as ExpressionBuilder<Database, 'settings'>).and(tenantColumns(scope)) as never;
}
