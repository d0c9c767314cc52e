import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { ioRowsOf } from '../testing.ts';
import { decodeLogs } from './logs.ts';
import { refuseMetrics } from './metric-points.ts';

const NOW = Date.UTC(2026, 2, 15);
const NS = `${NOW}000000`;
const TRACE = 'a'.repeat(32);
const SPAN = 'b'.repeat(16);

/** The messages as opentelemetry-proto declares them, encoded by protobufjs' own reflection, not by our code. */
const { root } = protobuf.parse(`
syntax = "proto3";
message ExportLogsServiceRequest { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
message LogRecord {
  fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; AnyValue body = 5; repeated KeyValue attributes = 6;
  uint32 dropped_attributes_count = 7; fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10; fixed64 observed_time_unix_nano = 11; string event_name = 12;
}
message ExportMetricsServiceRequest { repeated ResourceMetrics resource_metrics = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
message Metric { string name = 1; Points gauge = 5; Points sum = 7; Points histogram = 9; Points exponential_histogram = 10; Points summary = 11; }
message Points { repeated Point data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Point { fixed64 time_unix_nano = 3; double as_double = 4; repeated KeyValue attributes = 7; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
`);

type Json = Record<string, unknown>;
const text = (value: string) => ({ stringValue: value });
const map = (fields: Record<string, Json>) => ({ kvlistValue: { values: Object.entries(fields).map(([key, value]) => ({ key, value })) } });
const record = (eventName: string, over: Json = {}): Json => ({ timeUnixNano: NS, traceId: TRACE, spanId: SPAN, eventName, ...over });
const request = (...logRecords: Json[]): Json => ({
  resourceLogs: [
    {
      scopeLogs: [{ scope: { name: 'an-instrumentation' }, logRecords }],
      resource: { attributes: [{ key: 'service.name', value: text('shop') }] },
    },
  ],
});
const json = (body: Json) => Buffer.from(JSON.stringify(body));

function encode(type: string, body: Json): Buffer {
  const message = root.lookupType(type);
  const bytes = JSON.parse(JSON.stringify(body), (name, value) =>
    (name === 'traceId' || name === 'spanId') && typeof value === 'string' ? Buffer.from(value, 'hex').toString('base64') : value,
  );
  return Buffer.from(message.encode(message.fromObject(bytes)).finish());
}

const both = (body: Json) => [
  ['JSON', decodeLogs(json(body), 'json', NOW)] as const,
  ['protobuf', decodeLogs(encode('ExportLogsServiceRequest', body), 'protobuf', NOW)] as const,
];

describe('GenAI events in logs', () => {
  const DETAILS = record('gen_ai.client.inference.operation.details', {
    attributes: [
      { key: 'gen_ai.input.messages', value: text('[{"role":"user","parts":[{"type":"text","content":"Where?"}]}]') },
      { key: 'gen_ai.output.messages', value: text('[{"role":"assistant","parts":[{"type":"text","content":"Here."}]}]') },
    ],
  });
  const EARLIER = [
    record('', { attributes: [{ key: 'event.name', value: text('gen_ai.user.message') }], body: map({ content: text('Where?') }) }),
    record('gen_ai.choice', {
      timeUnixNano: `${NOW + 1}000000`,
      body: map({ finish_reason: text('stop'), message: map({ content: text('Here.') }) }),
    }),
  ];

  it('come to the texts of their span, in both generations and both encodings, in whatever order they arrive', () => {
    for (const body of [request(DETAILS), request(...EARLIER), request(...[...EARLIER].reverse())])
      for (const [encoding, { logs, rejected }] of both(body)) {
        assert.equal(rejected, 0, encoding);
        assert.equal(logs[0]?.resource.get('service.name'), 'shop', encoding);
        const [row] = ioRowsOf(logs, NOW);
        assert.deepEqual(
          [row?.traceId, row?.spanId, JSON.parse(row?.input ?? ''), JSON.parse(row?.output ?? '')],
          [TRACE, SPAN, { messages: [{ role: 'user', content: 'Where?' }] }, [{ role: 'assistant', content: 'Here.' }]],
          encoding,
        );
      }
  });

  it('are kept alone: everything else is told to be left out', () => {
    const body = request(
      record('app.started'),
      record('gen_ai.choice', { spanId: '' }),
      record('gen_ai.choice', { timeUnixNano: '1' }),
      record('gen_ai.choice', { timeUnixNano: '0', observedTimeUnixNano: NS }),
    );
    for (const [encoding, { logs, rejected, reason }] of both(body)) {
      assert.deepEqual([logs.length, rejected], [1, 3], encoding);
      assert.match(reason, /only GenAI events/);
    }
  });

  it('of hostile bytes nothing comes but an error that says so', () => {
    const whole = encode('ExportLogsServiceRequest', request(DETAILS, ...EARLIER));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, isCut) => {
        const bytes = isCut ? whole.subarray(0, at) : Buffer.from(whole);
        if (!isCut) bytes[at] = byte;
        try {
          decodeLogs(bytes, 'protobuf', NOW);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'invalid_argument');
        }
      }),
    );
    for (const bad of ['', '[]', '{"resourceLogs":{}}', `{"resourceLogs":${'['.repeat(9_000)}`])
      assert.throws(() => decodeLogs(Buffer.from(bad), 'json', NOW), { code: 'invalid_argument' });
  });
});

describe('metrics of clients', () => {
  const metric = (name: string, kind: string, points: number): Json => ({
    name,
    [kind]: { dataPoints: Array.from({ length: points }, () => ({ timeUnixNano: NS, asDouble: 1 })) },
  });
  const body = (...metrics: Json[]): Json => ({ resourceMetrics: [{ resource: {}, scopeMetrics: [{ metrics }] }] });

  it('are refused point by point, with what to send instead', () => {
    const metrics = body(
      metric('http.server.duration', 'histogram', 2),
      metric('gen_ai.client.token.usage', 'exponentialHistogram', 3),
      metric('up', 'gauge', 1),
    );
    for (const told of [refuseMetrics(json(metrics), 'json'), refuseMetrics(encode('ExportMetricsServiceRequest', metrics), 'protobuf')]) {
      assert.equal(told.rejected, 6);
      assert.match(told.reason, /gen_ai.client.token.usage too/);
      assert.match(told.reason, /send traces/);
    }
    assert.deepEqual(refuseMetrics(json({}), 'json'), { rejected: 0, reason: '' });
  });
});
