/** Random conversations of a client with a server: sequences of requests, most of them proper, some of them not. */
import fc from 'fast-check';

/** Ends every conversation that the server has followed to its end. */
export const LAST = 'POST /last HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

export function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const sorted = [0, ...cuts.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).flatMap((stop, index) => (stop > (sorted[index] ?? 0) ? [bytes.subarray(sorted[index], stop)] : []));
}

/** The first choice mostly. */
function mostly<T>(usual: fc.Arbitrary<T>, ...rare: fc.Arbitrary<T>[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 20, arbitrary: usual }, ...rare.map((arbitrary) => ({ weight: 1, arbitrary })));
}

const token = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_!#$%&'*+.^`|~"), minLength: 1, maxLength: 12 });
const plainText = fc.string({ unit: fc.constantFrom(...'abc XYZ09:;,="/\t{}'), maxLength: 30 });
const anyText = fc.string({ unit: fc.constantFrom(...'ab \t\x80\xe9\xff\x7f\0\x01\x1b'), maxLength: 6 });
const space = fc.constantFrom(' ', '', '  ', '\t', ' \t ');

const method = mostly(fc.constant('POST'), fc.constantFrom('GET', 'PUT', 'DELETE', 'OPTIONS', 'post', 'POS', 'PO ST', '', 'PRI', 'QUERY'));
const target = mostly(
  fc.constantFrom('/', '/late', '/stream', '/pull', '/early', '/pull/late', '/pull/stream', '/v1/a?b=c&d', '//x/../y', '/close'),
  fc.constantFrom(
    '/forward',
    '/forward/late',
    '/a#b',
    '/%00',
    '/a"b<c>{}|^`\\',
    'http://other/late',
    '*',
    '',
    '/\xe9',
    '/a b',
    '/\x7f',
    'x',
  ),
);
const version = mostly(
  fc.constant(' HTTP/1.1\r\n'),
  fc.constantFrom(
    ' HTTP/1.0\r\n',
    ' HTTP/1.2\r\n',
    ' HTTP/2.0\r\n',
    ' HTTP/0.9\r\n',
    ' http/1.1\r\n',
    '  HTTP/1.1\r\n',
    ' HTTP/1.1\n',
    '\r\n',
  ),
);
const headerName = fc.oneof(
  token,
  fc.constantFrom(
    'Content-Type',
    'content-type',
    'X-A',
    'x-a',
    'cookie',
    'Set-Cookie',
    'accept',
    'Accept',
    'user-agent',
    'TE',
    'Keep-Alive',
  ),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'age', 'from', 'authorization', 'Host', 'max-forwards'),
);
const FRAMING = /^(content-length|transfer-encoding|connection|upgrade|trailer|expect|host)$/i;
const header = mostly(
  fc
    .tuple(headerName, space, plainText, fc.constantFrom('', ' ', ' \t'))
    .filter(([name]) => !FRAMING.test(name))
    .map((parts) => [parts[0], ':', ...parts.slice(1), '\r\n'].join('')),
  fc.tuple(headerName, anyText).map(([name, value]) => `${name}: ${value}\r\n`),
  fc.constantFrom(
    'a: b\n',
    'a: b\r',
    'a : b\r\n',
    ' a: b\r\n',
    'a\r\n',
    ': b\r\n',
    'a: b\r\n c\r\n',
    'a: b\r\n\tc\r\n',
    '\xe9: a\r\n',
    'a;b: c\r\n',
  ),
  fc.integer({ min: 16_000, max: 17_000 }).map((length) => `x-long: ${'y'.repeat(length)}\r\n`),
  fc.integer({ min: 90, max: 110 }).map((count) => Array.from({ length: count }, (_, index) => `x-${index}: 1\r\n`).join('')),
);
const host = mostly(
  fc.constantFrom('host: test\r\n', 'Host: test:1\r\n', 'HOST:test\r\n'),
  fc.constantFrom('', 'host:\r\n', 'host: a\r\nhost: a\r\n', 'host: a b/c@d\r\n'),
);
const connection = mostly(
  fc.constantFrom('', '', 'connection: keep-alive\r\n', 'Connection: Keep-Alive\r\n'),
  fc.constantFrom('connection: close\r\n', 'Connection: CLOSE\r\n', 'connection: close \r\n', 'connection: keep-alive, close\r\n'),
  fc.constantFrom(
    'connection:\r\n',
    'connection: x-a\r\n',
    'connection: upgrade\r\nupgrade: h2c\r\n',
    'upgrade: websocket\r\n',
    'proxy-connection: close\r\n',
  ),
  fc.constantFrom(
    'expect: 100-continue\r\n',
    'Expect: 200-ok\r\n',
    'trailer: x\r\n',
    'http2-settings: a\r\n',
    'connection: close\r\nconnection: keep-alive\r\n',
  ),
);
const body = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab\r\n0;{}\0\xff'), maxLength: 60 }),
  fc.constantFrom('', 'POST / HTTP/1.1\r\nhost: inner\r\ncontent-length: 0\r\n\r\n', '0\r\n\r\n'),
  fc.integer({ min: 0, max: 200_000 }).map((length) => 'z'.repeat(length)),
);

function chunked(text: string, sizes: readonly number[]): string {
  let rest = text;
  let framed = '';
  for (let index = 0; rest !== ''; index++) {
    const piece = rest.slice(0, Math.max(1, sizes[index] ?? rest.length));
    rest = rest.slice(piece.length);
    framed += `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }
  return `${framed}0\r\n\r\n`;
}

const framed = (lines: (length: number) => string) => body.map((text) => ({ lines: lines(text.length), bytes: text }));
const framing = mostly(
  fc
    .constantFrom<(length: number) => string>(
      (length) => `content-length: ${length}\r\n`,
      (length) => `Content-Length:${length} \t\r\n`,
    )
    .chain(framed),
  fc.tuple(body, fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 5 })).map(([text, sizes]) => ({
    lines: 'transfer-encoding: chunked\r\n',
    bytes: chunked(text, sizes),
  })),
  fc
    .constantFrom<(length: number) => string>(
      (length) => `content-length: 00${length}\r\n`,
      (length) => `content-length: +${length}\r\n`,
      (length) => `content-length: ${length}, ${length}\r\n`,
      (length) => `content-length: ${length}\r\ncontent-length: ${length}\r\n`,
      (length) => `content-length: ${length}\r\nContent-Length: ${length + 1}\r\n`,
      (length) => `content-length: ${length}\r\ntransfer-encoding: chunked\r\n`,
      (length) => `transfer-encoding: identity\r\ncontent-length: ${length}\r\n`,
      (length) => `content-length: ${length + 3}\r\n`,
      (length) => `content-length: ${Math.max(0, length - 1)}\r\n`,
      (length) => `content-length: 0x${length.toString(16)}\r\n`,
      (length) => `content-length: ${length}.0\r\n`,
      (length) => `content-length : ${length}\r\n`,
      (length) => `content_length: ${length}\r\n`,
      () => 'content-length: 99999999999999999999\r\n',
      () => 'content-length:\r\n',
      () => 'content-length: -1\r\n',
      () => '',
    )
    .chain(framed),
);

const request = fc
  .tuple(method, target, version, host, fc.array(header, { maxLength: 4 }), connection, framing, fc.nat())
  .map(([verb, url, protocol, hostLines, headers, persistence, { lines, bytes }, place]) => {
    const list = [hostLines, ...headers, persistence];
    list.splice(place % (list.length + 1), 0, lines);
    return `${verb} ${url}${protocol}${list.join('')}\r\n${bytes}`;
  });
const between = mostly(fc.constant(''), fc.constantFrom('\r\n', '\n', '\r', ' ', 'x'));
export const conversation = fc
  .array(fc.tuple(request, between), { minLength: 1, maxLength: 4 })
  .map((list) => Buffer.from(`${list.flat().join('')}${LAST}`, 'latin1'));
export const places = fc.array(fc.nat(), { maxLength: 6 });
export const damage = fc.record({
  kind: fc.constantFrom('drop' as const, 'insert' as const, 'replace' as const, 'repeat' as const),
  place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bytes: fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    ' ',
    ':',
    '0',
    '5',
    '\0',
    'x',
    '\x7f',
    ',',
    '\t',
    'content-length: 3\r\n',
    'transfer-encoding: chunked\r\n',
    '\r\n\r\n',
  ),
  length: fc.integer({ min: 1, max: 4 }),
});

export function damaged(
  bytes: Buffer,
  { kind, place, bytes: extra, length }: { kind: string; place: number; bytes: string; length: number },
): Buffer {
  const at = Math.floor(place * Math.min(bytes.length, 400));
  const before = bytes.subarray(0, at);
  if (kind === 'drop') return Buffer.concat([before, bytes.subarray(at + length)]);
  if (kind === 'insert') return Buffer.concat([before, Buffer.from(extra), bytes.subarray(at)]);
  if (kind === 'replace') return Buffer.concat([before, Buffer.from(extra), bytes.subarray(at + extra.length)]);
  return Buffer.concat([before, bytes.subarray(at, at + 20), bytes.subarray(at)]);
}
