import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readMultipart } from './multipart.ts';
import { decodeSdkRequest, type SdkFormat, type SdkRequestMeta } from './request-record.ts';
import { frameSpanId, nanosecondsOf, type RunPart, spanIdOf, traceIdOf } from './run-part.ts';

const NOW = Date.UTC(2026, 2, 15);
const UUID = '0198a7c2-1111-7222-8333-444455556666';
const AT = new Date(NOW).toISOString();
const meta = (format: SdkFormat, over: Partial<SdkRequestMeta> = {}): SdkRequestMeta => ({
  organisationId: 'o',
  environment: 'e',
  keyId: 'k',
  team: null,
  feature: 'helper',
  features: { helper: 'full' },
  maxPayloadBytes: 1_000,
  receivedAtMs: NOW,
  format,
  ...over,
});
const read = (format: SdkFormat, body: unknown, over: Partial<SdkRequestMeta> = {}) =>
  decodeSdkRequest(Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), meta(format, over));
const langfuse = (...batch: unknown[]) => read({ kind: 'langfuse' }, { batch });
const multipart = (parts: readonly (readonly [name: string, body: string])[]) =>
  Buffer.from(
    `${parts.map(([name, body]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: application/json\r\n\r\n${body}\r\n`).join('')}--b--\r\n`,
  );
const MULTIPART: SdkFormat = { kind: 'langsmith-multipart', boundary: 'b' };

describe('ids and times of other SDKs', () => {
  it('keep what people know them by', () => {
    assert.equal(traceIdOf('A'.repeat(32)), 'a'.repeat(32));
    assert.equal(traceIdOf(UUID), UUID.replaceAll('-', ''));
    assert.match(traceIdOf('order-7'), /^[0-9a-f]{32}$/);
    assert.equal(spanIdOf('B'.repeat(16)), 'b'.repeat(16));
    assert.match(spanIdOf(UUID), /^[0-9a-f]{16}$/);
    assert.notEqual(spanIdOf('0'.repeat(16)), '0'.repeat(16));
  });

  it('are read to the microsecond, in every zone', () => {
    assert.equal(nanosecondsOf('2026-03-15T00:00:00.123456+00:00'), '1773532800123456000');
    assert.equal(nanosecondsOf('2026-03-15T02:00:00.5+02:00'), '1773532800500000000');
    assert.equal(nanosecondsOf('2026-03-15T00:00:00'), '1773532800000000000');
    assert.equal(nanosecondsOf(NOW + 0.25), '1773532800000250000');
    for (const bad of ['yesterday', '', null, {}, Number.NaN, -1, 1e20]) assert.equal(nanosecondsOf(bad), undefined);
  });
});

describe('Langfuse ingestion', () => {
  it('a bad event rejects itself alone', () => {
    const { accepted, rejected, parts, scores } = langfuse(
      { id: '1', type: 'generation-create', timestamp: AT, body: { id: UUID, traceId: 't', model: 'gpt-4o' } },
      { id: '2', type: 'generation-create', timestamp: AT, body: { id: UUID } },
      { id: '3', type: 'sdk-log', timestamp: AT, body: { log: 'x' } },
      7,
      { id: '5', type: 'score-create', timestamp: AT, body: { traceId: 't', name: 'good', value: 1, dataType: 'BOOLEAN' } },
      { id: '6', type: 'score-create', timestamp: AT, body: { name: 'lost', value: 1 } },
      { id: '7', type: 'span-create', timestamp: AT, body: { id: UUID, traceId: 't', startTime: '1999-01-01T00:00:00Z' } },
      { id: '8', type: 'constructor', timestamp: AT, body: { id: UUID, traceId: 't' } },
    );
    assert.deepEqual(accepted, ['1', '5']);
    assert.deepEqual(
      rejected.map(({ id }) => id),
      ['2', '3', '3', '6', '7', '8'],
    );
    assert.match(rejected[0]?.reason ?? '', /body.traceId is missing/);
    assert.equal(scores[0]?.dataType, 'boolean');
    assert.equal(scores[0]?.number, 1);
    // The observation, and the trace that it makes.
    assert.deepEqual(
      parts.map(({ spanId, parentSpanId }) => [spanId, parentSpanId]),
      [
        [spanIdOf(UUID), frameSpanId(traceIdOf('t'))],
        [frameSpanId(traceIdOf('t')), undefined],
      ],
    );
  });

  it('adds costs up where no total is told, and takes characters for no tokens', () => {
    const body = { id: UUID, traceId: 't', usage: { input: 5, output: 6, unit: 'CHARACTERS' }, costDetails: { input: 0.25, output: 0.5 } };
    const { attributes } = langfuse({ id: '1', type: 'generation-create', timestamp: AT, body }).parts[0] as RunPart;
    assert.equal(attributes['langfuse.observation.usage_details'], undefined);
    assert.deepEqual(JSON.parse(String(attributes['langfuse.observation.cost_details'])), { input: 0.25, output: 0.5, total: 0.75 });
  });

  it('the names of strangers are data', () => {
    const text = `{"batch":[{"id":"1","type":"span-create","timestamp":"${AT}","body":{"id":"s","traceId":"t","__proto__":{"polluted":1},"metadata":{"__proto__":{"polluted":1},"constructor":"c"}}}]}`;
    const { parts } = read({ kind: 'langfuse' }, text);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    assert.equal(parts[0]?.attributes['langfuse.observation.metadata.__proto__'], '{"polluted":1}');
    assert.equal(parts[0]?.attributes['langfuse.observation.metadata.constructor'], 'c');
  });

  it('refuses what is no batch at all', () => {
    for (const bad of ['', '{', '[]', '{"batch":{}}', `{"batch":${'['.repeat(5_000)}`, '\ufffe', Buffer.from([0xff, 0xfe])])
      assert.throws(() => read({ kind: 'langfuse' }, bad), { code: 'invalid_argument' });
  });

  it('an item without a feature is rejected with what to do', () => {
    const { rejected } = read(
      { kind: 'langfuse' },
      { batch: [{ id: '1', type: 'span-create', timestamp: AT, body: { id: 's', traceId: 't' } }] },
      { feature: null },
    );
    assert.match(rejected[0]?.reason ?? '', /x-plimsoll-feature/);
  });
});

describe('LangSmith runs', () => {
  const order = `20260315T000000123456Z${UUID}`;
  it('puts the parts of a multipart body together, and says what it does not keep', () => {
    const request = read(
      MULTIPART,
      multipart([
        [`post.${UUID}`, JSON.stringify({ id: UUID, trace_id: UUID, dotted_order: order, name: 'ChatOpenAI', run_type: 'llm' })],
        [`post.${UUID}.inputs`, '{"messages":[]}'],
        [`post.${UUID}.extra`, '{"metadata":{"session_id":"s-1","__proto__":{"a":1}},"invocation_params":{"model":"gpt-4o"}}'],
        [`attachment.${UUID}.file`, 'x'],
        ['post.broken', '{'],
        ['get.something', '{}'],
        [`feedback.${UUID}`, JSON.stringify({ id: UUID, run_id: UUID, key: 'correct', score: 0.5 })],
      ]),
    );
    assert.deepEqual(request.accepted, [UUID, UUID]);
    assert.deepEqual(
      request.rejected.map(({ id, reason }) => [id, reason.split(':')[0]]),
      [
        [`attachment.${UUID}.file`, 'attachments are not kept'],
        ['get.something', 'there is no such part'],
        ['broken', 'it is not readable'],
      ],
    );
    const [part] = request.parts;
    assert.equal(part?.startedAtNs, '1773532800123456000');
    assert.equal(part?.attributes['gen_ai.prompt'], '{"messages":[]}');
    assert.equal(part?.attributes['langsmith.metadata.session_id'], 's-1');
    assert.equal(request.scores[0]?.traceId, traceIdOf(UUID));
    assert.equal(request.scores[0]?.spanId, null);
  });

  it('a patch says what its path names, and where it stands by its order', () => {
    const child = 'fa11ab1e-0000-4000-8000-000000000001';
    const { parts } = read(
      { kind: 'langsmith-run', id: child },
      { trace_id: UUID, dotted_order: `${order}.20260315T000001000000Z${child}`, end_time: NOW + 2_000 },
    );
    assert.equal(parts[0]?.spanId, spanIdOf(child));
    assert.equal(parts[0]?.parentSpanId, spanIdOf(UUID));
    assert.equal(parts[0]?.startedAtNs, '1773532801000000000');
  });

  it('multipart: whatever the bytes, an error or parts, and never more parts than boundaries', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('--b', '\r\n', '--', 'Content-Disposition: form-data; name="x"', '\r\n\r\n', '{}', 'z'), {
          maxLength: 40,
        }),
        (pieces) => {
          const bytes = Buffer.from(pieces.join(''));
          try {
            assert.ok(readMultipart(bytes, 'b').length <= pieces.filter((piece) => piece === '--b').length);
          } catch (error) {
            assert.ok(error instanceof TypeError);
          }
        },
      ),
    );
  });

  it('multipart: what was put in comes out, also bytes that look like boundaries of others', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.stringMatching(/^[a-z.]{1,20}$/),
            fc.string().filter((text) => !text.includes('--b')),
          ),
          { minLength: 1, maxLength: 8 },
        ),
        (parts) => {
          const found = readMultipart(multipart(parts), 'b').map(({ name, body }) => [name, body.toString()]);
          assert.deepEqual(found, parts);
        },
      ),
    );
  });
});

describe('Opik batches', () => {
  it('reads traces, spans, ends and scores', () => {
    const what = (kind: 'traces' | 'spans', id: string | null = null): SdkFormat => ({ kind: 'opik-items', what: kind, id });
    const begun = read(what('traces'), { traces: [{ id: UUID, name: 'agent', start_time: AT, project_name: 'p' }, null] });
    assert.equal(begun.parts[0]?.spanId, spanIdOf(UUID));
    assert.equal(begun.rejected.length, 1);
    const ended = read(what('traces', UUID), { end_time: AT, output: { output: 'x' } });
    assert.equal(ended.parts[0]?.spanId, spanIdOf(UUID));
    const span = read(what('spans'), {
      spans: [{ id: 's', trace_id: UUID, start_time: AT, error_info: { exception_type: 'E', message: 'm' } }],
    });
    assert.equal(span.parts[0]?.parentSpanId, spanIdOf(UUID));
    assert.equal(span.parts[0]?.errorType, 'E');
    const scored = read(
      { kind: 'opik-scores', what: 'traces' },
      {
        scores: [
          { id: UUID, name: 'good', value: 0.5, reason: 'why' },
          { id: UUID, name: 'bad' },
        ],
      },
    );
    assert.equal(scored.scores[0]?.comment, 'why');
    assert.equal(scored.rejected.length, 1);
  });
});
