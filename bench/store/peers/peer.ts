import type { ClickHouseConnection } from '../../../src/stores/clickhouse/client.ts';
import type { Question } from '../questions.ts';

/** Another store that holds the same spans and is asked the same questions. */
export interface Peer {
  readonly name: string;
  /** Takes all spans of the source, oldest first. */
  load(source: SpanSource, onProgress: (share: number) => void): Promise<void>;
  /** @returns what can be compared: requests counted, traces listed, spans or rows found */
  ask(question: Question): Promise<number>;
  /** On disk. */
  bytes(): number;
  close(): Promise<void>;
}

/** Columns that the questions need, with the words by which a span is found. Text but for the integers. */
export const INTEGERS = [
  'started_at_ns',
  'is_entry',
  'is_request',
  'duration_ns',
  'input_tokens',
  'output_tokens',
  'cost_pico_usd',
] as const;
export const TEXTS = [
  'trace_id',
  'span_id',
  'parent_span_id',
  'name',
  'kind',
  'status',
  'error_type',
  'feature',
  'team',
  'user_id',
  'session_id',
  'model',
  'requested_model',
  'model_names',
  'models',
  'cost_status',
  'attributes',
] as const;

export type PeerRow = Readonly<Record<(typeof INTEGERS)[number] | (typeof TEXTS)[number] | 'words', string | number | null>> & {
  readonly ttft_ms: number | null;
};

const LISTS: ReadonlySet<string> = new Set(['model_names', 'models']);
const SCOPE = "organisation_id = 'default' AND environment = 'production'";
const WINDOW_NS = 6n * 3_600_000_000_000n;

/** Spans of Plimsoll's own store, in windows of time. */
export class SpanSource {
  readonly #connection: ClickHouseConnection;
  constructor(connection: ClickHouseConnection) {
    this.#connection = connection;
  }

  /** Windows that hold spans, oldest first: [from, to) in ns. */
  async windows(): Promise<readonly (readonly [bigint, bigint])[]> {
    const rows = await this.#connection.read<{ place: string }>(
      `SELECT DISTINCT intDiv(started_at_ns, ${WINDOW_NS}) AS place FROM spans WHERE ${SCOPE} AND is_entry IN (0, 1) ORDER BY place`,
      {},
      { lane: 'adhoc' },
    );
    return rows.map(({ place }) => [BigInt(place) * WINDOW_NS, (BigInt(place) + 1n) * WINDOW_NS]);
  }

  #sql([from, to]: readonly [bigint, bigint]): string {
    const within = `${SCOPE} AND started_at_ns >= ${from} AND started_at_ns < ${to}`;
    const texts = TEXTS.map((name) => (LISTS.has(name) ? `toJSONString(s.${name}) AS ${name}` : `toString(s.${name}) AS ${name}`));
    return `SELECT ${[...INTEGERS.map((name) => `s.${name} AS ${name}`), 's.ttft_ms AS ttft_ms', ...texts].join(', ')}, w.words AS words
      FROM (SELECT * FROM spans WHERE ${within} AND is_entry IN (0, 1)) AS s
      LEFT JOIN (SELECT trace_id, span_id, any(words) AS words FROM span_words WHERE ${within} GROUP BY trace_id, span_id) AS w
        ON s.trace_id = w.trace_id AND s.span_id = w.span_id
      ORDER BY started_at_ns, trace_id, span_id`;
  }

  rows(window: readonly [bigint, bigint]): Promise<PeerRow[]> {
    return this.#connection.read<PeerRow>(this.#sql(window), {}, { lane: 'adhoc' });
  }

  parquet(window: readonly [bigint, bigint]): Promise<NodeJS.ReadableStream> {
    return this.#connection.file(this.#sql(window), {}, 'Parquet');
  }
}
