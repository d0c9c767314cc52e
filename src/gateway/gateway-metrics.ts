import type { ErrorCode } from '../kernel/errors.ts';
import { formatUsd } from '../kernel/money.ts';
import { inputTokens, outputTokens, type Usage } from '../models/usage.ts';
import type { CallStatus, OutputValidation } from '../traces/call-record.ts';
import { escapeLabel, Histogram, writeHeader } from '../traces/prometheus/histogram.ts';
import type { Call } from './call.ts';
import { GenAiMetrics } from './gen-ai-metrics.ts';
import type { RoutingReport } from './routing/report.ts';
import { writeRoutingMetrics } from './routing/routing-metrics.ts';

/** Upper bounds of llm_request_duration_seconds, and of time to first token. */
const DURATION_BUCKETS_SECONDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30] as const;
/** Upper bounds of the mean time between two contents of a stream, seconds. */
const GAP_BUCKETS_SECONDS = [0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1] as const;
const SPEED_BUCKETS = [5, 10, 20, 40, 60, 80, 100, 150, 200, 400, 800] as const;
const STATUSES = ['ok', 'error', 'aborted'] as const satisfies readonly CallStatus[];
const OTHER = 'other';
const UNKNOWN = 'unknown';

/** All series of one (model, feature, team). */
interface Series {
  readonly model: string;
  readonly feature: string;
  readonly team: string;
  readonly durations: Readonly<Record<CallStatus, Histogram>>;
  readonly ttft: Histogram;
  readonly gaps: Histogram;
  readonly speed: Histogram;
  readonly errors: Map<ErrorCode, number>;
  inputTokens: number;
  outputTokens: number;
  costPicoUsd: bigint;
  unpriced: number;
}

/** Numbers that are read when asked for, not counted here. */
export interface GatewayGauges {
  readonly activeCalls: number;
  readonly snapshotEpoch: number | null;
  readonly journal: { readonly shedPayloads: number; readonly appended: number; readonly bytes: number; readonly isDegraded: boolean };
  readonly admission: { readonly outstanding: number; readonly refusals: ReadonlyMap<string, number> };
  readonly routing: RoutingReport;
  readonly upstreams: readonly { readonly origin: string; readonly connected: number; readonly running: number; readonly queued: number }[];
}

/**
 * Prometheus metrics of the data plane. Label values come from the snapshot only, so that clients cannot invent series; past `maxSeries`
 * everything new is counted under model and feature "other".
 */
export class GatewayMetrics {
  readonly #series = new Map<string, Series>();
  /** Checked answers by feature and verdict. */
  readonly #compliance = new Map<string, number>();
  readonly #genAi = new GenAiMetrics();
  readonly #maxSeries: number;
  #overflows = 0;

  constructor(maxSeries = 2000) {
    this.#maxSeries = maxSeries;
  }

  recordCall(call: Call, tokens: { readonly input: number | null; readonly output: number | null }, durationMs: number): void {
    const feature = call.caller?.feature.name ?? UNKNOWN;
    const team = call.caller?.key.team ?? '';
    const { attempts } = call;
    this.#genAi.record(call, durationMs);
    const series = this.#get(attempts.at(-1)?.model ?? call.cache?.model ?? call.destination?.name ?? UNKNOWN, feature, team);
    const status = call.error === null ? 'ok' : call.error.code === 'client_closed' ? 'aborted' : 'error';
    // Calls of the gateway's own say nothing of what clients see; what they used and cost counts below.
    const isClients = call.purpose === null;
    if (isClients) series.durations[status].observe(durationMs / 1000);
    // A JSON answer's first byte comes with its last: it would only blur the streams' times.
    if (isClients && call.ttftMs !== null && call.body?.isStream === true) series.ttft.observe(call.ttftMs / 1000);
    if (isClients && call.error === null) observePace(series, call, tokens.output, durationMs);
    if (isClients && call.error !== null) series.errors.set(call.error.code, (series.errors.get(call.error.code) ?? 0) + 1);
    if (call.outputValidation !== null) this.#addCompliance(feature, call.outputValidation.verdict);
    if (attempts.length === 1) {
      series.inputTokens += tokens.input ?? 0;
      series.outputTokens += tokens.output ?? 0;
      this.#addCost(series, attempts[0]?.costPicoUsd ?? null, attempts[0]?.usage ?? null);
      return;
    }
    for (const attempt of attempts) {
      const own = this.#get(attempt.model, feature, team);
      if (attempt.usage !== null) {
        own.inputTokens += inputTokens(attempt.usage);
        own.outputTokens += outputTokens(attempt.usage);
      }
      this.#addCost(own, attempt.costPicoUsd, attempt.usage);
    }
  }

  #addCompliance(feature: string, verdict: OutputValidation['verdict']): void {
    const labels = `feature="${escapeLabel(feature)}",verdict="${verdict}"`;
    const known = this.#compliance.get(labels);
    if (known === undefined && this.#compliance.size >= this.#maxSeries) this.#overflows++;
    else this.#compliance.set(labels, (known ?? 0) + 1);
  }

  #addCost(series: Series, costPicoUsd: string | null, usage: Usage | null): void {
    if (costPicoUsd !== null) {
      if (costPicoUsd !== '0') series.costPicoUsd += BigInt(costPicoUsd);
    } else if (usage !== null) series.unpriced++;
  }

  #get(model: string, feature: string, team: string): Series {
    const key = `${model}\u0000${feature}\u0000${team}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= this.#maxSeries && model !== OTHER) {
      this.#overflows++;
      return this.#get(OTHER, OTHER, OTHER);
    }
    const series: Series = {
      model: escapeLabel(model),
      feature: escapeLabel(feature),
      team: escapeLabel(team),
      durations: {
        ok: new Histogram(DURATION_BUCKETS_SECONDS),
        error: new Histogram(DURATION_BUCKETS_SECONDS),
        aborted: new Histogram(DURATION_BUCKETS_SECONDS),
      },
      ttft: new Histogram(DURATION_BUCKETS_SECONDS),
      gaps: new Histogram(GAP_BUCKETS_SECONDS),
      speed: new Histogram(SPEED_BUCKETS),
      errors: new Map(),
      inputTokens: 0,
      outputTokens: 0,
      costPicoUsd: 0n,
      unpriced: 0,
    };
    this.#series.set(key, series);
    return series;
  }

  /** Prometheus text format 0.0.4. */
  text(gauges: GatewayGauges): string {
    const lines: string[] = [];
    const all = [...this.#series.values()];
    const byFeature = Map.groupBy(all, ({ model, feature }) => `model="${model}",feature="${feature}"`);
    writeHeader(lines, 'llm_request_duration_seconds', 'histogram', 'Duration of model calls, from arrival to the last byte');
    for (const [labels, group] of byFeature) {
      for (const status of STATUSES) {
        const merged = merge(
          group.map((series) => series.durations[status]),
          DURATION_BUCKETS_SECONDS,
        );
        merged.write(lines, 'llm_request_duration_seconds', `${labels},status="${status}"`);
      }
    }
    writeHeader(lines, 'llm_time_to_first_token_seconds', 'histogram', 'Time from arrival to the first content');
    for (const [labels, group] of byFeature)
      merge(
        group.map((series) => series.ttft),
        DURATION_BUCKETS_SECONDS,
      ).write(lines, 'llm_time_to_first_token_seconds', labels);
    writeHeader(lines, 'llm_inter_token_seconds', 'histogram', 'Time between two contents of a stream, the mean of each stream');
    for (const [labels, group] of byFeature)
      merge(
        group.map((series) => series.gaps),
        GAP_BUCKETS_SECONDS,
      ).write(lines, 'llm_inter_token_seconds', labels);
    writeHeader(
      lines,
      'llm_output_tokens_per_second',
      'histogram',
      'Output tokens per second of generation: after the first content of streams, else of the whole call',
    );
    for (const [labels, group] of byFeature)
      merge(
        group.map((series) => series.speed),
        SPEED_BUCKETS,
      ).write(lines, 'llm_output_tokens_per_second', labels);
    writeHeader(lines, 'llm_tokens_total', 'counter', 'Tokens, reported by providers or estimated');
    for (const group of byFeature.values()) {
      const of = (type: string): string =>
        `llm_tokens_total{model="${group[0]?.model}",token_type="${type}",feature="${group[0]?.feature}"}`;
      lines.push(
        `${of('input')} ${total(group, (series) => series.inputTokens)}`,
        `${of('output')} ${total(group, (series) => series.outputTokens)}`,
      );
    }
    this.#writeErrors(lines, all);
    writeHeader(lines, 'llm_format_compliance_total', 'counter', 'Answers that were held against a schema, by verdict');
    for (const [labels, count] of this.#compliance) lines.push(`llm_format_compliance_total{${labels}} ${count}`);
    writeHeader(lines, 'llm_cost_usd_total', 'counter', 'Cost of priced calls in US dollars');
    for (const series of all) {
      const labels = `model="${series.model}",feature="${series.feature}",team="${series.team}"`;
      lines.push(`llm_cost_usd_total{${labels}} ${formatUsd(series.costPicoUsd)}`);
    }
    writeHeader(lines, 'plimsoll_unpriced_attempts_total', 'counter', 'Provider calls with usage and no price: their cost is in no sum');
    for (const [labels, group] of byFeature)
      lines.push(`plimsoll_unpriced_attempts_total{${labels}} ${total(group, (series) => series.unpriced)}`);
    this.#writeGauges(lines, gauges);
    writeRoutingMetrics(lines, gauges.routing);
    this.#genAi.write(lines);
    return `${lines.join('\n')}\n`;
  }

  #writeErrors(lines: string[], all: readonly Series[]): void {
    writeHeader(lines, 'llm_errors_total', 'counter', 'Calls that ended in an error, by closed error code');
    const counts = new Map<string, number>();
    for (const series of all) {
      for (const [code, count] of series.errors) {
        const labels = `model="${series.model}",error_type="${code}"`;
        counts.set(labels, (counts.get(labels) ?? 0) + count);
      }
    }
    for (const [labels, count] of counts) lines.push(`llm_errors_total{${labels}} ${count}`);
  }

  #writeGauges(lines: string[], gauges: GatewayGauges): void {
    const gauge = (name: string, help: string, value: number): void => {
      writeHeader(lines, name, 'gauge', help);
      lines.push(`${name} ${value}`);
    };
    const counter = (name: string, help: string, value: number): void => {
      writeHeader(lines, name, 'counter', help);
      lines.push(`${name} ${value}`);
    };
    gauge('plimsoll_gateway_active_calls', 'Calls in flight', gauges.activeCalls);
    if (gauges.snapshotEpoch !== null) gauge('plimsoll_gateway_snapshot_epoch', 'Epoch of the configuration in use', gauges.snapshotEpoch);
    counter('plimsoll_journal_records_total', 'Records appended to the journal', gauges.journal.appended);
    counter('plimsoll_journal_bytes_total', 'Bytes appended to the journal', gauges.journal.bytes);
    counter('plimsoll_journal_shed_payloads_total', 'Payload records dropped because the disk was short', gauges.journal.shedPayloads);
    gauge('plimsoll_journal_degraded', '1 while the journal lives on its reserve or in memory', gauges.journal.isDegraded ? 1 : 0);
    counter(
      'plimsoll_metrics_overflow_total',
      'Observations counted under "other" because there were too many series',
      this.#overflows + this.#genAi.folded,
    );
    gauge('plimsoll_reservations_outstanding', 'Calls that hold a place under a limit', gauges.admission.outstanding);
    writeHeader(lines, 'plimsoll_limit_refusals_total', 'counter', 'Calls that did not fit under a limit, by limit');
    for (const [limit, count] of gauges.admission.refusals)
      lines.push(`plimsoll_limit_refusals_total{limit="${escapeLabel(limit)}"} ${count}`);
    writeHeader(
      lines,
      'plimsoll_upstream_connections',
      'gauge',
      'Connections to providers: open, running a call, and calls waiting for one',
    );
    for (const { origin, ...counts } of gauges.upstreams) {
      for (const [state, count] of Object.entries(counts)) {
        lines.push(`plimsoll_upstream_connections{origin="${escapeLabel(origin)}",state="${state}"} ${count}`);
      }
    }
  }
}

/** How fast an answer came out: only what was generated here and now, and by one provider. */
function observePace(series: Series, call: Call, outputTokens: number | null, durationMs: number): void {
  const { gaps, ttftMs } = call;
  if (call.attempts.length === 0) return;
  const isStream = call.body?.isStream === true;
  if (isStream && gaps.count > 0) series.gaps.observe(gaps.sumMs / gaps.count / 1_000);
  // A stream that came in one piece tells nothing of its pace.
  const generationMs = !isStream ? durationMs : gaps.count > 0 && ttftMs !== null ? durationMs - ttftMs : 0;
  if (outputTokens !== null && outputTokens > 0 && generationMs > 0) series.speed.observe(outputTokens / (generationMs / 1_000));
}

function merge(histograms: readonly Histogram[], bounds: readonly number[]): Histogram {
  const merged = new Histogram(bounds);
  for (const histogram of histograms) merged.add(histogram);
  return merged;
}

function total(group: readonly Series[], of: (series: Series) => number): number {
  return group.reduce((sum, series) => sum + of(series), 0);
}
