import type { Sample, SampleFamily } from './exposition.ts';
import { GEN_AI, GEN_AI_LABELS, type GenAiFamily } from './gen-ai-families.ts';

/** When counters began and when they were read, epoch ms. */
export interface MetricTimes {
  readonly startedAtMs: number;
  readonly atMs: number;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

const BY_PROMETHEUS = new Map<string, GenAiFamily>(Object.values(GEN_AI).map((family) => [family.prometheus, family]));
/** OTLP's AggregationTemporality CUMULATIVE. */
const CUMULATIVE = 2;

function nanoseconds(ms: number): string {
  return `${BigInt(Math.trunc(ms)) * 1_000_000n}`;
}

function attributesOf(labels: Sample['labels']): Attribute[] {
  return Object.entries(labels)
    .filter(([name, value]) => name !== 'le' && value !== '')
    .map(([name, value]) => ({ key: GEN_AI_LABELS[name] ?? name, value: { stringValue: value } }));
}

function numberPoints(samples: readonly Sample[], { startedAtMs, atMs }: MetricTimes, isCounter: boolean) {
  return samples.map(({ labels, value }) => ({
    attributes: attributesOf(labels),
    ...(isCounter ? { startTimeUnixNano: nanoseconds(startedAtMs) } : {}),
    timeUnixNano: nanoseconds(atMs),
    asDouble: value,
  }));
}

/** The lines of one histogram together again: buckets not cumulative, as OTLP has them. */
function histogramPoints({ name, samples }: SampleFamily, { startedAtMs, atMs }: MetricTimes) {
  const bySeries = Map.groupBy(samples, ({ labels }) => JSON.stringify(attributesOf(labels)));
  return [...bySeries.values()].map((lines) => {
    const buckets = lines
      .filter((line) => line.name === `${name}_bucket`)
      .map(({ labels, value }) => ({ bound: labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le), value }))
      .sort((left, right) => left.bound - right.bound);
    const value = (suffix: string): number => lines.find((line) => line.name === `${name}${suffix}`)?.value ?? 0;
    return {
      attributes: attributesOf(lines[0]?.labels ?? {}),
      startTimeUnixNano: nanoseconds(startedAtMs),
      timeUnixNano: nanoseconds(atMs),
      count: `${value('_count')}`,
      sum: value('_sum'),
      bucketCounts: buckets.map((bucket, place) => `${bucket.value - (buckets[place - 1]?.value ?? 0)}`),
      explicitBounds: buckets.filter(({ bound }) => bound !== Number.POSITIVE_INFINITY).map(({ bound }) => bound),
    };
  });
}

function metricOf(family: SampleFamily, times: MetricTimes) {
  const genAi = BY_PROMETHEUS.get(family.name);
  const name = genAi?.otel ?? family.name;
  const unit = genAi?.unit ?? (family.name.endsWith('_seconds') ? 's' : family.name.endsWith('_bytes') ? 'By' : '');
  const base = { name, description: family.help, unit };
  switch (family.type) {
    case 'histogram':
      return { ...base, histogram: { aggregationTemporality: CUMULATIVE, dataPoints: histogramPoints(family, times) } };
    case 'counter':
      return {
        ...base,
        sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints: numberPoints(family.samples, times, true) },
      };
    case 'gauge':
      return { ...base, gauge: { dataPoints: numberPoints(family.samples, times, false) } };
    default:
      return family.type satisfies never;
  }
}

/**
 * ExportMetricsServiceRequest in OTLP's JSON: GenAI metrics under OpenTelemetry's names and attributes, all others under their own. Families
 * without a sample are left out. Pure.
 */
export function otlpMetricsRequest(families: readonly SampleFamily[], times: MetricTimes, resource: Readonly<Record<string, string>>) {
  const metrics = families.filter(({ samples }) => samples.length > 0).map((family) => metricOf(family, times));
  return {
    resourceMetrics: [{ resource: { attributes: attributesOf(resource) }, scopeMetrics: [{ scope: { name: 'plimsoll' }, metrics }] }],
  };
}
