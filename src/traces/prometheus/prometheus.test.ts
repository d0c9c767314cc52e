import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SpanRow } from '../store.ts';
import { readExposition } from './exposition.ts';
import { escapeLabel, Histogram, writeHeader } from './histogram.ts';
import { otlpMetricsRequest } from './otlp-metrics.ts';
import { SpanMetrics } from './span-metrics.ts';

const TIMES = { startedAtMs: 1_000, atMs: 61_000 };

describe('Prometheus text', () => {
  it('is read back as it was written, whatever stands in a label', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.double({ noNaN: true, noDefaultInfinity: true }), (label, value) => {
        const lines: string[] = [];
        writeHeader(lines, 'a_total', 'counter', 'Help, with "quotes"');
        lines.push(`a_total{x="${escapeLabel(label)}",y="2"} ${value}`);
        const [family] = readExposition(`${lines.join('\n')}\n`);
        assert.deepEqual(family, {
          name: 'a_total',
          type: 'counter',
          help: 'Help, with "quotes"',
          samples: [{ name: 'a_total', labels: { x: label, y: '2' }, value: value + 0 }],
        });
      }),
      { numRuns: 300 },
    );
  });

  it('takes nothing for a sample that is none', () => {
    assert.deepEqual(readExposition('lonely 1\n# HELP a b\n# TYPE a gauge\n\nnonsense\na x\na 1\n'), [
      { name: 'a', type: 'gauge', help: 'b', samples: [{ name: 'a', labels: {}, value: 1 }] },
    ]);
  });
});

describe('OTLP metrics', () => {
  it('have OpenTelemetry’s names and attributes, and buckets that are not cumulative', () => {
    const histogram = new Histogram([0.01, 0.02]);
    for (const seconds of [0.005, 0.015, 0.015, 7]) histogram.observe(seconds);
    const lines: string[] = [];
    writeHeader(lines, 'gen_ai_client_operation_duration_seconds', 'histogram', 'Duration');
    histogram.write(lines, 'gen_ai_client_operation_duration_seconds', 'gen_ai_request_model="gpt-5",error_type="provider_timeout"');
    writeHeader(lines, 'llm_cost_usd_total', 'counter', 'Cost');
    lines.push('llm_cost_usd_total{feature="a",team=""} 0.25');
    writeHeader(lines, 'plimsoll_snapshot_epoch', 'gauge', 'Epoch');
    lines.push('plimsoll_snapshot_epoch 3');
    writeHeader(lines, 'llm_errors_total', 'counter', 'None yet');
    const request = otlpMetricsRequest(readExposition(lines.join('\n')), TIMES, { 'service.name': 'plimsoll' });
    const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
    const times = { startTimeUnixNano: '1000000000', timeUnixNano: '61000000000' };
    assert.deepEqual(request.resourceMetrics[0]?.resource.attributes, [text('service.name', 'plimsoll')]);
    assert.deepEqual(request.resourceMetrics[0]?.scopeMetrics[0]?.metrics, [
      {
        name: 'gen_ai.client.operation.duration',
        description: 'Duration',
        unit: 's',
        histogram: {
          aggregationTemporality: 2,
          dataPoints: [
            {
              attributes: [text('gen_ai.request.model', 'gpt-5'), text('error.type', 'provider_timeout')],
              ...times,
              count: '4',
              sum: 7.035,
              bucketCounts: ['1', '2', '1'],
              explicitBounds: [0.01, 0.02],
            },
          ],
        },
      },
      {
        name: 'llm_cost_usd_total',
        description: 'Cost',
        unit: '',
        sum: {
          aggregationTemporality: 2,
          isMonotonic: true,
          dataPoints: [{ attributes: [text('feature', 'a')], ...times, asDouble: 0.25 }],
        },
      },
      {
        name: 'plimsoll_snapshot_epoch',
        description: 'Epoch',
        unit: '',
        gauge: { dataPoints: [{ attributes: [], timeUnixNano: '61000000000', asDouble: 3 }] },
      },
    ]);
  });
});

describe('metrics of clients’ spans', () => {
  const span = (operation: string, name: string, changes: Partial<SpanRow> = {}): SpanRow =>
    ({
      callId: null,
      status: 'ok',
      errorType: null,
      durationNs: 1_500_000_000n,
      attributes: { 'gen_ai.operation.name': operation, 'gen_ai.agent.name': name, 'gen_ai.tool.name': name },
      ...changes,
    }) as SpanRow; // only what the metrics read

  it('count agents and tools, and fold names that are too many, and say so', () => {
    const metrics = new SpanMetrics(2);
    metrics.observe([
      span('invoke_agent', 'helper'),
      span('invoke_agent', 'helper'),
      span('execute_tool', 'find"order', { status: 'error' }),
      span('execute_tool', 'third'),
      span('execute_tool', 'fourth'),
      span('chat', 'x'),
      span('invoke_agent', 'gateway’s own', { callId: 'call' }),
      span('__proto__', 'x'),
    ]);
    const text = metrics.text();
    assert.match(text, /gen_ai_invoke_agent_duration_seconds_count\{gen_ai_agent_name="helper"\} 2/);
    assert.match(text, /gen_ai_execute_tool_duration_seconds_sum\{gen_ai_tool_name="find\\"order",error_type="_OTHER"\} 1\.5/);
    assert.match(text, /gen_ai_execute_tool_duration_seconds_count\{gen_ai_tool_name="other"\} 2/);
    assert.match(text, /plimsoll_span_metrics_overflow_total 2/);
    assert.doesNotMatch(text, /own|third/);
  });
});
