import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { defineRoute, FileAnswer } from '../../kernel/routes.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { CostPeriod, CostQueries } from '../cost-queries.ts';
import { PeriodQuery, resolvePeriod } from '../period.ts';
import type { SharedRule } from '../shared/config.ts';
import { FOCUS_FORMATS, FOCUS_GRAINS, type FocusFormat, type FocusGrain } from './columns.ts';

export interface FocusExport {
  /**
   * The charges of a period as a file of FOCUS rows. Their costs add up to the ledger's; calls without a price are not in it.
   * @param rules a charge that one of them shares names it
   */
  write(scope: Scope, period: CostPeriod, grain: FocusGrain, format: FocusFormat, rules: readonly SharedRule[]): Promise<Readable>;
}

export interface FocusServices {
  readonly focus: FocusExport;
  readonly costs: CostQueries;
  /** `costs.shared` as it is now. */
  readonly sharedRules: () => readonly SharedRule[];
  readonly clock: Clock;
}

const TYPES = { csv: 'text/csv; charset=utf-8', parquet: 'application/vnd.apache.parquet' } as const satisfies Record<FocusFormat, string>;

const route = defineRoute<FocusServices>();

export const focusRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/costs/focus',
    summary:
      'Export charges as FOCUS (FinOps Open Cost and Usage Specification), CSV or Parquet, with x_ columns for allocation and traces',
    permission: 'costs:read',
    query: PeriodQuery.extend({
      grain: z.enum(FOCUS_GRAINS).default('day').describe('day: summed up by day; call: a row for each paid attempt, with its trace'),
      format: z.enum(FOCUS_FORMATS).default('csv'),
    }),
    fileTypes: ['text/csv', 'application/vnd.apache.parquet'],
    response: z.string().describe('Rows; calls without a price are not in it: the header x-plimsoll-unpriced-calls counts them'),
    async handler({ scope, query, services }) {
      const period = resolvePeriod(query.from, query.to, services.clock.nowMs());
      const { unpricedCalls } = await services.costs.totals(scope, period);
      const source = await services.focus.write(scope, period, query.grain, query.format, services.sharedRules());
      const day = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
      const name = `focus-${day(period.from)}-${day(period.to)}-${query.grain}.${query.format}`;
      return new FileAnswer(TYPES[query.format], name, source, { 'x-plimsoll-unpriced-calls': unpricedCalls.toString() });
    },
  }),
];
