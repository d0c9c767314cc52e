import type { CostBreakdown, CostFilter, CostPeriod } from '../../costs/cost-queries.ts';
import type { Scope } from '../../kernel/scope.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';

export const LEDGER_PERIOD = `${SCOPE_FILTER} AND started_at_ms >= {from:Int64} AND started_at_ms < {to:Int64}`;
export const LEDGER_COST = 'toString(sum(toInt128(ifNull(cost_pico_usd, 0))))';
/** For what reads every call of the period. */
export const OFF_DASHBOARD = { lane: 'adhoc' } as const;

export function periodParameters(scope: Scope, { from, to }: CostPeriod): Record<string, string | number> {
  return { ...scopeParameters(scope), from, to };
}

/** Further conditions on the ledger and what they bind. */
export function filterOf(filter: CostFilter): { readonly sql: string; readonly parameters: Record<string, string> } {
  const parameters: Record<string, string> = {};
  let sql = '';
  for (const name of ['feature', 'team'] as const) {
    const value = filter[name];
    if (value === undefined) continue;
    sql += ` AND ${name} = {${name}:String}`;
    parameters[name] = value;
  }
  return { sql, parameters };
}

/** Our own text; the name of a tag is bound. */
export const BREAKDOWN_KEY = {
  customer: 'customer',
  user: 'user_id',
  route: 'route',
  operation: 'operation',
  requestedModel: 'requested_model',
  tag: 'tags[{tag:String}]',
} as const satisfies Record<CostBreakdown['by'], string>;

export function breakdownParameters(breakdown: CostBreakdown | null): Record<string, string> {
  return breakdown?.by === 'tag' ? { tag: breakdown.tag } : {};
}
