import { inputTokens, outputTokens } from '../models/usage.ts';
import type { CallAttempt } from '../traces/call-record.ts';
import { GEN_AI, type GenAiFamily } from '../traces/prometheus/gen-ai-families.ts';
import { escapeLabel, Histogram, writeHeader } from '../traces/prometheus/histogram.ts';
import type { Call } from './call.ts';

const OTHER = 'other';
const UNKNOWN = 'unknown';

/** Histograms by the error that ended what they measure; empty = none. */
class ByError {
  readonly #histograms = new Map<string, Histogram>();
  readonly #bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  observe(error: string, value: number): void {
    let histogram = this.#histograms.get(error);
    if (histogram === undefined) {
      histogram = new Histogram(this.#bounds);
      this.#histograms.set(error, histogram);
    }
    histogram.observe(value);
  }

  write(lines: string[], name: string, labels: string): void {
    for (const [error, histogram] of this.#histograms)
      histogram.write(lines, name, error === '' ? labels : `${labels},error_type="${escapeLabel(error)}"`);
  }
}

/** All that is known of requests to one model of one provider. */
class ClientSeries {
  readonly labels: string;
  readonly duration = new ByError(GEN_AI.operationDuration.bounds);
  readonly firstChunk = new Histogram(GEN_AI.firstChunk.bounds);
  readonly perChunk = new Histogram(GEN_AI.perChunk.bounds);
  readonly input = new Histogram(GEN_AI.tokenUsage.bounds);
  readonly output = new Histogram(GEN_AI.tokenUsage.bounds);
  textInputTokens = 0;
  audioInputTokens = 0;
  textOutputTokens = 0;
  audioOutputTokens = 0;
  cacheReadTokens = 0;
  cacheWriteTokens = 0;
  reasoningTokens = 0;

  constructor(labels: string) {
    this.labels = labels;
  }
}

/** What clients see of one operation and model. */
class ServerSeries {
  readonly labels: string;
  readonly duration = new ByError(GEN_AI.requestDuration.bounds);
  readonly firstToken = new Histogram(GEN_AI.firstToken.bounds);
  readonly perToken = new Histogram(GEN_AI.perToken.bounds);

  constructor(labels: string) {
    this.labels = labels;
  }
}

/**
 * OpenTelemetry's GenAI metrics of the data plane. Past `maxSeries` of a kind everything new is counted under "other": response models are
 * words of providers, who may invent as many as they like.
 */
export class GenAiMetrics {
  readonly #clients = new Map<string, ClientSeries>();
  readonly #servers = new Map<string, ServerSeries>();
  readonly #maxSeries: number;
  /** Observations that were counted under "other". */
  folded = 0;

  constructor(maxSeries = 200) {
    this.#maxSeries = maxSeries;
  }

  /** Of a call that has been settled, after its client has the answer. */
  record(call: Call, durationMs: number): void {
    const isStream = call.body?.isStream === true;
    const meanGapMs = call.gaps.count > 0 ? call.gaps.sumMs / call.gaps.count : null;
    for (const attempt of call.attempts)
      this.#recordAttempt(call.operation, attempt, isStream, attempt === call.attempts.at(-1) ? meanGapMs : null);
    // Calls of the gateway's own have no client.
    if (call.purpose !== null) return;
    const series = this.#server(call.operation, call.destination?.name ?? UNKNOWN);
    series.duration.observe(call.error?.code ?? '', durationMs / 1_000);
    if (isStream && call.ttftMs !== null) series.firstToken.observe(call.ttftMs / 1_000);
    if (isStream && meanGapMs !== null) series.perToken.observe(meanGapMs / 1_000);
  }

  #recordAttempt(operation: string, attempt: CallAttempt, isStream: boolean, meanGapMs: number | null): void {
    const { usage } = attempt;
    const series = this.#client(operation, attempt.providerKind, attempt.requestModel, attempt.responseModel ?? '');
    series.duration.observe(attempt.errorType ?? '', attempt.durationMs / 1_000);
    if (isStream && attempt.ttftMs !== null) series.firstChunk.observe(attempt.ttftMs / 1_000);
    if (isStream && meanGapMs !== null) series.perChunk.observe(meanGapMs / 1_000);
    if (usage === null) return;
    const input = inputTokens(usage);
    const output = outputTokens(usage);
    series.input.observe(input);
    series.output.observe(output);
    series.audioInputTokens += usage.audioInputTokens;
    series.textInputTokens += input - usage.audioInputTokens;
    series.audioOutputTokens += usage.audioOutputTokens;
    series.textOutputTokens += output - usage.audioOutputTokens;
    series.cacheReadTokens += usage.cacheReadTokens;
    series.cacheWriteTokens += usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
    series.reasoningTokens += usage.reasoningTokens;
  }

  #client(operation: string, provider: string, requestModel: string, responseModel: string): ClientSeries {
    const key = `${operation}\u0000${provider}\u0000${requestModel}\u0000${responseModel}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    if (this.#clients.size >= this.#maxSeries && requestModel !== OTHER) {
      this.folded++;
      return this.#client(operation, OTHER, OTHER, OTHER);
    }
    const answered = responseModel === '' ? '' : `,gen_ai_response_model="${escapeLabel(responseModel)}"`;
    const series = new ClientSeries(
      `gen_ai_operation_name="${escapeLabel(operation)}",gen_ai_provider_name="${escapeLabel(provider)}",gen_ai_request_model="${escapeLabel(requestModel)}"${answered}`,
    );
    this.#clients.set(key, series);
    return series;
  }

  #server(operation: string, model: string): ServerSeries {
    const key = `${operation}\u0000${model}`;
    const known = this.#servers.get(key);
    if (known !== undefined) return known;
    if (this.#servers.size >= this.#maxSeries && model !== OTHER) {
      this.folded++;
      return this.#server(operation, OTHER);
    }
    const series = new ServerSeries(
      `gen_ai_operation_name="${escapeLabel(operation)}",gen_ai_provider_name="plimsoll",gen_ai_request_model="${escapeLabel(model)}"`,
    );
    this.#servers.set(key, series);
    return series;
  }

  /** Prometheus text format 0.0.4. */
  write(lines: string[]): void {
    const clients = [...this.#clients.values()];
    const servers = [...this.#servers.values()];
    const family = <S>(
      { prometheus: name, bounds, help }: GenAiFamily,
      all: readonly S[],
      write: (series: S, name: string) => void,
    ): void => {
      writeHeader(lines, name, bounds === null ? 'counter' : 'histogram', help);
      for (const series of all) write(series, name);
    };
    family(GEN_AI.tokenUsage, clients, ({ labels, input, output }, name) => {
      input.write(lines, name, `${labels},gen_ai_token_type="input"`);
      output.write(lines, name, `${labels},gen_ai_token_type="output"`);
    });
    family(GEN_AI.operationDuration, clients, ({ labels, duration }, name) => duration.write(lines, name, labels));
    family(GEN_AI.firstChunk, clients, ({ labels, firstChunk }, name) => firstChunk.write(lines, name, labels));
    family(GEN_AI.perChunk, clients, ({ labels, perChunk }, name) => perChunk.write(lines, name, labels));
    family(GEN_AI.requestDuration, servers, ({ labels, duration }, name) => duration.write(lines, name, labels));
    family(GEN_AI.firstToken, servers, ({ labels, firstToken }, name) => firstToken.write(lines, name, labels));
    family(GEN_AI.perToken, servers, ({ labels, perToken }, name) => perToken.write(lines, name, labels));
    const byModality = (labels: string, name: string, text: number, audio: number): void => {
      lines.push(`${name}{${labels},gen_ai_token_modality="text"} ${text}`);
      if (audio > 0) lines.push(`${name}{${labels},gen_ai_token_modality="audio"} ${audio}`);
    };
    family(GEN_AI.inputTokens, clients, (of, name) => byModality(of.labels, name, of.textInputTokens, of.audioInputTokens));
    family(GEN_AI.outputTokens, clients, (of, name) => byModality(of.labels, name, of.textOutputTokens, of.audioOutputTokens));
    family(GEN_AI.cacheReadTokens, clients, (of, name) => lines.push(`${name}{${of.labels}} ${of.cacheReadTokens}`));
    family(GEN_AI.cacheWriteTokens, clients, (of, name) => lines.push(`${name}{${of.labels}} ${of.cacheWriteTokens}`));
    family(GEN_AI.reasoningTokens, clients, (of, name) => lines.push(`${name}{${of.labels}} ${of.reasoningTokens}`));
    family(GEN_AI.operationInput, clients, ({ labels, input }, name) => input.write(lines, name, labels));
    family(GEN_AI.operationOutput, clients, ({ labels, output }, name) => output.write(lines, name, labels));
  }
}
