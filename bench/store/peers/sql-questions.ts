import { chooseStepMs } from '../../../src/stores/clickhouse/metrics.ts';
import type { TraceQuery } from '../../../src/traces/model.ts';
import { parseTextQuery } from '../../../src/traces/text-query.ts';
import type { Question } from '../questions.ts';

export type SqlValue = string | number | bigint;
export type SqlRow = Readonly<Record<string, unknown>>;

/** What differs between two SQL databases. */
export interface SqlDialect {
  all(sql: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Quantiles (0 to 1) of an expression, over the rows of a condition. */
  quantiles(expression: string, ratios: readonly number[], condition: string): string;
  /** Whole division of integers. */
  divide(expression: string, by: bigint): string;
  /** Member of the JSON in `attributes`. */
  attribute(name: string): string;
  /** Rows of `spans` (as s) whose words hold all of these; phrases are words that follow each other. */
  holding(
    words: readonly string[],
    phrases: readonly string[],
  ): { readonly from: string; readonly condition: string; readonly order: string; readonly values: readonly SqlValue[] };
}

const ENTRIES_AT_ONCE = 300;
const DAY_NS = 86_400_000_000_000n;

function ns(ms: number): bigint {
  return BigInt(ms) * 1_000_000n;
}

function measures(dialect: SqlDialect): string {
  return `count(*) AS requests, sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS errors, sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens, sum(cost_pico_usd) AS cost, ${dialect.quantiles('duration_ns', [0.5, 0.95, 0.99], "status = 'ok'")},
    ${dialect.quantiles('ttft_ms', [0.5, 0.95, 0.99], 'ttft_ms IS NOT NULL')}`;
}

async function totals(dialect: SqlDialect, key: string, from: number, to: number, feature?: string): Promise<number> {
  const rows = await dialect.all(
    `SELECT ${key} AS key, ${measures(dialect)} FROM spans WHERE is_request = 1 AND started_at_ns >= ? AND started_at_ns < ?
     ${feature === undefined ? '' : 'AND feature = ?'} GROUP BY key`,
    [ns(from), ns(to), ...(feature === undefined ? [] : [feature])],
  );
  return rows.reduce((sum, row) => sum + Number(row.requests), 0);
}

function conditions(query: TraceQuery): { readonly sql: string; readonly values: SqlValue[] } {
  const parts: string[] = ['s.is_entry = 1'];
  const values: SqlValue[] = [];
  const add = (sql: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    parts.push(sql);
    values.push(value);
  };
  add('s.started_at_ns >= ?', query.from === undefined ? undefined : ns(query.from));
  add('s.started_at_ns < ?', query.to === undefined ? undefined : ns(query.to));
  add('s.feature = ?', query.feature);
  add('s.user_id = ?', query.user);
  add('s.status = ?', query.status);
  add('s.model_names LIKE ?', query.model === undefined ? undefined : `%"${query.model}"%`);
  add('s.duration_ns >= ?', query.minDurationMs === undefined ? undefined : ns(query.minDurationMs));
  return { sql: parts.join(' AND '), values };
}

/** The newest entries that match, then all entries of their traces with the beginning of their texts. */
async function list(dialect: SqlDialect, query: TraceQuery): Promise<number> {
  const { sql, values } = conditions(query);
  const text = query.q === undefined ? null : parseTextQuery(query.q);
  const holding = text === null ? null : dialect.holding(text.words, text.phrases);
  let ids: string[] = [];
  // One trace may have all of the newest entries.
  for (let wanted = ENTRIES_AT_ONCE; ; wanted *= 8) {
    const entries = await dialect.all(
      `SELECT s.trace_id AS trace_id FROM ${holding?.from ?? 'spans s'} WHERE ${holding === null ? '' : `${holding.condition} AND `}${sql}
       ORDER BY ${holding?.order ?? 's.started_at_ns'} DESC LIMIT ${wanted}`,
      [...(holding?.values ?? []), ...values],
    );
    ids = [...new Set(entries.map((row) => String(row.trace_id)))].slice(0, query.limit);
    if (ids.length === query.limit || entries.length < wanted) break;
  }
  if (ids.length === 0) return 0;
  const lines = await dialect.all(
    `SELECT s.trace_id AS trace_id, s.span_id, s.parent_span_id, s.name, s.status, s.error_type, s.duration_ns, s.feature, s.team, s.user_id, s.session_id,
       s.models, s.requested_model, s.input_tokens, s.output_tokens, s.cost_pico_usd, s.cost_status, s.ttft_ms, substr(t.words, 1, 400) AS preview
     FROM spans s LEFT JOIN texts t ON t.id = s.id WHERE s.is_entry = 1 AND s.trace_id IN (${ids.map(() => '?').join(', ')})`,
    ids,
  );
  return new Set(lines.map((row) => row.trace_id)).size;
}

export async function askSql(dialect: SqlDialect, question: Question): Promise<number> {
  switch (question.kind) {
    case 'overview': {
      const step = ns(chooseStepMs(question.from, question.to));
      const byFeature = await totals(dialect, 'feature', question.from, question.to);
      await totals(dialect, dialect.divide('started_at_ns', step), question.from, question.to);
      return byFeature;
    }
    case 'by model':
      return totals(dialect, 'model', question.from, question.to);
    case 'series of a feature':
      return totals(
        dialect,
        dialect.divide('started_at_ns', ns(chooseStepMs(question.from, question.to))),
        question.from,
        question.to,
        question.feature,
      );
    case 'list':
      return list(dialect, question.query);
    case 'users by cost':
      return (
        await dialect.all(
          `SELECT user_id, count(*) AS requests, sum(cost_pico_usd) AS cost, ${dialect.quantiles('duration_ns', [0.95], '1 = 1')} FROM spans
           WHERE started_at_ns < ? AND is_entry = 1 AND (duration_ns > 1000000000 OR status = 'error') AND model <> ? GROUP BY user_id
           ORDER BY quantile_0 DESC LIMIT 100`,
          [ns(question.to), `x${question.round}`],
        )
      ).length;
    case 'tools by hour':
      return (
        await dialect.all(
          `SELECT name, ${dialect.divide('started_at_ns % 86400000000000', 3_600_000_000_000n)} AS hour, count(*) AS calls, avg(duration_ns) AS mean,
             ${dialect.quantiles('duration_ns', [0.99], '1 = 1')} FROM spans
           WHERE started_at_ns < ? AND is_entry = 0 AND kind = 'tool' GROUP BY 1, 2 ORDER BY 2, 1 LIMIT ${200 + question.round}`,
          [ns(question.to)],
        )
      ).length;
    case 'attribute':
      return (
        await dialect.all(
          `SELECT feature, count(*) AS spans FROM spans WHERE started_at_ns < ? AND started_at_ns >= ?
             AND ${dialect.attribute('gen_ai.tool.call.id')} LIKE ? GROUP BY feature`,
          [ns(question.to), ns(question.to) - 7n * DAY_NS, `call_${question.round}%`],
        )
      ).length;
    case 'trace of the newest page': {
      const [newest] = await dialect.all(
        'SELECT trace_id FROM spans WHERE is_entry = 1 AND started_at_ns < ? ORDER BY started_at_ns DESC LIMIT 1',
        [ns(question.to)],
      );
      return trace(dialect, String(newest?.trace_id ?? ''), 'always');
    }
    case 'trace':
      return trace(dialect, question.traceId, question.texts);
    default:
      return question satisfies never;
  }
}

async function trace(dialect: SqlDialect, traceId: string, texts: 'always' | 'of_small_traces'): Promise<number> {
  const rows = await dialect.all(
    texts === 'always'
      ? 'SELECT s.*, t.words FROM spans s LEFT JOIN texts t ON t.id = s.id WHERE s.trace_id = ? ORDER BY s.id LIMIT 10000'
      : 'SELECT * FROM spans WHERE trace_id = ? ORDER BY id LIMIT 10000',
    [traceId],
  );
  return rows.length;
}
