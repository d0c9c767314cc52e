import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { PlimsollError } from '../../kernel/errors.ts';
import { batchEntry, type OtlpBatchMeta, readBatchRecord } from './batch-record.ts';
import { candidateKeys } from './credentials.ts';
import { inflateBody } from './inflate.ts';
import { decodeJsonRequest } from './json.ts';
import { decodeProtobufRequest } from './protobuf.ts';
import { encodeFailure, encodeResponse } from './response.ts';
import { type AttributeValue, OTLP_LIMITS } from './span.ts';
import { jsonRequest, protobufRequest, readMessage, type TestBatch, type TestSpan } from './testing.ts';

const NOW = Date.UTC(2026, 2, 15, 12);
const NS = BigInt(NOW) * 1_000_000n + 123n;
const span = (over: Partial<TestSpan> = {}): TestSpan => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name: 'chat',
  startNs: NS,
  endNs: NS + 5_000_000n,
  ...over,
});

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`)).filter((text) => !/^0+$/.test(text));
const name = fc.oneof(
  fc.string({ maxLength: 20, unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'gen_ai.prompt'),
);
const value: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Number.isInteger(number)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;
const attributes = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((entries) => new Map(entries));
const anySpan: fc.Arbitrary<TestSpan> = fc.record({
  traceId: hex(32),
  spanId: hex(16),
  name: fc.string({ unit: 'grapheme' }),
  kind: fc.integer({ min: 0, max: 5 }),
  startNs: fc.bigInt({ min: NS, max: NS + 10n ** 12n }),
  endNs: fc.bigInt({ min: NS + 10n ** 12n, max: NS + 10n ** 13n }),
  attributes,
  status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: fc.string({ unit: 'grapheme' }) }),
});
const batches: fc.Arbitrary<TestBatch[]> = fc.array(fc.record({ spans: fc.array(anySpan, { maxLength: 4 }) }), { maxLength: 3 });

describe('OTLP requests', () => {
  it('say the same in protobuf and JSON, and what was sent, for any tree of spans', () => {
    fc.assert(
      fc.property(batches, (sent) => {
        const fromProtobuf = decodeProtobufRequest(protobufRequest(sent), NOW);
        const fromJson = decodeJsonRequest(jsonRequest(sent), NOW);
        assert.deepEqual(fromProtobuf, fromJson);
        assert.equal(fromProtobuf.rejected, 0);
        const spans = sent.flatMap((batch) => batch.spans);
        assert.deepEqual(
          fromProtobuf.spans.map(({ traceId, spanId, startedAtNs, endedAtNs, kind }) => ({
            traceId,
            spanId,
            startedAtNs,
            endedAtNs,
            kind,
          })),
          spans.map(({ traceId, spanId, startNs, endNs, kind }) => ({ traceId, spanId, startedAtNs: startNs, endedAtNs: endNs, kind })),
        );
        for (const [place, read] of fromProtobuf.spans.entries()) assert.deepEqual(read.attributes, spans[place]?.attributes);
      }),
      { numRuns: 200 },
    );
  });

  it('cut at any byte or with any byte changed, are read or refused, and never throw anything else', () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.nat(255), (sent, at, byte) => {
        const bytes = protobufRequest(sent);
        const cut = bytes.subarray(0, at % (bytes.length + 1));
        const changed = Buffer.from(bytes);
        if (changed.length > 0) changed[at % changed.length] = byte;
        for (const body of [cut, changed, jsonRequest(sent).subarray(0, at % (bytes.length + 1))]) {
          for (const decode of [decodeProtobufRequest, decodeJsonRequest]) {
            try {
              decode(body, NOW);
            } catch (error) {
              assert.ok(error instanceof PlimsollError && error.code === 'invalid_argument', String(error));
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('lose one broken span and no other', () => {
    const good = [1, 2, 3].map((place) => span({ spanId: `${place}`.repeat(16) }));
    const bad: TestSpan[] = [
      span({ traceId: '00'.repeat(16) }),
      span({ traceId: 'abcd' }),
      span({ spanId: '' }),
      span({ startNs: 1_000n, endNs: 2_000n }),
      span({ endNs: NS + 400n * 86_400n * 1_000_000_000n }),
    ];
    const sent: TestBatch[] = [{ spans: [good[0] as TestSpan, ...bad, good[1] as TestSpan] }, { spans: [good[2] as TestSpan] }];
    for (const read of [decodeProtobufRequest(protobufRequest(sent), NOW), decodeJsonRequest(jsonRequest(sent), NOW)]) {
      assert.equal(read.rejected, bad.length);
      assert.match(read.reason, /trace id/);
      assert.deepEqual(
        read.spans.map(({ spanId }) => spanId),
        good.map(({ spanId }) => spanId),
      );
    }
  });

  it('lose a span whose bytes are garbage, and no other', () => {
    const bytes = protobufRequest([{ spans: [span({ name: 'first' }), span({ name: 'XXXXXXXX' }), span({ name: 'last' })] }]);
    // The length of the name now points behind the span.
    const at = bytes.indexOf('XXXXXXXX');
    bytes[at - 1] = 0x7f;
    const read = decodeProtobufRequest(bytes, NOW);
    assert.equal(read.rejected, 1);
    assert.deepEqual(
      read.spans.map((each) => each.name),
      ['first', 'last'],
    );
    const json = jsonRequest([{ spans: [span({ name: 'first' }), span({ name: 'XXXXXXXX' }), span({ name: 'last' })] }]);
    const broken = json.toString().replace('"XXXXXXXX"', '[7]');
    assert.equal(decodeJsonRequest(Buffer.from(broken), NOW).rejected, 1);
  });

  it('take JSON as protobuf libraries write it: snake_case, base64 ids, enum names, times as numbers', () => {
    const body = {
      resource_spans: [
        {
          scope_spans: [
            {
              spans: [
                {
                  trace_id: Buffer.alloc(16, 0xab).toString('base64'),
                  span_id: Buffer.alloc(8, 0xcd).toString('base64'),
                  name: 'x',
                  kind: 'SPAN_KIND_CLIENT',
                  status: { code: 'STATUS_CODE_ERROR' },
                  attributes: [{ key: 'n', value: { int_value: 7 } }],
                },
              ],
            },
          ],
        },
      ],
    };
    const text = JSON.stringify(body).replace('"name"', `"start_time_unix_nano":${NS},"end_time_unix_nano":"${NS + 1n}","name"`);
    const [read] = decodeJsonRequest(Buffer.from(text), NOW).spans;
    assert.equal(read?.traceId, 'ab'.repeat(16));
    assert.equal(read?.spanId, 'cd'.repeat(8));
    assert.equal(read?.startedAtNs, NS);
    assert.equal(read?.kind, 3);
    assert.equal(read?.status.code, 'error');
    assert.equal(read?.attributes.get('n'), 7);
  });

  it('skip fields of a later version', () => {
    const bytes = protobufRequest([{ spans: [span()] }]);
    const withUnknown = Buffer.concat([bytes, Buffer.from([0xf8, 0x07, 0x05, 0x9a, 0x06, 0x02, 0x68, 0x69])]);
    assert.deepEqual(decodeProtobufRequest(withUnknown, NOW), decodeProtobufRequest(bytes, NOW));
  });

  it('are cut to their caps: attributes, events, depth, names', () => {
    const many = Object.fromEntries(Array.from({ length: OTLP_LIMITS.attributesPerSpan + 10 }, (_, place) => [`a${place}`, place]));
    let deep: AttributeValue = 'bottom';
    for (let level = 0; level < 40; level++) deep = [deep];
    const sent: TestBatch[] = [
      {
        spans: [
          span({
            name: 'n'.repeat(10_000),
            attributes: many,
            events: Array.from({ length: OTLP_LIMITS.eventsPerSpan + 5 }, () => ({ name: 'e', atNs: NS })),
          }),
          span({ spanId: 'c'.repeat(16), attributes: { deep } }),
        ],
      },
    ];
    for (const read of [decodeProtobufRequest(protobufRequest(sent), NOW)]) {
      const [first, second] = read.spans;
      assert.equal(first?.name.length, OTLP_LIMITS.nameCharacters);
      assert.equal(first?.attributes.size, OTLP_LIMITS.attributesPerSpan);
      assert.equal(first?.dropped, 15);
      const depth = JSON.stringify(second?.attributes.get('deep')).split('[').length - 1;
      assert.ok(depth > 20 && depth <= OTLP_LIMITS.valueDepth + 1, `${depth}`);
    }
    assert.throws(() => decodeJsonRequest(Buffer.from('['.repeat(1_000_000)), NOW), { code: 'invalid_argument' });
  });
});

describe('bodies of OTLP requests', () => {
  const body = protobufRequest([{ spans: [span()] }]);
  it('are inflated, and never beyond the cap', async () => {
    for (const [encoding, bytes] of [
      ['gzip', gzipSync(body)],
      ['deflate', deflateSync(body)],
      ['zstd', zstdCompressSync(body)],
      ['identity', body],
      [undefined, body],
    ] as const)
      assert.deepEqual(await inflateBody(bytes, encoding, 1_000_000), body);
    const zeros = Buffer.alloc(2_000_000);
    for (const [encoding, bomb] of [
      ['gzip', gzipSync(zeros)],
      ['deflate', deflateSync(zeros)],
      ['zstd', zstdCompressSync(zeros)],
    ] as const) {
      await assert.rejects(inflateBody(bomb, encoding, 1_000_000), { code: 'payload_too_large' });
      await assert.rejects(inflateBody(Buffer.from('not that'), encoding, 1_000_000), { code: 'invalid_argument' });
    }
    await assert.rejects(inflateBody(body, 'br', 1_000_000), { code: 'unsupported_media_type' });
    await assert.rejects(inflateBody(body, '__proto__', 1_000_000), { code: 'unsupported_media_type' });
  });

  it('are journaled with what was known of them', () => {
    const meta: OtlpBatchMeta = {
      organisationId: 'default',
      environment: 'production',
      receivedAtMs: NOW,
      encoding: 'protobuf',
      keyId: 'k',
      team: null,
      feature: null,
      features: { 'customer-support': 'full' },
      maxPayloadBytes: 1_000,
    };
    const entry = batchEntry('id', meta, body);
    const payload = Buffer.concat(entry.payload as Buffer[]);
    assert.deepEqual(readBatchRecord({ ...entry, payload }), { meta, body });
    for (let length = 0; length < payload.length - body.length; length++)
      assert.throws(() => readBatchRecord({ ...entry, payload: payload.subarray(0, length) }));
  });
});

describe('answers to OTLP requests', () => {
  it('name what was rejected, in the encoding of the request', () => {
    assert.equal(encodeResponse({ rejected: 0, reason: '' }, 'protobuf').length, 0);
    assert.equal(encodeResponse({ rejected: 0, reason: '' }, 'json').toString(), '{}');
    const some = { rejected: 3, reason: 'trace id "" is not 16 bytes' };
    assert.deepEqual(readMessage('ExportTraceServiceResponse', encodeResponse(some, 'protobuf')), {
      partialSuccess: { rejectedSpans: 3, errorMessage: '3 spans were rejected; the first: trace id "" is not 16 bytes' },
    });
    assert.equal(JSON.parse(encodeResponse(some, 'json').toString()).partialSuccess.rejectedSpans, '3');
    const error = new PlimsollError('unauthenticated', 'No key.');
    assert.deepEqual(readMessage('RpcStatus', encodeFailure(error, 'protobuf')), { code: 16, message: `No key. ${error.fix}` });
    assert.equal(JSON.parse(encodeFailure(error, 'json').toString()).code, 16);
  });
});

describe('keys of senders', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  for (const [who, headers, expected] of [
    ['OpenTelemetry', { authorization: 'Bearer plk_a' }, ['plk_a']],
    ['Langfuse', { authorization: basic('pk-lf-x:plk_a') }, ['plk_a', 'pk-lf-x']],
    ['basic, user only', { authorization: basic('plk_a:') }, ['plk_a']],
    ['LangSmith', { 'x-api-key': 'plk_a' }, ['plk_a']],
    ['Phoenix', { api_key: 'plk_a' }, ['plk_a']],
    ['Weave', { 'wandb-api-key': 'plk_a' }, ['plk_a']],
    ['Opik and Logfire', { authorization: 'plk_a' }, ['plk_a']],
    ['nobody', {}, []],
    ['empty', { authorization: 'Bearer ', 'x-api-key': '' }, ['Bearer']],
  ] as const)
    it(`are found where ${who} puts them`, () => assert.deepEqual(candidateKeys(headers), expected));
});
