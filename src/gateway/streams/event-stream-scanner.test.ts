import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventStreamCodec, Int64 } from '@smithy/eventstream-codec';
import fc from 'fast-check';
import { eventFrame, exceptionFrame, frame } from '../providers/bedrock/testing.ts';
import { EventStreamScanner } from './event-stream-scanner.ts';

interface Seen {
  readonly name: string | null;
  readonly data: string;
}

function scan(pieces: readonly Buffer[], maxEventBytes = 1 << 20): { seen: Seen[]; problem: string } {
  const seen: Seen[] = [];
  const scanner = new EventStreamScanner(
    {
      onEvent(_raw, _start, _end, data, start, end, name) {
        seen.push({ name, data: data.toString('utf8', start, end) });
        return true;
      },
      onComment() {},
    },
    maxEventBytes,
  );
  let goesOn = true;
  for (const piece of pieces) goesOn = scanner.push(Buffer.from(piece));
  assert.equal(goesOn, scanner.problem === '');
  return { seen, problem: scanner.problem };
}

/** AWS's own codec. */
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')),
  (text) => Buffer.from(text),
);

/** Headers of every type besides text. */
const OTHER_HEADERS: Parameters<EventStreamCodec['formatHeaders']>[0] = {
  yes: { type: 'boolean', value: true },
  no: { type: 'boolean', value: false },
  byte: { type: 'byte', value: -1 },
  short: { type: 'short', value: 300 },
  integer: { type: 'integer', value: 70_000 },
  long: { type: 'long', value: Int64.fromNumber(7) },
  binary: { type: 'binary', value: Buffer.from('bytes') },
  timestamp: { type: 'timestamp', value: new Date(0) },
  uuid: { type: 'uuid', value: '01234567-89ab-cdef-0123-456789abcdef' },
};

describe('AWS event stream', () => {
  it('reads what AWS’s own codec writes, in any pieces', () => {
    const event = fc.record({
      name: fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' }),
      data: fc.string({ unit: 'grapheme', maxLength: 200 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), fc.array(fc.nat(2000), { maxLength: 12 }), (events, cuts) => {
        const written = events.map(({ name, data }) => {
          const headers = { ...OTHER_HEADERS, ':event-type': { type: 'string' as const, value: name } };
          return Buffer.from(codec.encode({ headers, body: Buffer.from(data) }));
        });
        const bytes = Buffer.concat(written);
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        assert.deepEqual(scan(pieces), { seen: events.map((entry) => ({ ...entry })), problem: '' });
      }),
    );
  });

  it('writes frames for tests as AWS’s own codec does', () => {
    const headers = { ':event-type': { type: 'string' as const, value: 'größe' }, a: { type: 'string' as const, value: '' } };
    const theirs = codec.encode({ headers, body: Buffer.from('{"a":1}') });
    assert.deepEqual(frame({ ':event-type': 'größe', a: '' }, '{"a":1}'), Buffer.from(theirs));
  });

  it('names exceptions and errors', () => {
    assert.deepEqual(scan([exceptionFrame('throttlingException', 'slow')]).seen, [
      { name: 'exception:throttlingException', data: '{"message":"slow"}' },
    ]);
    assert.equal(scan([frame({ ':message-type': 'error', ':error-code': 'Oops' }, '')]).seen[0]?.name, 'error:Oops');
    assert.equal(scan([frame({}, 'x')]).seen[0]?.name, null);
  });

  it('notices every flipped bit', () => {
    const good = eventFrame('contentBlockDelta', { delta: { text: 'A load line' } });
    for (let byte = 0; byte < good.length; byte++)
      for (let bit = 0; bit < 8; bit++) {
        const bad = Buffer.from(good);
        bad[byte] = (bad[byte] as number) ^ (1 << bit);
        const { seen, problem } = scan([bad, good]);
        assert.deepEqual(seen, [], `byte ${byte}`);
        assert.match(problem, /checksum/);
      }
  });

  it('stops at a frame that is too long or lies about its headers, and keeps nothing of a tail', () => {
    assert.match(scan([eventFrame('a', 'x'.repeat(300))], 200).problem, /more than 200 bytes/);
    const tail = scan([eventFrame('a', '1'), eventFrame('b', '2').subarray(0, -1)]);
    assert.deepEqual(tail, { seen: [{ name: 'a', data: '1' }], problem: '' });
  });

  it('stops when the listener has what it wanted', () => {
    let count = 0;
    const scanner = new EventStreamScanner({ onEvent: () => ++count < 1, onComment() {} }, 1 << 20);
    assert.equal(scanner.push(Buffer.concat([eventFrame('a', '1'), eventFrame('b', '2')])), true);
    assert.equal(count, 1);
  });
});
