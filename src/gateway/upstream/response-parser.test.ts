import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HeaderNames } from '../http1/header-names.ts';
import { MAX_HEAD_BYTES, MAX_HEADERS, ResponseParser } from './response-parser.ts';

interface Seen {
  readonly heads: readonly { readonly status: number; readonly headers: Record<string, unknown> }[];
  readonly body: string;
  readonly isComplete: boolean;
  readonly canReuse: boolean;
  readonly keepAliveMs: number | null;
  readonly hasFailed: boolean;
}

const names = new HeaderNames();

/** Feeds the parts through one buffer that is overwritten after each push, as the sockets' is, then closes if asked to. */
function parse(parts: readonly Buffer[], closes = false, parser = new ResponseParser(names)): Seen {
  const shared = Buffer.alloc(Math.max(1, ...parts.map((part) => part.length)));
  const heads: { status: number; headers: Record<string, unknown> }[] = [];
  const body: Buffer[] = [];
  for (const part of parts) {
    part.copy(shared);
    parser.push(shared, part.length);
    shared.fill('x');
    if (parser.hasHead) heads.push({ status: parser.status, headers: { ...parser.headers } });
    if (parser.body !== null) {
      assert.ok(parser.body.length > 0);
      body.push(parser.body);
    }
  }
  if (closes) parser.end();
  const { isComplete, canReuse, keepAliveMs } = parser;
  return { heads, body: Buffer.concat(body).toString('latin1'), isComplete, canReuse, keepAliveMs, hasFailed: parser.error !== null };
}

function parseText(text: string, closes = false): Seen {
  return parse([Buffer.from(text, 'latin1')], closes);
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).flatMap((end, index) => (end > (sorted[index] ?? 0) ? [bytes.subarray(sorted[index], end)] : []));
}

const OK = 'HTTP/1.1 200 OK\r\n';

/** Answer, whether the server closes after it, what is read. */
const ANSWERS: readonly [name: string, text: string, closes: boolean, expected: Partial<Seen> & { head?: Record<string, unknown> }][] = [
  [
    'a body of a known length',
    `${OK}Content-Type: application/json\r\nX-Request-Id:req_1  \r\ncontent-length: 5\r\n\r\nhello`,
    false,
    { head: { 'content-type': 'application/json', 'x-request-id': 'req_1', 'content-length': '5' }, body: 'hello', canReuse: true },
  ],
  ['an empty body', `${OK}content-length: 0\r\n\r\n`, false, { body: '', isComplete: true, canReuse: true }],
  [
    'chunks, extensions and trailers',
    `${OK}Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n6;name=value;other="x y"\r\n world\r\n0A\r\n0123456789\r\n000\r\nx-trailer: 1\r\ncontent-length: 9\r\n\r\n`,
    false,
    { head: { 'transfer-encoding': 'Chunked' }, body: 'hello world0123456789', isComplete: true, canReuse: true },
  ],
  ['chunks without trailers', `${OK}transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`, false, { body: 'a', canReuse: true }],
  ['a body that ends with the connection', `${OK}content-type: text/plain\r\n\r\nall of it`, true, { body: 'all of it', canReuse: false }],
  ['no body because of the status', `HTTP/1.1 204 No Content\r\nx: y\r\n\r\n`, false, { body: '', isComplete: true, canReuse: true }],
  ['a 304 that names a length', `HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n`, false, { isComplete: true, canReuse: false }],
  ['connection: close', `${OK}connection: foo, Close\r\ncontent-length: 1\r\n\r\na`, false, { body: 'a', canReuse: false }],
  ['HTTP/1.0', `HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na`, false, { body: 'a', canReuse: false }],
  [
    'HTTP/1.0 that stays open',
    `HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\nkeep-alive: max=5, timeout=7\r\ncontent-length: 1\r\n\r\na`,
    false,
    { body: 'a', canReuse: true, keepAliveMs: 7000 },
  ],
  [
    'HTTP/1.0 with chunks',
    `HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    false,
    { canReuse: false },
  ],
  ['no reason phrase', `HTTP/1.1 429\r\ncontent-length: 0\r\n\r\n`, false, { canReuse: true }],
  ['an empty reason phrase', `HTTP/1.1 503 \r\ncontent-length: 0\r\n\r\n`, false, { canReuse: true }],
  [
    'interim answers before it',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\nconnection: close\r\n\r\n${OK}content-length: 1\r\n\r\na`,
    false,
    { head: { 'content-length': '1' }, body: 'a', canReuse: true },
  ],
  [
    'repeated and odd headers',
    `${OK}set-cookie: a\r\nSET-COOKIE: b\r\nset-cookie: c\r\n__proto__: p\r\nconstructor: q\r\nempty:\r\nlatin: caf\xe9\ttab\r\ncontent-length: 0\r\n\r\n`,
    false,
    {
      head: {
        'set-cookie': ['a', 'b', 'c'],
        ['__proto__']: 'p',
        constructor: 'q',
        empty: '',
        latin: 'caf\xe9\ttab',
        'content-length': '0',
      },
    },
  ],
  ['bytes after its end', `${OK}content-length: 1\r\n\r\na${OK}`, false, { body: 'a', isComplete: true, canReuse: false }],
  ['bytes after its last chunk', `${OK}transfer-encoding: chunked\r\n\r\n0\r\n\r\n\r\n`, false, { isComplete: true, canReuse: false }],
];

const MALFORMED: readonly [name: string, text: string][] = [
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['an unknown minor version', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['a blank line before it', `\r\n${OK}\r\n`],
  ['two digits of status', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['four digits of status', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['a status that is no number', 'HTTP/1.1 2x0 OK\r\n\r\n'],
  ['no space before the status', 'HTTP/1.1200 OK  \r\n\r\n'],
  ['a reason phrase with NUL', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n'],
  ['a status line that ends in LF', 'HTTP/1.1 200 OK\ncontent-length: 0\r\n\r\n'],
  ['a header that ends in LF', `${OK}content-length: 0\n\r\n`],
  ['a header with a bare CR', `${OK}x: a\rb\r\n\r\n`],
  ['a head that ends in LF', `${OK}content-length: 0\r\n\n`],
  ['a NUL in a value', `${OK}x: a\0b\r\n\r\n`],
  ['a DEL in a value', `${OK}x: a\x7fb\r\n\r\n`],
  ['a space in a name', `${OK}x y: a\r\n\r\n`],
  ['a space before the colon', `${OK}content-length : 1\r\n\r\na`],
  ['a name of no bytes', `${OK}: a\r\n\r\n`],
  ['a name with high bytes', `${OK}caf\xe9: a\r\n\r\n`],
  ['no colon', `${OK}content-length\r\n\r\n`],
  ['a folded header', `${OK}x: a\r\n b\r\ncontent-length: 0\r\n\r\n`],
  ['a length with a sign', `${OK}content-length: +1\r\n\r\na`],
  ['a negative length', `${OK}content-length: -1\r\n\r\na`],
  ['a list of lengths', `${OK}content-length: 1, 1\r\n\r\na`],
  ['an empty length', `${OK}content-length:\r\n\r\na`],
  ['a hexadecimal length', `${OK}content-length: 0x1\r\n\r\na`],
  ['a length with a fraction', `${OK}content-length: 1.0\r\n\r\na`],
  ['a length beyond reason', `${OK}content-length: 9999999999999999\r\n\r\na`],
  ['two lengths', `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nab`],
  ['the same length twice', `${OK}content-length: 1\r\ncontent-length: 1\r\n\r\na`],
  ['length, then encoding', `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['encoding, then length', `${OK}transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n0\r\n\r\n`],
  ['both on a status without a body', `HTTP/1.1 204 No\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n`],
  ['an unknown encoding', `${OK}transfer-encoding: gzip\r\n\r\n`],
  ['a list of encodings', `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['an encoding twice', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['an encoding that looks like one', `${OK}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['a chunk without a size', `${OK}transfer-encoding: chunked\r\n\r\n\r\n`],
  ['a chunk of a size that is no number', `${OK}transfer-encoding: chunked\r\n\r\ng\r\na\r\n0\r\n\r\n`],
  ['a chunk with 0x', `${OK}transfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n`],
  ['a chunk with a sign', `${OK}transfer-encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n`],
  ['a space after the size', `${OK}transfer-encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n`],
  ['a size that ends in LF', `${OK}transfer-encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n`],
  ['an extension with a bare LF', `${OK}transfer-encoding: chunked\r\n\r\n1;a\nb\r\na\r\n0\r\n\r\n`],
  ['a chunk that is longer than it says', `${OK}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
  ['a chunk that ends in LF', `${OK}transfer-encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n`],
  ['a chunk of 2^53 bytes', `${OK}transfer-encoding: chunked\r\n\r\n20000000000000\r\na\r\n`],
  ['a chunk of 2^64 + 1 bytes', `${OK}transfer-encoding: chunked\r\n\r\n10000000000000001\r\na\r\n`],
  ['an extension beyond reason', `${OK}transfer-encoding: chunked\r\n\r\n1;${'e'.repeat(5000)}\r\na\r\n0\r\n\r\n`],
  ['a malformed trailer', `${OK}transfer-encoding: chunked\r\n\r\n0\r\nbad trailer: 1\r\n\r\n`],
];

function headers(count: number, length = 1): string {
  return Array.from({ length: count }, (_, index) => `x-${index}: ${'v'.repeat(length)}\r\n`).join('');
}

describe('ResponseParser', () => {
  for (const [name, text, closes, { head, ...expected }] of ANSWERS) {
    it(`reads ${name}`, () => {
      const seen = parseText(text, closes);
      assert.equal(seen.hasFailed, false);
      assert.equal(seen.isComplete, true);
      assert.equal(seen.heads.length, 1);
      if (head !== undefined) assert.deepEqual(seen.heads[0]?.headers, head);
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(seen[key as keyof Seen], value, key);
    });
  }

  it('reads the same whatever the cuts', () => {
    for (const [name, text, closes] of [...ANSWERS, ...MALFORMED.map(([what, bytes]) => [what, bytes, false] as const)]) {
      const bytes = Buffer.from(text, 'latin1');
      const whole = parse([bytes], closes);
      const single = parse(
        Array.from(bytes, (byte) => Buffer.of(byte)),
        closes,
      );
      assert.deepEqual(single, whole, `${name}, byte by byte`);
      if (bytes.length > 1000) continue;
      for (let place = 1; place < bytes.length; place++) {
        assert.deepEqual(parse(cutAt(bytes, [place]), closes), whole, `${name}, cut at ${place}`);
      }
    }
    const answer = fc.constantFrom(...ANSWERS);
    fc.assert(
      fc.property(answer, fc.array(fc.nat(), { maxLength: 8 }), ([, text, closes], places) => {
        assert.deepEqual(parse(cutAt(Buffer.from(text, 'latin1'), places), closes), parseText(text, closes));
      }),
      { numRuns: 2000 },
    );
  });

  for (const [name, text] of MALFORMED) {
    it(`refuses ${name}`, () => {
      const seen = parseText(text);
      assert.equal(seen.hasFailed, true);
      assert.equal(seen.isComplete, false);
      assert.equal(seen.canReuse, false);
    });
  }

  it('is not complete before its last byte', () => {
    for (const [name, text, closes] of ANSWERS) {
      if (closes || name.startsWith('bytes after')) continue;
      const bytes = Buffer.from(text, 'latin1');
      for (let length = 0; length < bytes.length; length++) {
        const seen = parse([bytes.subarray(0, length)], true);
        assert.equal(seen.isComplete, false, `${name}, ended after ${length} bytes`);
      }
    }
  });

  it('reads one answer after the other, with nothing left of the one before', () => {
    const parser = new ResponseParser(names);
    for (const [name, text, closes] of ANSWERS) {
      assert.deepEqual(parse([Buffer.from(text, 'latin1')], closes, parser), parseText(text, closes), name);
      parser.reset();
      assert.equal(parser.hasBytes, false);
      // Also when the one before was given up in the middle of a line.
      parser.push(Buffer.from('HTTP/1.1 200 OK\r\nx-unfini'), 25);
      parser.reset();
    }
  });

  it('takes heads up to its limits and not beyond', () => {
    const end = 'content-length: 0\r\n\r\n';
    assert.equal(parseText(OK + headers(MAX_HEADERS - 1) + end).isComplete, true);
    assert.equal(parseText(OK + headers(MAX_HEADERS) + end).hasFailed, true);
    const room = MAX_HEAD_BYTES - OK.length - end.length - 'x-0: \r\n'.length;
    for (const cut of [[], [room >> 1], [10, 20, 5000]]) {
      const fitting = Buffer.from(OK + headers(1, room) + end);
      assert.equal(fitting.length, MAX_HEAD_BYTES);
      assert.equal(parse(cutAt(fitting, cut)).isComplete, true);
      assert.equal(parse(cutAt(Buffer.from(OK + headers(1, room + 1) + end), cut)).hasFailed, true);
    }
    // Interim answers and trailers count too, and so does a line that never ends.
    assert.equal(parseText(`HTTP/1.1 103 Early\r\nlink: ${'l'.repeat(40_000)}\r\n\r\n`.repeat(2)).hasFailed, true);
    assert.equal(parseText(`${OK}transfer-encoding: chunked\r\n\r\n0\r\n${headers(MAX_HEADERS)}`).hasFailed, true);
    const endless = [Buffer.from(`${OK}x: `), ...Array.from({ length: 70 }, () => Buffer.alloc(1000, 'v'))];
    assert.equal(parse(endless).hasFailed, true);
  });

  it('keeps header names apart that share a slot, a length or a beginning', () => {
    const many = Array.from({ length: 3000 }, (_, index) => `h${index.toString(36)}`);
    for (let start = 0; start < many.length; start += 100) {
      const part = many.slice(start, start + 100);
      const seen = parseText(`${OK}${part.map((name) => `${name.toUpperCase()}: ${name}\r\n`).join('')}content-length: 0\r\n\r\n`);
      for (const name of part) assert.equal(seen.heads[0]?.headers[name], name);
    }
  });
});
