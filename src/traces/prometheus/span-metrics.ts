import type { SpanRow } from '../store.ts';
import { GEN_AI, type GenAiFamily } from './gen-ai-families.ts';
import { escapeLabel, Histogram, writeHeader } from './histogram.ts';

const OTHER = 'other';

/** Operations of clients' spans that OpenTelemetry has a duration for, with the attribute that names what ran. */
const MEASURED: Readonly<
  Record<string, { readonly family: GenAiFamily & { readonly bounds: readonly number[] }; readonly attribute: string }>
> = {
  invoke_workflow: { family: GEN_AI.workflow, attribute: 'gen_ai.workflow.name' },
  invoke_agent: { family: GEN_AI.agent, attribute: 'gen_ai.agent.name' },
  execute_tool: { family: GEN_AI.tool, attribute: 'gen_ai.tool.name' },
};

/** Durations of workflows, agents and tools, which no gateway sees: from spans that clients send. Past `maxSeries` new names are counted as "other". */
export class SpanMetrics {
  readonly #series = new Map<string, { readonly name: string; readonly labels: string; readonly histogram: Histogram }>();
  readonly #maxSeries: number;
  #folded = 0;

  constructor(maxSeries = 300) {
    this.#maxSeries = maxSeries;
  }

  observe(spans: readonly SpanRow[]): void {
    for (const span of spans) {
      const operation = span.callId === null ? span.attributes['gen_ai.operation.name'] : null;
      const measured = typeof operation === 'string' && Object.hasOwn(MEASURED, operation) ? MEASURED[operation] : undefined;
      if (measured === undefined) continue;
      const named = span.attributes[measured.attribute];
      this.#get(measured, typeof named === 'string' ? named : '', span.status === 'error' ? (span.errorType ?? '_OTHER') : '').observe(
        Number(span.durationNs) / 1e9,
      );
    }
  }

  #get({ family, attribute }: (typeof MEASURED)[string], named: string, error: string): Histogram {
    const key = `${family.prometheus}\u0000${named}\u0000${error}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known.histogram;
    if (this.#series.size >= this.#maxSeries && named !== OTHER) {
      this.#folded++;
      return this.#get({ family, attribute }, OTHER, error);
    }
    const labels = [
      ...(named === '' ? [] : [`${attribute.replaceAll('.', '_')}="${escapeLabel(named)}"`]),
      ...(error === '' ? [] : [`error_type="${escapeLabel(error)}"`]),
    ];
    const histogram = new Histogram(family.bounds);
    this.#series.set(key, { name: family.prometheus, labels: labels.join(',') || 'error_type=""', histogram });
    return histogram;
  }

  /** Prometheus text. */
  text(): string {
    const lines: string[] = [];
    for (const { family } of Object.values(MEASURED)) {
      writeHeader(lines, family.prometheus, 'histogram', family.help);
      for (const { name, labels, histogram } of this.#series.values()) if (name === family.prometheus) histogram.write(lines, name, labels);
    }
    writeHeader(
      lines,
      'plimsoll_span_metrics_overflow_total',
      'counter',
      'Spans of clients counted under "other" because there were too many names',
    );
    lines.push(`plimsoll_span_metrics_overflow_total ${this.#folded}`);
    return `${lines.join('\n')}\n`;
  }
}
