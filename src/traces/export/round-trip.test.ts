import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readShippedPriceBook } from '../../models/price-book.ts';
import { rowsFromOtlp } from '../from-otlp.ts';
import type { OtlpBatchMeta, PayloadPolicy } from '../otlp/batch-record.ts';
import { EXPORT_COLUMNS, type ExportedSpan, jsonLine } from './columns.ts';
import { otlpExportRequest } from './otlp-request.ts';
import { exportedSpan } from './testing.ts';

const BOOK = readShippedPriceBook();

function imported(exported: readonly ExportedSpan[], policy: PayloadPolicy = 'full') {
  const meta: OtlpBatchMeta = {
    organisationId: 'default',
    environment: 'production',
    keyId: 'importing key',
    team: null,
    feature: null,
    features: { helper: policy },
    maxPayloadBytes: 1_000_000,
    receivedAtMs: 1_790_000_100_000,
    encoding: 'json',
  };
  return rowsFromOtlp(meta, Buffer.from(JSON.stringify(otlpExportRequest(exported))), BOOK);
}

/** What cannot be the same: the key is the one that sends, a call of elsewhere is none of ours, and what came in says so. */
function asImported({ span }: ExportedSpan) {
  return { ...span, keyId: 'importing key', callId: null, attributes: { ...span.attributes, 'plimsoll.imported': true } };
}

const MESSAGES = '{"model":"m","messages":[{"role":"user","content":"Where is \\"it\\"?"}],"temperature":0.2}';

describe('spans that are exported as OTLP and read back', () => {
  it('are the same in every column, whatever they are', () => {
    const spans = [
      exportedSpan({}, { input: MESSAGES, output: '[{"role":"assistant","content":"Here"}]' }),
      exportedSpan(
        { kind: 'gateway', callId: 'c', status: 'aborted', errorType: 'client_closed', parentSpanId: '34'.repeat(8) },
        { isTruncated: false },
      ),
      exportedSpan(
        { kind: 'tool', isEntry: false, isRequest: false, usage: null, usageSource: null, costPicoUsd: null, costStatus: null },
        { input: '{"id":7}', output: 'sent' },
      ),
      exportedSpan({
        attributes: {
          own: { a: [1, null, { b: true }], __proto_: 1.5 },
          'resource.service.name': 'shop',
          'scope.name': 'my-lib',
          'scope.version': '1.2',
          events: [{ name: 'e', atNs: '1790000000123456790', attributes: { x: 1 } }],
          links: [{ traceId: 'cd'.repeat(16), spanId: '56'.repeat(8) }],
          'plimsoll.usage.rule': 'input inclusive, by dialect',
          'user.id': 'another than the column',
        },
      }),
    ].map((exported, place) => ({ ...exported, span: { ...exported.span, spanId: `${place}`.padStart(16, '1') } }));
    const { spans: rows, io } = imported(spans);
    const byId = new Map(rows.map((row) => [row.spanId, row]));
    for (const exported of spans) assert.deepEqual(byId.get(exported.span.spanId), asImported(exported));
    const texts = new Map(io.map((row) => [row.spanId, [row.input, row.output]]));
    for (const { span, input, output } of spans)
      if (input !== null || output !== null) assert.deepEqual(texts.get(span.spanId), [input, output]);
  });

  it('keep any text and any attribute, character by character', () => {
    const body = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.json(),
      fc
        .array(fc.record({ role: fc.constantFrom('user', 'system'), content: fc.string({ unit: 'grapheme' }) }))
        .chain((messages) =>
          fc.constantFrom(JSON.stringify({ messages, n: 1 }), JSON.stringify({ messages }, null, 1), JSON.stringify(messages)),
        ),
    );
    const names = fc
      .string({ minLength: 1, maxLength: 40 })
      .filter((name) => !/^(resource\.|scope\.|events$|links$|plimsoll\.)/.test(name));
    fc.assert(
      fc.property(body, body, fc.dictionary(names, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 8 }), (input, output, attributes) => {
        const exported = exportedSpan({ attributes: JSON.parse(JSON.stringify(attributes)) }, { input, output });
        const { spans, io } = imported([exported]);
        assert.deepEqual(spans[0], asImported(exported));
        assert.deepEqual([io[0]?.input, io[0]?.output], [input, output]);
      }),
    );
  });

  it('keep no text where the feature that they come to keeps none', () => {
    const exported = exportedSpan({}, { input: MESSAGES, output: 'secret answer' });
    const { spans, io } = imported([exported], 'none');
    assert.equal(io.length, 0);
    assert.doesNotMatch(JSON.stringify(spans[0]?.attributes), /Where is|secret/);
    const preview = imported([exported], 'preview').io[0];
    assert.deepEqual([preview?.input, preview?.output], ['Where is "it"?', 'secret answer']);
  });

  it('are read like any other span when what they say of themselves cannot be', () => {
    const exported = exportedSpan({ costPicoUsd: -5n });
    assert.equal(imported([exported]).spans[0]?.attributes['plimsoll.imported'], undefined);
  });
});

describe('a line of JSON', () => {
  it('has every column, integers of 64 bits and decimals as texts', () => {
    const line = JSON.parse(jsonLine(exportedSpan({ costPicoUsd: 9_007_199_254_740_993n }, { input: MESSAGES })));
    assert.deepEqual(
      Object.keys(line),
      EXPORT_COLUMNS.map(({ name }) => name),
    );
    assert.deepEqual(
      [line.startedAtNs, line.durationNs, line.costPicoUsd, line.costUsd, line.input, line.output, line.reasoningTokens],
      ['1790000000123456789', '2000000001', '9007199254740993', '9007.199254740993', MESSAGES, null, 13],
    );
  });
});
