import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contentHash, newSecret, newSpanId, newTraceId, newUuidV7, parseTraceparent } from './ids.ts';

describe('ids', () => {
  it('makes W3C ids and UUIDv7 that sort by time and never repeat', () => {
    const traces = new Set(Array.from({ length: 2_000 }, newTraceId));
    const spans = new Set(Array.from({ length: 2_000 }, newSpanId));
    assert.equal(traces.size + spans.size, 4_000);
    for (const id of traces) assert.match(id, /^[0-9a-f]{32}$/);
    for (const id of spans) assert.match(id, /^[0-9a-f]{16}$/);
    const uuids = Array.from({ length: 2_000 }, (_, index) => newUuidV7(1_700_000_000_000 + index));
    for (const id of uuids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual([...uuids].sort(), uuids);
    assert.equal(Number.parseInt(uuids[0]?.replaceAll('-', '').slice(0, 12) ?? '', 16), 1_700_000_000_000);
  });

  it('reads traceparent as the W3C says: malformed ones start a new trace, later versions may be longer', () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const span = '00f067aa0ba902b7';
    assert.deepEqual(parseTraceparent(`00-${trace}-${span}-01`), { traceId: trace, parentSpanId: span, sampled: true });
    assert.equal(parseTraceparent(`00-${trace}-${span}-00`)?.sampled, false);
    assert.equal(parseTraceparent(`01-${trace}-${span}-01-future`)?.traceId, trace);
    for (const wrong of [
      undefined,
      '',
      `00-${trace}-${span}-01-x`,
      `ff-${trace}-${span}-01`,
      `00-${'0'.repeat(32)}-${span}-01`,
      `00-${trace}-${'0'.repeat(16)}-01`,
      `00-${trace.toUpperCase()}-${span}-01`,
      `00-${trace}-${span}`,
    ])
      assert.equal(parseTraceparent(wrong), null, String(wrong));
  });

  it('hashes content and makes secrets', () => {
    assert.equal(contentHash('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    assert.notEqual(newSecret(), newSecret());
    assert.equal(Buffer.from(newSecret(), 'base64url').length, 32);
  });
});
