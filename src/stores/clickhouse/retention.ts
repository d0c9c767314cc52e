import { setTimeout as sleep } from 'node:timers/promises';
import type { ClassPlan, DataClass, RetentionRule } from '../../audit/retention/plan.ts';
import type { Holding, RetentionStore } from '../../audit/retention/store.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection, QueryParameters, ReadOptions } from './client.ts';
import { type Dialect, onCluster } from './ddl.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';
import { DAY_ROLLUP, FEATURE_HOUR_ROLLUP, FEATURE_ROLLUP, FIRST_ROLLUPS } from './rollups.ts';

interface AgingTable {
  readonly table: string;
  /** Column by which a row is as old as it is. */
  readonly time: string;
  /** Of the column, per millisecond. */
  readonly unit: bigint;
  readonly hasFeature: boolean;
  /** Rows that there is still something to delete of. */
  readonly live?: string;
  /** Instead of deleting rows: what is left out of them. */
  readonly blank?: (rules: readonly RetentionRule[]) => string;
  /** What must hold besides, once the tables before it are done. `{before:Int64}` is the cut of the class. */
  readonly besides?: (plan: ClassPlan) => string | null;
}

const MS = 1n;
const NS = 1_000_000n;
const SPAN_IO = { table: 'span_io', time: 'started_at_ms', unit: MS, hasFeature: true } as const;
const SPAN_WORDS = { table: 'span_words', time: 'started_at_ns', unit: NS, hasFeature: true } as const;
const TEXT_PARTS = { table: 'text_parts', time: 'started_at_ms', unit: MS, hasFeature: true } as const;

/** The row stays while its span does: it says what became of its texts, and of what class its answer was. */
function blanked(rules: readonly RetentionRule[]): string {
  const byFeature = (own: string, list: string): string =>
    rules.length === 1 ? own : `transform(toString(feature), {features:Array(String)}, ${list}, ${own})`;
  return `input = NULL, output = NULL, input_preview = '', output_preview = '', input_parts = [], output_parts = [],
    deleted_by = ${byFeature('{by:String}', '{bys:Array(String)}')},
    deleted_after_days = ${byFeature('{days:UInt32}', '{dayCounts:Array(UInt32)}')}`;
}

/** The tables of each class; the first one is what its rows are counted by. Order of deletion. */
const TABLES: Readonly<Record<DataClass, readonly AgingTable[]>> = {
  messages: [{ ...SPAN_IO, live: "deleted_by = ''", blank: blanked }, SPAN_WORDS, TEXT_PARTS],
  spans: [
    { table: 'spans', time: 'started_at_ns', unit: NS, hasFeature: true },
    SPAN_IO,
    SPAN_WORDS,
    TEXT_PARTS,
    {
      table: 'trace_index',
      time: 'last_ns',
      unit: NS,
      hasFeature: false,
      // Traces of features that are kept longer still have spans.
      besides: ({ rules }) =>
        rules.length === 1
          ? null
          : `trace_id NOT IN (SELECT trace_id FROM spans WHERE ${SCOPE_FILTER} AND is_entry IN (0, 1) AND started_at_ns < {before:Int64})`,
    },
    { table: 'session_days', time: 'at_ms', unit: MS, hasFeature: true },
  ],
  scores: [{ table: 'scores', time: 'at_ms', unit: MS, hasFeature: true }],
  rollups: [DAY_ROLLUP, FEATURE_HOUR_ROLLUP, FEATURE_ROLLUP, ...FIRST_ROLLUPS].map(({ table }) => ({
    table,
    time: 'at_ms',
    unit: MS,
    hasFeature: true,
  })),
  ledger: [
    { table: 'ledger', time: 'started_at_ms', unit: MS, hasFeature: true },
    { table: 'repricings', time: 'started_at_ms', unit: MS, hasFeature: false },
    { table: 'cost_calls_1h', time: 'at_ms', unit: MS, hasFeature: true },
    { table: 'cost_attempts_1h', time: 'at_ms', unit: MS, hasFeature: true },
  ],
};

/** Every table whose rows some class lets go. */
export const AGING_TABLES: ReadonlySet<string> = new Set(
  Object.values(TABLES).flatMap((tables: readonly AgingTable[]) => tables.map(({ table }) => table)),
);

const LANE: ReadOptions = { lane: 'adhoc' };
const DAY_MS = 86_400_000;
const POLL_MS = 200;
/** Before every time there is. */
const NEVER = -(1n << 62n);

function cutOf({ beforeMs }: RetentionRule, unit: bigint): bigint {
  return beforeMs === null ? NEVER : BigInt(beforeMs) * unit;
}

/** Which rule holds for a row, and its cut. */
function ruleColumns(table: AgingTable, { rules }: ClassPlan): { place: string; cut: string; parameters: QueryParameters } {
  const [own, ...others] = rules;
  const named = table.hasFeature ? others : [];
  return {
    place: named.length === 0 ? '0' : 'transform(toString(feature), {features:Array(String)}, {places:Array(UInt16)}, 0)',
    cut: named.length === 0 ? '{cut:Int64}' : 'transform(toString(feature), {features:Array(String)}, {cuts:Array(Int64)}, {cut:Int64})',
    parameters: {
      cut: cutOf(own, table.unit),
      ...(named.length === 0
        ? {}
        : {
            features: named.map(({ feature }) => feature ?? ''),
            places: named.map((_, place) => BigInt(place + 1)),
            cuts: named.map((rule) => cutOf(rule, table.unit)),
          }),
    },
  };
}

/** Rows of a table that the plan lets go. */
function dueRows(table: AgingTable, plan: ClassPlan, scope: Scope): { where: string; parameters: QueryParameters } {
  const { cut, parameters } = ruleColumns(table, plan);
  const besides = table.besides?.(plan) ?? null;
  return {
    where: [
      SCOPE_FILTER,
      ...(table.live === undefined ? [] : [table.live]),
      `${table.time} < ${cut}`,
      ...(besides === null ? [] : [besides]),
    ].join(' AND '),
    parameters: {
      ...scopeParameters(scope),
      ...parameters,
      ...(besides === null ? {} : { before: cutOf(plan.rules[0], table.unit) }),
    },
  };
}

/** Retention in the trace store: mutations, which a store that was stopped goes on with by itself. */
export function createRetentionStore(connection: ClickHouseConnection, dialect: Dialect): RetentionStore {
  async function countDue(table: AgingTable, plan: ClassPlan, scope: Scope): Promise<number> {
    const { where, parameters } = dueRows(table, plan, scope);
    const [row] = await connection.read<{ rows: string }>(`SELECT count() AS rows FROM ${table.table} WHERE ${where}`, parameters, LANE);
    return Number(row?.rows ?? 0);
  }

  async function untilDone(table: AgingTable, signal: AbortSignal): Promise<void> {
    for (;;) {
      const [row] = await connection.read<{ running: string; reason: string }>(
        `SELECT count() AS running, max(latest_fail_reason) AS reason FROM system.mutations
         WHERE database = currentDatabase() AND table = {table:String} AND NOT is_done`,
        { table: table.table },
        LANE,
      );
      if (row === undefined || row.running === '0') return;
      if (row.reason !== '')
        throw new PlimsollError('store_unavailable', `The trace store cannot delete from ${table.table}: ${row.reason.slice(0, 300)}`);
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  function blankParameters({ rules: [own, ...others] }: ClassPlan): QueryParameters {
    return {
      by: own.by,
      days: own.days ?? 0,
      ...(others.length === 0 ? {} : { bys: others.map(({ by }) => by), dayCounts: others.map(({ days }) => BigInt(days ?? 0)) }),
    };
  }

  async function removeFrom(table: AgingTable, plan: ClassPlan, scope: Scope, signal: AbortSignal): Promise<number> {
    await untilDone(table, signal);
    const rows = await countDue(table, plan, scope);
    if (rows === 0) return 0;
    const { where, parameters } = dueRows(table, plan, scope);
    const change = table.blank === undefined ? 'DELETE' : `UPDATE ${table.blank(plan.rules)}`;
    // In the background: inserts wait behind a statement, and not behind what it has begun.
    await connection.command(`ALTER TABLE ${table.table}${onCluster(dialect)} ${change} WHERE ${where} SETTINGS mutations_sync = 0`, {
      ...(table.blank === undefined ? {} : blankParameters(plan)),
      ...parameters,
    });
    await untilDone(table, signal);
    return rows;
  }

  async function bytesOf(tables: readonly AgingTable[]): Promise<number> {
    const [row] = await connection.read<{ bytes: string }>(
      'SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = currentDatabase() AND active AND table IN {tables:Array(String)}',
      { tables: tables.map(({ table }) => table) },
      LANE,
    );
    return Number(row?.bytes ?? 0);
  }

  return {
    async holding(scope, plan): Promise<Holding> {
      const tables = TABLES[plan.dataClass];
      const [first] = tables;
      if (first === undefined) throw new RangeError(`no table of ${plan.dataClass}`);
      const { place, cut, parameters } = ruleColumns(first, plan);
      const live = [SCOPE_FILTER, ...(first.live === undefined ? [] : [first.live])].join(' AND ');
      const rows = await connection.read<{ place: number; rows: string; due: string; oldest: string; oldest_kept: string; kept: string }>(
        `SELECT place, count() AS rows, countIf(at < cut) AS due, min(at) AS oldest, minIf(at, at >= cut) AS oldest_kept, countIf(at >= cut) AS kept
         FROM (SELECT ${place} AS place, ${first.time} AS at, ${cut} AS cut FROM ${first.table} WHERE ${live}) GROUP BY place`,
        { ...scopeParameters(scope), ...parameters },
        LANE,
      );
      const toMs = (value: string): number => Number(BigInt(value) / first.unit);
      const upcoming = rows
        .flatMap((row) => {
          const rule = plan.rules[Number(row.place)];
          if (rule === undefined || rule.days === null || row.kept === '0') return [];
          const dayMs = Math.floor(toMs(row.oldest_kept) / DAY_MS) * DAY_MS;
          return [{ rule, place: Number(row.place), dayMs, goesMs: dayMs + rule.days * DAY_MS }];
        })
        .sort((a, b) => a.goesMs - b.goesMs)[0];
      const [ofDay] =
        upcoming === undefined
          ? []
          : await connection.read<{ rows: string }>(
              `SELECT count() AS rows FROM ${first.table} WHERE ${live} AND ${place} = {place:UInt16} AND ${first.time} >= {day:Int64} AND ${first.time} < {dayEnd:Int64}`,
              {
                ...scopeParameters(scope),
                ...parameters,
                place: upcoming.place,
                day: BigInt(upcoming.dayMs) * first.unit,
                dayEnd: BigInt(upcoming.dayMs + DAY_MS) * first.unit,
              },
              LANE,
            );
      return {
        rows: rows.reduce((sum, row) => sum + Number(row.rows), 0),
        bytes: await bytesOf(tables),
        oldestMs: rows.length === 0 ? null : Math.min(...rows.map((row) => toMs(row.oldest))),
        dueRows: rows.reduce((sum, row) => sum + Number(row.due), 0),
        next: upcoming === undefined ? null : { dayMs: upcoming.dayMs, rows: Number(ofDay?.rows ?? 0), rule: upcoming.rule },
      };
    },

    async remove(scope, plan, signal): Promise<number> {
      let counted: number | null = null;
      for (const table of TABLES[plan.dataClass]) {
        const rows = await removeFrom(table, plan, scope, signal);
        counted ??= rows;
      }
      return counted ?? 0;
    },
  };
}
