import type { Clock, Timer } from '../kernel/clock.ts';
import { toPlimsollError } from '../kernel/errors.ts';
import { readExposition } from '../traces/prometheus/exposition.ts';
import { otlpMetricsRequest } from '../traces/prometheus/otlp-metrics.ts';
import type { Config } from './config.ts';
import { sendOtlp } from './otlp-sender.ts';
import { VERSION } from './version.ts';

export interface OtlpMetricsExporterOptions {
  readonly telemetry: () => Config['telemetry'];
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Prometheus text of the whole tree. */
  readonly collect: () => Promise<string>;
  readonly resource: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: (level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** How often the configuration is looked at while nothing is to be sent. */
const IDLE_MS = 5_000;

/** Sends all metrics to an OTLP receiver, every so often. What could not be sent is in the next reading: counters are cumulative. */
export class OtlpMetricsExporter {
  readonly #options: OtlpMetricsExporterOptions;
  readonly #startedAtMs: number;
  #timer: Timer | null = null;
  #isClosed = false;
  #lastError: string | null = null;
  readonly #counts = { sent: 0, failed: 0 };

  constructor(options: OtlpMetricsExporterOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.nowMs();
  }

  start(): void {
    if (this.#isClosed) return;
    const waitMs = this.#options.telemetry().otlp?.intervalMs ?? IDLE_MS;
    this.#timer = this.#options.clock.setTimer(waitMs, () => {
      void this.#send().then(() => this.start());
    });
  }

  async #send(): Promise<void> {
    const { telemetry, variables, clock, log } = this.#options;
    const { otlp } = telemetry();
    if (otlp === undefined) return;
    try {
      const families = readExposition(await this.#options.collect());
      const resource = { 'service.name': 'plimsoll', 'service.version': VERSION, ...this.#options.resource };
      const body = otlpMetricsRequest(families, { startedAtMs: this.#startedAtMs, atMs: clock.nowMs() }, resource);
      await sendOtlp(otlp, 'metrics', body, variables);
      this.#counts.sent += 1;
      if (this.#lastError !== null) log('info', 'otlp_export_recovered', { endpoint: otlp.endpoint });
      this.#lastError = null;
    } catch (thrown) {
      this.#counts.failed += 1;
      const { message } = toPlimsollError(thrown);
      const cause = thrown instanceof Error ? thrown.message : message;
      if (this.#lastError !== cause) log('warn', 'otlp_export_failed', { endpoint: otlp.endpoint, message: cause });
      this.#lastError = cause;
    }
  }

  /** Prometheus text. */
  metrics(): string {
    const name = 'plimsoll_otlp_export_requests_total';
    const { sent, failed } = this.#counts;
    return `# HELP ${name} Requests with metrics to the OTLP receiver of the configuration.\n# TYPE ${name} counter\n${name}{outcome="sent"} ${sent}\n${name}{outcome="failed"} ${failed}\n`;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }
}
