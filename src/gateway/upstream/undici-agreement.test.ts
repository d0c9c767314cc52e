/** The same random answers to our client and to undici's: where we read an answer, undici reads the same one. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { Client } from 'undici';
import { CollectingHandler, type RawServer, startRawServer, TEST_HEADERS, testPool } from './testing.ts';

interface Scenario {
  /** As they are written, a turn of the event loop apart. */
  readonly parts: readonly Buffer[];
  readonly end: 'close' | 'reset' | 'stay';
}

interface Outcome {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

/** A success, or the reason of a failure. */
type Result = Outcome | string;

let server: RawServer;
const scenarios = new Map<string, Scenario>();
let scenarioCount = 0;

async function play(socket: Socket, { parts, end }: Scenario): Promise<void> {
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (end === 'close') socket.end();
  else if (end === 'reset') socket.write('', () => socket.resetAndDestroy());
  // Whoever still waits for more has to find out.
  else setTimeout(() => socket.end(), 20);
}

before(async () => {
  server = await startRawServer(({ head, socket }) => {
    const scenario = scenarios.get(/^POST (\S+)/.exec(head)?.[1] ?? '');
    if (scenario === undefined) socket.destroy();
    else void play(socket, scenario);
  });
});
after(() => server.close());

// A pool a request: a connection that the server is about to close must not meet the next scenario.
async function askOwn(path: string): Promise<Result> {
  const pool = testPool(server.origin);
  const handler = new CollectingHandler();
  pool.dispatch({ path, headers: TEST_HEADERS, extraHeaders: [], body: Buffer.from('{}') }, handler);
  await handler.done;
  pool.destroy();
  if (handler.error !== null) return `${handler.error.code}: ${handler.error.message}`;
  return { status: handler.status ?? 0, headers: handler.headers, body: handler.body };
}

/** llhttp leaves tabs at the end of a value, which are no part of it (RFC 9110 §5.5). */
function withoutTrailingSpace(value: string | string[] | undefined): unknown {
  return Array.isArray(value) ? value.map(withoutTrailingSpace) : value?.replace(/[ \t]+$/, '');
}

async function askUndici(path: string): Promise<Result> {
  const client = new Client(server.origin, { pipelining: 1, allowH2: false });
  const result = await new Promise<Result>((resolve) => {
    let status = 0;
    let headers = {};
    const chunks: Buffer[] = [];
    client.dispatch(
      { path, method: 'POST', headers: [...TEST_HEADERS], body: Buffer.from('{}') },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, code, list) => {
          if (code < 200) return;
          status = code;
          headers = Object.fromEntries(Object.entries(list).map(([name, value]) => [name, withoutTrailingSpace(value)]));
        },
        onResponseData: (_controller, chunk) => void chunks.push(chunk),
        onResponseEnd: () => resolve({ status, headers, body: Buffer.concat(chunks).toString('latin1') }),
        onResponseError: (_controller, error) => resolve(`${error.name}: ${error.message}`),
      },
    );
  });
  await client.destroy();
  return result;
}

async function askBoth(scenario: Scenario): Promise<{ ours: Result; theirs: Result }> {
  const path = `/${++scenarioCount}`;
  scenarios.set(path, scenario);
  const [ours, theirs] = await Promise.all([askOwn(path), askUndici(path)]);
  scenarios.delete(path);
  return { ours, theirs };
}

const token = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_!#$%&'*+.^`|~"), minLength: 1, maxLength: 12 });
const text = fc.string({ unit: fc.constantFrom(...'abc XYZ09:;,="/\t\x80\xe9\xff'), maxLength: 30 }).map((value) => value.trim());
const NOT_RANDOM = /^(content-length|transfer-encoding|connection|keep-alive|upgrade|trailer|proxy-connection)$/i;
const header = fc
  .tuple(
    fc.oneof(
      token,
      fc.constantFrom('Content-Type', 'x-request-id', 'Set-Cookie', 'set-cookie', 'DATE', '__proto__', 'constructor', 'toString'),
    ),
    fc.constantFrom('', ' ', '  ', '\t '),
    text,
    fc.constantFrom('', ' ', ' \t'),
  )
  .filter(([name]) => !NOT_RANDOM.test(name))
  .map(([name, before, value, behind]) => `${name}:${before}${value}${value === '' ? '' : behind}\r\n`);
const persistence = fc.constantFrom(
  '',
  '',
  'Connection: keep-alive\r\n',
  'connection: close\r\n',
  'Connection: Keep-Alive, foo\r\nKeep-Alive: timeout=5, max=3\r\n',
  'keep-alive: timeout=1\r\n',
);
const statusLine = fc
  .tuple(
    fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    fc.oneof(fc.constantFrom(200, 200, 204, 304, 400, 429, 500, 529), fc.integer({ min: 200, max: 999 })),
    fc.constantFrom('', ' ', ' OK', ' Too  Many\t(\xe9)'),
  )
  .map(([version, status, reason]) => `HTTP/${version} ${status}${reason}\r\n`);
const interim = fc.constantFrom('', '', '', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', 'HTTP/1.1 102 Processing\r\n\r\n');
const bodyText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab\r\n0;{}\0\xff'), maxLength: 60 }),
  fc.integer({ min: 0, max: 100_000 }).map((length) => 'z'.repeat(length)),
);
const extension = fc.constantFrom('', '', ';a', ';a=b', ';a="b c";d=e');

function chunked(body: string, sizes: readonly number[], extensions: readonly string[], trailers: readonly string[]): string {
  let rest = body;
  let framed = '';
  for (let index = 0; rest !== ''; index++) {
    const piece = rest.slice(0, Math.max(1, sizes[index] ?? rest.length));
    rest = rest.slice(piece.length);
    const size = piece.length.toString(16);
    framed += `${index % 2 === 1 ? size.toUpperCase().padStart(4, '0') : size}${extensions[index] ?? ''}\r\n${piece}\r\n`;
  }
  return `${framed}0${extensions[0] ?? ''}\r\n${trailers.join('')}\r\n`;
}

const framing = fc.oneof(
  bodyText.map((body) => ({ line: `Content-Length: ${body.length}\r\n`, bytes: body })),
  fc
    .tuple(
      bodyText,
      fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 12 }),
      fc.array(extension, { maxLength: 4 }),
      fc.array(header, { maxLength: 2 }),
    )
    .map(([body, sizes, extensions, trailers]) => ({
      line: 'Transfer-Encoding: chunked\r\n',
      bytes: chunked(body, sizes, extensions, trailers),
    })),
  bodyText.map((body) => ({ line: '', bytes: body })),
);
const head = fc.tuple(interim, statusLine, fc.array(header, { maxLength: 8 }), persistence, fc.nat());
const places = fc.array(fc.nat(), { maxLength: 6 });
const end = fc.constantFrom('close' as const, 'close' as const, 'stay' as const, 'reset' as const);

const answerBytes = fc.tuple(head, framing).map(([[before, status, headers, connection, place], { line, bytes }]) => {
  const list = [...headers];
  list.splice(place % (list.length + 1), 0, line, connection);
  return Buffer.from(`${before}${status}${list.join('')}\r\n${bytes}`, 'latin1');
});

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const sorted = [0, ...cuts.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).flatMap((stop, index) => (stop > (sorted[index] ?? 0) ? [bytes.subarray(sorted[index], stop)] : []));
}

const damage = fc.record({
  kind: fc.constantFrom('drop' as const, 'insert' as const, 'replace' as const, 'truncate' as const, 'repeat' as const),
  place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bytes: fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    ' ',
    ':',
    '0',
    '5',
    'f',
    ';',
    '\0',
    'x',
    '\x7f',
    ',',
    '-',
    'content-length: 3\r\n',
    'transfer-encoding: chunked\r\n',
    '\r\n\r\n',
  ),
  length: fc.integer({ min: 1, max: 4 }),
});

function damaged(
  bytes: Buffer,
  { kind, place, bytes: extra, length }: { kind: string; place: number; bytes: string; length: number },
): Buffer {
  // Mostly in the head and the first chunk, where it matters.
  const at = Math.floor(place * Math.min(bytes.length, 300));
  const before = bytes.subarray(0, at);
  switch (kind) {
    case 'drop':
      return Buffer.concat([before, bytes.subarray(at + length)]);
    case 'insert':
      return Buffer.concat([before, Buffer.from(extra), bytes.subarray(at)]);
    case 'replace':
      return Buffer.concat([before, Buffer.from(extra), bytes.subarray(at + extra.length)]);
    case 'repeat':
      return Buffer.concat([before, bytes.subarray(at, at + 20), bytes.subarray(at)]);
    default:
      return before;
  }
}

/** Our failures where undici reads on: what we do not want to read leniently. */
const STRICTER =
  /does not begin with HTTP\/1|status line is malformed|not just "chunked"|switches protocols|does not end in CR LF|longer than|larger than can be/;

const RUNS = Number(process.env.FUZZ_RUNS ?? 300);

describe('our client and undici', () => {
  it('read the same from every proper answer, however it is framed and cut', async () => {
    await fc.assert(
      fc.asyncProperty(answerBytes, places, end, async (bytes, cuts, how) => {
        const { ours, theirs } = await askBoth({ parts: cutAt(bytes, cuts), end: how });
        if (typeof ours === 'string' || typeof theirs === 'string') {
          // A reset may overtake what was sent before it.
          if (how === 'reset') return;
          assert.equal(typeof ours, typeof theirs, `ours: ${JSON.stringify(ours)} theirs: ${JSON.stringify(theirs)}`);
        } else assert.deepEqual(ours, theirs);
      }),
      { numRuns: RUNS },
    );
  });

  it('agree on damaged answers: what we accept, undici accepts as the same answer', async () => {
    await fc.assert(
      fc.asyncProperty(answerBytes, fc.array(damage, { minLength: 1, maxLength: 2 }), places, async (bytes, damages, cuts) => {
        const broken = damages.reduce(damaged, bytes);
        const { ours, theirs } = await askBoth({ parts: cutAt(broken, cuts), end: 'close' });
        const both = `ours: ${JSON.stringify(ours)} theirs: ${JSON.stringify(theirs)}`;
        if (typeof ours !== 'string') assert.deepEqual(ours, theirs, both);
        else if (typeof theirs !== 'string') assert.match(ours, STRICTER, both);
      }),
      { numRuns: RUNS },
    );
  });
});
