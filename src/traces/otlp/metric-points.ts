import { decodeJsonExport, isObject, type JsonSignal, listOf, member, textOf } from './json.ts';
import { decodeProtobufExport, type ItemSink, isMessage, type Reader, within } from './protobuf.ts';
import type { OtlpEncoding, PartialSuccess } from './response.ts';
import type { Attributes } from './span.ts';

interface Metric {
  name: string;
  points: number;
}

/** Counts what a request of metrics holds. */
class PointCounter implements ItemSink<Metric> {
  readonly resources: Attributes[] = [];
  #points = 0;
  #genAiName = '';

  add({ name, points }: Metric): void {
    this.#points += points;
    if (this.#genAiName === '' && name.startsWith('gen_ai.')) this.#genAiName = name.slice(0, 200).toWellFormed();
  }

  reject(): void {
    this.#points += 1;
  }

  finish(): PartialSuccess {
    if (this.#points === 0) return { rejected: 0, reason: '' };
    const which = this.#genAiName === '' ? '' : ` (${this.#genAiName} too)`;
    return {
      rejected: this.#points,
      reason: `metrics of clients are not kept${which}: Plimsoll counts tokens, cost, latency and errors from the spans of the same calls; send traces, and switch the exporter of metrics off`,
    };
  }
}

/** Fields of Metric that hold data points, each in its field 1: gauge, sum, histogram, exponential histogram, summary. */
const DATA_FIELDS = [5, 7, 9, 10, 11];
const DATA_NAMES = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

function countPoints(reader: Reader): number {
  let points = 0;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 1)) points += 1;
    reader.skipType(tag & 7);
  }
  return points;
}

function readMetric(reader: Reader): Metric {
  const metric: Metric = { name: '', points: 0 };
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 1)) metric.name = reader.string();
    else if (DATA_FIELDS.some((field) => isMessage(tag, field))) metric.points += within(reader, countPoints);
    else reader.skipType(tag & 7);
  }
  return metric;
}

const METRICS: JsonSignal = {
  noun: 'metric',
  resources: ['resourceMetrics', 'resource_metrics'],
  scopes: ['scopeMetrics', 'scope_metrics'],
  items: ['metrics', 'metrics'],
};

function readJsonMetric(value: unknown): Metric {
  if (!isObject(value)) throw new TypeError('it is no object');
  const points = DATA_NAMES.flatMap((name) => {
    const data = member(value, name, name.replace('H', '_h'));
    return isObject(data) ? listOf(member(data, 'dataPoints', 'data_points'), 'dataPoints') : [];
  });
  return { name: textOf(value.name, 'name'), points: points.length };
}

/**
 * What an ExportMetricsServiceRequest holds, as what is not kept of it.
 * @throws PlimsollError `invalid_argument` when the body is no such message at all
 */
export function refuseMetrics(body: Buffer, encoding: OtlpEncoding): PartialSuccess {
  const counter = new PointCounter();
  if (encoding === 'json') decodeJsonExport(body, counter, METRICS, readJsonMetric);
  else decodeProtobufExport(body, counter, METRICS.noun, readMetric);
  return counter.finish();
}
