import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SseScanner } from './sse-scanner.ts';

interface Seen {
  readonly data: string;
  readonly name: string | null;
}

/** Feeds the parts and collects events and the raw bytes that were handed on. */
function scan(parts: readonly Buffer[], maxEventBytes = 10_000): { events: Seen[]; raw: string; isFine: boolean } {
  const events: Seen[] = [];
  const raw: Buffer[] = [];
  const scanner = new SseScanner(
    {
      onEvent(bytes, rawStart, rawEnd, data, start, end, name) {
        raw.push(Buffer.from(bytes.subarray(rawStart, rawEnd)));
        events.push({ data: data.toString('utf8', start, end), name });
        return true;
      },
      onComment: (bytes, start, end) => raw.push(Buffer.from(bytes.subarray(start, end))),
    },
    maxEventBytes,
  );
  const isFine = parts.every((part) => scanner.push(part));
  scanner.end();
  return { events, raw: Buffer.concat(raw).toString(), isFine };
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  // Copies, so that a scanner that held on to a chunk would be caught by the overwriting below.
  return sorted.slice(1).map((end, index) => Buffer.from(bytes.subarray(sorted[index], end)));
}

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const line = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab :{}"é'), maxLength: 12 }).map((text) => `data: ${text}`),
  fc.constantFrom(
    'data',
    'data:',
    'data:x',
    'event: error',
    'event',
    'id: 7',
    ': comment',
    ':',
    'retry: 5',
    'datax: no',
    'dat',
    'events: no',
    'foo',
  ),
);
const stream = fc
  .tuple(fc.constantFrom('', '\ufeff'), fc.array(fc.tuple(fc.oneof(line, fc.constant('')), lineEnd), { maxLength: 24 }))
  .map(([mark, lines]) => mark + lines.map(([text, end]) => text + end).join(''));

/** The specification's algorithm on the whole text. */
function reference(text: string): Seen[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  const events: Seen[] = [];
  let data: string[] = [];
  let name: string | null = null;
  const blankEnds = [...lines.slice(0, -1), ...(lines.at(-1) === '' ? [] : [lines.at(-1) ?? '']), ''];
  for (const entry of blankEnds) {
    if (entry === '') {
      if (data.length > 0) events.push({ data: data.join('\n'), name });
      data = [];
      name = null;
      continue;
    }
    const match = /^(data|event)(?::\x20?(.*))?$/s.exec(entry);
    if (match?.[1] === 'data') data.push(match[2] ?? '');
    else if (match?.[1] === 'event') name = match[2] ?? '';
  }
  return events;
}

describe('SseScanner', () => {
  it('finds the same events as the specification, cut anywhere', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 10 }), (text, places) => {
        assert.deepEqual(scan(cutAt(Buffer.from(text), places)).events, reference(text), JSON.stringify(text));
      }),
      { numRuns: 200 },
    );
  });

  it('gives the same result for every single cut and for one byte at a time', () => {
    const bytes = Buffer.from(': hi\r\n\r\nevent: error\rdata: {"a":1}\r\rdata: x\ndata: y\n\nid: 3\n\ndata: é [DONE]\r\n\r\n');
    const whole = scan([bytes]);
    assert.equal(whole.events.length, 3);
    assert.equal(whole.raw, bytes.toString());
    for (let place = 0; place <= bytes.length; place++) {
      const cut = scan([bytes.subarray(0, place), bytes.subarray(place)]);
      assert.deepEqual(cut.events, whole.events, `cut at ${place}`);
      // Cut within the last CRLF, the event is complete at its CR: the LF would come with the next event.
      assert.equal(cut.raw.trimEnd(), whole.raw.trimEnd(), `cut at ${place}`);
    }
    const single = scan([...bytes].map((byte) => Buffer.from([byte])));
    assert.deepEqual(single.events, whole.events);
  });

  it('hands on every byte of complete events exactly once', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 10 }), (text, places) => {
        const bytes = Buffer.from(`${text}\n\n`);
        assert.equal(scan(cutAt(bytes, places)).raw, bytes.toString());
      }),
      { numRuns: 200 },
    );
  });

  it('counts a last event whose blank line is missing', () => {
    assert.deepEqual(
      scan([Buffer.from('data: a\n\ndata: [DONE]')]).events.map((event) => event.data),
      ['a', '[DONE]'],
    );
  });

  it('gives up on an event that is longer than allowed', () => {
    assert.equal(scan([Buffer.from(`data: ${'x'.repeat(50)}`), Buffer.from('x'.repeat(100))], 100).isFine, false);
    assert.equal(scan([Buffer.from(`data: ${'x'.repeat(90)}\n\n`)], 100).isFine, true);
  });

  it('stops when the listener says so', () => {
    const seen: string[] = [];
    const scanner = new SseScanner(
      {
        onEvent(_raw, _start, _end, data, start, end) {
          seen.push(data.toString('utf8', start, end));
          return false;
        },
        onComment: () => {},
      },
      100,
    );
    scanner.push(Buffer.from('data: a\n\ndata: b\n\n'));
    scanner.push(Buffer.from('data: c\n\n'));
    assert.deepEqual(seen, ['a']);
  });
});
