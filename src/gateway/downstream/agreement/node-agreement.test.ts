/** The same bytes to a front door and to node:http alone: the handler sees the same requests, and the client reads the same answers. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { ClientRequest, ClientResponse } from '../client-exchange.ts';
import {
  answerText,
  type Handle,
  nextTurn,
  openClient,
  type ReadAnswer,
  readAll,
  readAnswers,
  startServer,
  type TestServer,
} from '../testing.ts';
import { conversation, cutAt, damage, damaged, LAST, places } from './testing.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Record<string, unknown>;
  /** Null = it was not read, or did not come to its end. */
  body: string | null;
}

interface Result {
  readonly seen: Seen[];
  readonly answers: readonly ReadAnswer[];
  /** Behind the last complete answer. */
  readonly rest: string;
  /** By the server. */
  readonly isClosed: boolean;
}

const UNREADABLE = 'unreadable';
/** How many turns of the event loop a client waits for more: all of it happens in this process. */
const QUIET_TURNS = 40;

let door: TestServer;
let plain: TestServer;
let seenByDoor: Seen[] = [];
let seenByNode: Seen[] = [];

/** What becomes of a request is in its URL. */
function respond(request: ClientRequest, response: ClientResponse, entry: Seen): void {
  const url = request.url ?? '';
  if (url.includes('early')) {
    answerText(response, `early ${url}`);
    return;
  }
  const answer = (body: Buffer): void => {
    entry.body = body.toString('latin1');
    const text = `${url} ${body.length} ${entry.body.slice(0, 50)}`;
    if (url.includes('stream')) void stream(response, text);
    else if (url.includes('late')) setImmediate(() => answerText(response, text));
    else if (url.includes('close')) {
      response.writeHead(429, ['connection', 'close', 'content-length', '4']);
      response.write('');
      response.write('ga');
      response.end(Buffer.from('te'));
    } else answerText(response, text, 201);
  };
  if (url.includes('pull')) setImmediate(() => readAll(request, answer));
  else readAll(request, answer);
}

async function stream(response: ClientResponse, text: string): Promise<void> {
  response.writeHead(200, ['x-note', 'a\tb \xe9']);
  for (const piece of [text, '', 'x'.repeat(20_000), 'end']) {
    response.write(Buffer.from(piece, 'latin1'));
    await nextTurn();
  }
  response.end();
}

function noting(seen: () => Seen[]): Handle {
  return (request, response) => {
    const entry: Seen = { method: request.method, url: request.url, headers: { ...request.headers }, body: null };
    seen().push(entry);
    respond(request, response, entry);
  };
}

before(async () => {
  const takes = (url: string): boolean => !url.includes('forward');
  door = await startServer(
    noting(() => seenByDoor),
    { takes },
  );
  plain = await startServer(
    noting(() => seenByNode),
    { hasDoor: false },
  );
});
after(() => Promise.all([door.close(), plain.close()]));

async function exchange(port: number, parts: readonly Buffer[]): Promise<Omit<Result, 'seen'>> {
  const client = await openClient(port);
  await client.play(parts);
  for (let bytes = -1; !client.isClosed && bytes !== client.receivedBytes(); ) {
    bytes = client.receivedBytes();
    for (let turn = 0; turn < QUIET_TURNS && bytes === client.receivedBytes() && !client.isClosed; turn++) await nextTurn();
  }
  const { isClosed } = client;
  client.socket.destroy();
  const { answers, rest } = readWhatIsThere(client.text());
  return { answers: answers.map(({ status, headers: { date: _date, ...headers }, body }) => ({ status, headers, body })), rest, isClosed };
}

/** node:http 26 itself puts `100 Continue` between head and body of an answer that waits for the one before it. */
function readWhatIsThere(text: string): ReturnType<typeof readAnswers> {
  try {
    return readAnswers(text);
  } catch (error) {
    if (!text.includes('HTTP/1.1 100 Continue')) throw error;
    return { answers: [], rest: UNREADABLE };
  }
}

async function play(parts: readonly Buffer[]): Promise<{ ours: Result; theirs: Result }> {
  seenByDoor = [];
  seenByNode = [];
  const [ours, theirs] = await Promise.all([exchange(door.port, parts), exchange(plain.port, parts)]);
  // Nothing of this conversation may be seen in the next.
  await Promise.all([door.untilUnused(), plain.untilUnused()]);
  return { ours: { seen: seenByDoor, ...ours }, theirs: { seen: seenByNode, ...theirs } };
}

function headsOf(seen: readonly Seen[]): unknown[] {
  return seen.map(({ body: _body, ...head }) => head);
}

function isOfHandler({ status }: ReadAnswer): boolean {
  return status === 200 || status === 201 || status === 429;
}

/** @returns whether node:http answered every request */
async function agree(bytes: Buffer, cuts: readonly number[], last = '/last'): Promise<boolean> {
  const readBefore = door.readBy.door;
  const { ours, theirs } = await play(cutAt(bytes, cuts));
  const readByDoor = door.readBy.door - readBefore;
  const both = `${JSON.stringify(bytes.toString('latin1').slice(0, 2000))}\nours: ${JSON.stringify(ours)}\ntheirs: ${JSON.stringify(theirs)}`;
  if (ours.rest !== UNREADABLE && theirs.rest === '' && theirs.answers.length === theirs.seen.length && theirs.seen.at(-1)?.url === last) {
    assert.deepEqual(ours, theirs, both);
    return true;
  }
  // What node:http refuses, the front door does not take.
  assert.ok(readByDoor <= theirs.seen.length, both);
  // How far each reads ahead behind an answer that ends the connection is its own affair; what they read is not.
  const common = Math.min(ours.seen.length, theirs.seen.length);
  assert.deepEqual(headsOf(ours.seen.slice(0, common)), headsOf(theirs.seen.slice(0, common)), both);
  for (let index = 0; index < common; index++) {
    const [body, other] = [ours.seen[index]?.body ?? null, theirs.seen[index]?.body ?? null];
    if (body !== null && other !== null) assert.equal(body, other, both);
  }
  if (ours.rest === UNREADABLE) return false;
  // What is wrong behind a request may cost node:http's answer to it, never ours; the body of the last one may be missing.
  const answered = ours.answers.filter(isOfHandler);
  assert.ok(answered.length >= readByDoor - 1, both);
  answered.forEach(({ body }, index) => {
    const url = ours.seen[index]?.url ?? '?';
    assert.ok(body === 'gate' || body.startsWith(`${url} `) || body === `early ${url}`, both);
  });
  return false;
}

const RUNS = Number(process.env.FUZZ_RUNS ?? 300);

describe('the front door and node:http', () => {
  it('read the same requests and write the same answers, whatever comes and however it is cut', async () => {
    const { readBy } = door;
    const [doorBefore, nodeBefore] = [readBy.door, readBy.node];
    let whole = 0;
    await fc.assert(
      fc.asyncProperty(conversation, places, async (bytes, cuts) => {
        if (await agree(bytes, cuts)) whole++;
      }),
      { numRuns: RUNS },
    );
    // The agreement means something only where both had a part in it.
    assert.ok(whole >= RUNS / 12, `only ${whole} of ${RUNS} conversations came to their end`);
    assert.ok(readBy.door - doorBefore >= RUNS / 5, `the front door read only ${readBy.door - doorBefore} requests`);
    assert.ok(readBy.node - nodeBefore >= RUNS / 6, `node:http read only ${readBy.node - nodeBefore} requests`);
  });

  it('agree on damaged requests', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, fc.array(damage, { minLength: 1, maxLength: 2 }), places, async (bytes, damages, cuts) => {
        await agree(damages.reduce(damaged, bytes), cuts);
      }),
      { numRuns: RUNS },
    );
  });

  it('agree on every unusual line, alone and with the connection’s fate', async () => {
    const lines = [
      ...[
        '',
        'x-a:',
        'x-a: \xe9',
        'x-a: \x7f',
        'x-a: \x01',
        'x-a : 1',
        ' x-a: 1',
        'x-a',
        ': 1',
        'x-a: 1\r\n 2',
        'x-a: 1\nx-b: 2',
        'x(a): 1',
      ],
      ...['connection: close', 'connection: Close', 'connection:close\t', 'connection: keep-alive, close', 'connection: x', 'connection:'],
      ...[
        'connection: close\r\nconnection: keep-alive',
        'proxy-connection: close',
        'proxy-connection: keep-alive',
        'keep-alive: timeout=1',
      ],
      ...[
        'transfer-encoding: chunked',
        'transfer-encoding: identity',
        'Transfer-Encoding:',
        'transfer-encoding: x',
        'transfer_encoding: chunked',
      ],
      ...[
        'content-length: 3',
        'content-length: 4',
        'Content-Length: +3',
        'expect: 100-continue',
        'expect: x',
        'upgrade: h2c',
        'connection: upgrade',
      ],
      ...['connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA', 'trailer: x', 'te: trailers'],
      ...[
        'host: again',
        'set-cookie: a=b',
        'cookie: a\r\ncookie: b',
        '__proto__: a',
        'constructor: a',
        'age: 1\r\nage: 2',
        'x-a: 1\r\nx-a: 2',
      ],
    ].map((line) => (line === '' ? '' : `${line}\r\n`));
    const heads = lines.flatMap((line) => [
      `POST / HTTP/1.1\r\nhost: test\r\n${line}content-length: 3\r\n\r\nabc`,
      `POST / HTTP/1.1\r\ncontent-length: 3\r\n${line}host: test\r\n\r\nabc`,
    ]);
    const framings = [
      '',
      'content-length:',
      'content-length: -1',
      'content-length: 3 3',
      'content-length: 3,3',
      'content-length: 0003',
      'content-length: 3\t',
    ];
    for (const line of framings) heads.push(`POST / HTTP/1.1\r\nhost: test\r\n${line === '' ? '' : `${line}\r\n`}\r\nabc`);
    for (const line of ['', 'host:\r\n', 'Host: a b\r\n']) heads.push(`POST / HTTP/1.1\r\n${line}content-length: 3\r\n\r\nabc`);
    for (const bytes of heads) await agree(Buffer.from(bytes, 'latin1'), [], '/');
  });

  it('agree on a conversation cut at every byte', async () => {
    const head = 'host: test\r\n';
    const bytes = Buffer.from(
      `POST /late HTTP/1.1\r\n${head}content-length: 5\r\n\r\nfirst` +
        `POST / HTTP/1.1\r\n${head}Content-Length: 0\r\nx-a: b\r\n\r\n` +
        `POST /stream HTTP/1.1\r\n${head}content-length: 6\r\n\r\nsecond` +
        `POST /pull HTTP/1.1\r\ncontent-length: 5\r\nConnection: keep-alive\r\n${head}\r\nthird${LAST}`,
      'latin1',
    );
    for (let at = 0; at <= bytes.length; at++) assert.ok(await agree(bytes, [at]), `cut at ${at}`);
    assert.ok(
      await agree(
        bytes,
        Array.from(bytes, (_, at) => at),
      ),
      'byte by byte',
    );
  });
});
