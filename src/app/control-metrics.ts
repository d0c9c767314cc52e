import type { Clock, Timer } from '../kernel/clock.ts';
import { toPlimsollError } from '../kernel/errors.ts';
import type { LoadLines } from '../slo/model.ts';
import { SpanMetrics } from '../traces/prometheus/span-metrics.ts';
import type { SpanRow } from '../traces/store.ts';
import type { ChildContext } from './child-process.ts';
import type { Config } from './config.ts';
import { dailyBudgets, loadLineMetrics } from './load-line-metrics.ts';
import { mergeExpositions } from './metrics-merge.ts';
import { OtlpMetricsExporter } from './otlp-metrics-exporter.ts';
import { sendOtlp } from './otlp-sender.ts';
import { OtlpTraceExporter } from './otlp-trace-exporter.ts';
import { VERSION } from './version.ts';

export interface ControlMetricsOptions {
  readonly context: ChildContext;
  readonly config: () => Config;
  /** Where every feature stood over a period, epoch ms. */
  readonly loadLines: (period: { readonly from: number; readonly to: number }) => Promise<LoadLines>;
  /** Prometheus text of control's other parts. */
  readonly own: () => string;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;
const REFRESH_MS = 30_000;
const FIRST_REFRESH_MS = 5_000;
const COLLECT_MS = 1_500;

/** What control adds to /metrics (durations from clients' spans, load lines, budgets), and the export of everything over OTLP. */
export class ControlMetrics {
  readonly #options: ControlMetricsOptions;
  readonly #spans = new SpanMetrics();
  readonly #exporter: OtlpMetricsExporter;
  readonly #traces: OtlpTraceExporter;
  readonly #waiting = new Map<number, (texts: readonly string[]) => void>();
  #nextId = 1;
  #read: LoadLines | null = null;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: ControlMetricsOptions) {
    this.#options = options;
    const { context, config, clock } = options;
    this.#exporter = new OtlpMetricsExporter({
      telemetry: () => config().telemetry,
      variables: context.environment.variables,
      collect: () => this.#collect(),
      resource: { 'service.namespace': 'plimsoll' },
      clock,
      log: context.log,
    });
    let lastFailure = '';
    this.#traces = new OtlpTraceExporter({
      target: () => {
        const { otlp } = config().telemetry;
        return otlp?.traces === true ? otlp : null;
      },
      send: (target, body) => sendOtlp(target, 'traces', body, context.environment.variables),
      resource: { 'service.name': 'plimsoll', 'service.version': VERSION },
      clock,
      onFailed: ({ endpoint }, { message }) => {
        if (message !== lastFailure) context.log('warn', 'otlp_traces_waiting', { endpoint, message });
        lastFailure = message;
      },
    });
    context.onMessage((message) => {
      if (message.type !== 'metrics.others') return;
      this.#waiting.get(message.id)?.(message.texts);
      this.#waiting.delete(message.id);
    });
  }

  start(): void {
    this.#refreshIn(FIRST_REFRESH_MS);
    this.#exporter.start();
  }

  /** Spans that have just been stored. */
  observe(spans: readonly SpanRow[]): void {
    this.#spans.observe(spans);
    this.#traces.add(spans);
  }

  /** Prometheus text. */
  text(): string {
    const { own, config } = this.#options;
    return `${own()}${this.#spans.text()}${loadLineMetrics(this.#read, dailyBudgets(config()))}${this.#exporter.metrics()}${this.#traceCounts()}`;
  }

  #traceCounts(): string {
    const name = 'plimsoll_otlp_export_spans_total';
    const { sent, dropped } = this.#traces.counts;
    return `# HELP ${name} Spans for the OTLP receiver of the configuration.\n# TYPE ${name} counter\n${name}{outcome="sent"} ${sent}\n${name}{outcome="dropped"} ${dropped}\n`;
  }

  #refreshIn(waitMs: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(waitMs, () => void this.#refresh().then(() => this.#refreshIn(REFRESH_MS)));
  }

  async #refresh(): Promise<void> {
    const { clock, loadLines, context } = this.#options;
    const to = clock.nowMs();
    try {
      this.#read = await loadLines({ from: to - DAY_MS, to });
    } catch (thrown) {
      // Old values would look like new ones.
      this.#read = null;
      context.log('warn', 'load_lines_unread', { message: toPlimsollError(thrown).message });
    }
  }

  /** Text of all gateway workers of this tree and of control. Those of other machines are scraped there. */
  async #collect(): Promise<string> {
    const id = this.#nextId++;
    const texts = await new Promise<readonly string[]>((resolve) => {
      const timer = this.#options.clock.setTimer(COLLECT_MS, () => {
        this.#waiting.delete(id);
        resolve([]);
      });
      this.#waiting.set(id, (answered) => {
        timer.cancel();
        resolve(answered);
      });
      this.#options.context.send({ type: 'metrics.collect', id });
    });
    return `${mergeExpositions(texts)}\n${this.text()}`;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#exporter.close();
    this.#traces.close();
  }
}
