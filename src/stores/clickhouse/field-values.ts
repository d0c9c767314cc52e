import type { Scope } from '../../kernel/scope.ts';
import type { FieldValues, ValueField, ValueQuery } from '../../traces/sessions.ts';
import type { ClickHouseConnection } from './client.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';

const DAY_MS = 86_400_000;
/** Spans that are looked at where no rollup has the field. */
const SAMPLE_SPANS = 20_000;

/** Where each field is counted: the narrowest table that has it. */
const SOURCES: Readonly<
  Record<Exclude<ValueField, 'attribute'>, { readonly table: 'rollup_1d' | 'session_days' | 'spans'; readonly value: string }>
> = {
  feature: { table: 'rollup_1d', value: 'feature' },
  team: { table: 'rollup_1d', value: 'team' },
  model: { table: 'rollup_1d', value: 'model' },
  provider: { table: 'rollup_1d', value: 'provider' },
  errorType: { table: 'rollup_1d', value: 'error_type' },
  user: { table: 'session_days', value: 'user_id' },
  session: { table: 'session_days', value: 'session_id' },
  route: { table: 'spans', value: 'route' },
  customer: { table: 'spans', value: 'customer' },
};

/** Names of attributes, or values of one, are text: what is no text is shown as JSON. */
function attributeSource(name: string | undefined): string {
  return name === undefined
    ? 'arrayJoin(JSONExtractKeys(attributes))'
    : "if(JSONType(attributes, {name:String}) = 'String', JSONExtractString(attributes, {name:String}), JSONExtractRaw(attributes, {name:String}))";
}

export async function readFieldValues(
  connection: ClickHouseConnection,
  scope: Scope,
  query: ValueQuery & { readonly from: number; readonly to: number },
): Promise<FieldValues> {
  const { field, search } = query;
  const source = field === 'attribute' ? { table: 'spans' as const, value: attributeSource(query.name) } : SOURCES[field];
  const matches = ["value != ''", ...(search ? ['positionCaseInsensitiveUTF8(value, {search:String}) > 0'] : [])].join(' AND ');
  const parameters = {
    ...scopeParameters(scope),
    ...(search ? { search } : {}),
    ...(query.name === undefined ? {} : { name: query.name }),
    rows: query.limit,
  };
  if (source.table === 'spans') {
    const entries = field === 'attribute' ? 'is_entry IN (0, 1)' : 'is_entry = 1';
    const rows = await connection.read<{ value: string; count: string }>(
      `SELECT value, count() AS count FROM (
         SELECT toString(${source.value}) AS value FROM (
           SELECT * FROM spans WHERE ${SCOPE_FILTER} AND ${entries} AND started_at_ns >= {fromNs:Int64} AND started_at_ns < {toNs:Int64}
           ORDER BY is_entry DESC, started_at_ns DESC LIMIT ${SAMPLE_SPANS}))
       WHERE ${matches} GROUP BY value ORDER BY count DESC, value LIMIT {rows:UInt32}`,
      { ...parameters, fromNs: BigInt(query.from) * 1_000_000n, toNs: BigInt(query.to) * 1_000_000n },
      { lane: 'adhoc' },
    );
    return { values: rows.map(toValue), counted: 'newest_spans' };
  }
  const rows = await connection.read<{ value: string; count: string }>(
    `SELECT toString(${source.value}) AS value, sum(requests) AS count FROM ${source.table}
     WHERE ${SCOPE_FILTER} AND at_ms >= {fromDay:Int64} AND at_ms < {to:Int64} AND ${matches}
     GROUP BY value ORDER BY count DESC, value LIMIT {rows:UInt32}`,
    { ...parameters, fromDay: Math.floor(query.from / DAY_MS) * DAY_MS, to: query.to },
  );
  return { values: rows.map(toValue), counted: 'requests' };
}

function toValue({ value, count }: { readonly value: string; readonly count: string }): FieldValues['values'][number] {
  return { value, count: Number(count) };
}
