import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { within } from '../../src/kernel/testing.ts';
import { chat } from '../fault/chat.ts';
import { type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { type StubProvider, startStubProvider, stubConfig } from '../harness/stub-provider.ts';

const MIB = 1024 * 1024;
const GOOD = '{"model":"default","messages":[{"role":"user","content":"hello"}]}';

interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes on a bare socket and reads until the other side ends or `isEnough`. */
async function raw(url: string, send: (socket: Socket) => void | Promise<void>, timeoutMs = 60_000): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  const answered = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no whole answer within ${timeoutMs} ms: ${JSON.stringify(text)}`)), timeoutMs);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
      if (end >= 0 && text.length >= end + 4 + length) done();
    });
    socket.on('close', done);
    socket.on('error', done);
  });
  try {
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    await send(socket);
    await answered;
  } finally {
    socket.destroy();
  }
  const end = text.indexOf('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), head: text.slice(0, end), body: text.slice(end + 4) };
}

describe('bad input', { timeout: 600_000 }, () => {
  let stub: StubProvider;
  let plimsoll: Plimsoll;
  before(async () => {
    stub = await startStubProvider();
    plimsoll = await startPlimsoll({ config: stubConfig(stub.port) });
  });
  after(async () => {
    await plimsoll.stop();
    await stub.close();
  });

  const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${plimsoll.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${path.startsWith('/v1') ? plimsoll.virtualKey : plimsoll.adminKey}`,
        'content-type': 'application/json',
        ...headers,
      },
      body,
    });
  const head = (path: string, extra: string) =>
    `POST ${path} HTTP/1.1\r\nhost: plimsoll\r\nauthorization: Bearer ${path.startsWith('/v1') ? plimsoll.virtualKey : plimsoll.adminKey}\r\ncontent-type: application/json\r\n${extra}\r\n\r\n`;

  describe('/v1 answers in OpenAI’s shape', () => {
    async function refused(answer: Response, status: number, code: string, message: RegExp): Promise<void> {
      const body = (await answer.json()) as { error: { code: string; message: string; type: string } };
      assert.deepEqual([answer.status, body.error.code], [status, code], body.error.message);
      assert.match(body.error.message, message);
      assert.ok(body.error.type.length > 0);
    }

    it('a body above the limit, announced: 413 before it is sent', async () => {
      const answer = await raw(plimsoll.url, (socket) => void socket.write(head('/v1/chat/completions', `content-length: ${33 * MIB}`)));
      assert.equal(answer.status, 413, answer.head);
      assert.match(answer.body, /"code":"payload_too_large"/);
      assert.match(answer.body, /at most 33554432/);
    });

    it('a body above the limit, streamed in chunks: 413 as soon as it is passed, readable by a client that is still sending', async () => {
      const block = Buffer.alloc(MIB, 0x20);
      let wake = () => {};
      const answer = await raw(plimsoll.url, async (socket) => {
        for (const event of ['drain', 'close']) socket.on(event, () => wake());
        socket.write(head('/v1/chat/completions', 'transfer-encoding: chunked'));
        for (let sent = 0; sent < 36 && !socket.destroyed; sent++) {
          socket.write(`${block.length.toString(16)}\r\n`);
          socket.write(block);
          if (!socket.write('\r\n')) await new Promise<void>((resolve) => (wake = resolve));
        }
      });
      assert.equal(answer.status, 413, answer.head);
      assert.match(answer.body, /"code":"payload_too_large"/);
    });

    it('a body just below the limit is taken', async () => {
      const padding = ' '.repeat(32 * MIB - GOOD.length);
      const answer = await post('/v1/chat/completions', `${GOOD}${padding}`);
      assert.equal(answer.status, 200, await answer.text());
    });

    it('nested too deep', async () => {
      const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
      await refused(
        await post('/v1/chat/completions', `{"model":"default","messages":[{"role":"user","content":${deep}}]}`),
        400,
        'invalid_argument',
        /nest(s|ed) deeper than 128/,
      );
    });

    it('invalid UTF-8', async () => {
      const body = Buffer.concat([
        Buffer.from('{"model":"default","messages":[{"role":"user","content":"'),
        Buffer.from([0xc3, 0x28, 0xff]),
        Buffer.from('"}]}'),
      ]);
      await refused(await post('/v1/chat/completions', body), 400, 'invalid_argument', /not valid UTF-8/);
    });

    it('wrong, missing and compressed content types', async () => {
      await refused(
        await post('/v1/chat/completions', GOOD, { 'content-type': 'text/plain' }),
        415,
        'unsupported_media_type',
        /"text\/plain"/,
      );
      await refused(await post('/v1/chat/completions', GOOD, { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type', /gzip/);
    });

    for (const [name, body, message] of [
      ['no JSON at all', 'hello', /JSON/],
      ['JSON that ends early', GOOD.slice(0, -1), /JSON/],
      ['something behind the JSON', `${GOOD}x`, /JSON/],
      ['an empty body', '', /empty|JSON/],
      ['a list', '[]', /object/],
      ['null', 'null', /JSON|object/],
      ['a model that is a number', '{"model":7,"messages":[]}', /model/],
      ['no model', '{"messages":[{"role":"user","content":"x"}]}', /model/],
      ['no messages', '{"model":"default"}', /messages/],
      ['stream that is a text', '{"model":"default","stream":"yes","messages":[{"role":"user","content":"x"}]}', /stream/],
      ['two models', '{"model":"default","model":"stub-model","messages":[{"role":"user","content":"x"}]}', /model/],
    ] as const) {
      it(`${name}: 400 that names the place`, async () => {
        await refused(await post('/v1/chat/completions', body), 400, 'invalid_argument', message);
      });
    }

    it('`__proto__` keys change nothing here', async () => {
      const answer = await post(
        '/v1/chat/completions',
        '{"__proto__":{"model":"stub-model","stream":true},"model":"default","messages":[{"role":"user","content":"x"}],"constructor":{"prototype":{"polluted":1}}}',
      );
      assert.equal(answer.status, 200, await answer.text());
      assert.equal(answer.headers.get('content-type'), 'application/json');
      assert.equal((await chat(plimsoll.url, plimsoll.virtualKey)).status, 200);
    });

    it('a head that is too large: 431; what is no HTTP: 400; both with a message', async () => {
      const large = await raw(
        plimsoll.url,
        (socket) => void socket.write(head('/v1/chat/completions', `x-large: ${'x'.repeat(64 * 1024)}\r\ncontent-length: 0`)),
      );
      assert.equal(large.status, 431, large.head);
      assert.match(large.body, /headers are larger/);
      const noise = await raw(plimsoll.url, (socket) => void socket.write('\u0016\u0003\u0001 TLS hello\r\n\r\n'));
      assert.equal(noise.status, 400, noise.head);
      assert.match(noise.body, /"code":"invalid_argument"/);
    });

    it('two lengths that disagree are refused: no request smuggling', async () => {
      const answer = await raw(
        plimsoll.url,
        (socket) => void socket.write(`${head('/v1/chat/completions', `content-length: 5\r\ntransfer-encoding: chunked`)}0\r\n\r\n`),
      );
      assert.equal(answer.status, 400, answer.head);
    });

    it('unknown paths and methods say what there is', async () => {
      await refused(await post('/v1/files', GOOD), 404, 'not_found', /Supported: POST \/v1\/chat\/completions/);
      const wrong = await fetch(`${plimsoll.url}/v1/chat/completions`);
      assert.equal(wrong.headers.get('allow'), 'POST');
      await refused(wrong, 405, 'method_not_allowed', /GET/);
    });

    it('a path of /v1 that nobody serves is a clear 404, not the dashboard', async () => {
      await refused(await post('/v1/chat/completion', GOOD), 404, 'not_found', /\/v1\/chat\/completion/);
      await refused(await fetch(`${plimsoll.url}/v1/nothing`), 404, 'not_found', /\/v1\/nothing/);
    });

    it('clients that never finish their body do not disturb others', async () => {
      const { hostname, port } = new URL(plimsoll.url);
      const slow = await Promise.all(
        Array.from({ length: 200 }, async () => {
          const socket = connect({ host: hostname, port: Number(port) });
          await new Promise<void>((resolve) => socket.once('connect', resolve));
          socket.write(`${head('/v1/chat/completions', 'content-length: 1000')}{"model":`);
          socket.on('error', () => {});
          return socket;
        }),
      );
      try {
        const startedMs = performance.now();
        const answers = await Promise.all(Array.from({ length: 20 }, () => chat(plimsoll.url, plimsoll.virtualKey)));
        assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
        assert.ok(performance.now() - startedMs < within(5_000));
        assert.equal((await fetch(`${plimsoll.url}/readyz`)).status, 200);
      } finally {
        for (const socket of slow) socket.destroy();
      }
    });

    it('a client that leaves in the middle of its body leaves nothing behind', async () => {
      const { hostname, port } = new URL(plimsoll.url);
      const socket = connect({ host: hostname, port: Number(port) });
      await new Promise<void>((resolve) => socket.once('connect', resolve));
      socket.write(`${head('/v1/chat/completions', 'content-length: 1000')}{"model":`);
      await new Promise<void>((resolve) => setImmediate(resolve));
      socket.destroy();
      assert.equal((await chat(plimsoll.url, plimsoll.virtualKey)).status, 200);
    });
  });

  describe('/api/v1 answers with problem+json', () => {
    async function problem(answer: Response, status: number, code: string, message: RegExp): Promise<void> {
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      const body = (await answer.json()) as { status: number; code: string; detail: string; fix: string };
      assert.deepEqual([answer.status, body.status, body.code], [status, status, code], body.detail);
      assert.match(body.detail, message);
      assert.ok(body.fix.length > 0);
    }

    it('a body above its limit, announced and streamed', async () => {
      await problem(await post('/api/v1/keys', ' '.repeat(2 * MIB)), 413, 'payload_too_large', /1048576/);
      const answer = await raw(plimsoll.url, async (socket) => {
        socket.write(head('/api/v1/keys', 'transfer-encoding: chunked'));
        const block = Buffer.alloc(256 * 1024, 0x20);
        for (let sent = 0; sent < 8 && !socket.destroyed; sent++) {
          socket.write(`${block.length.toString(16)}\r\n`);
          socket.write(block);
          socket.write('\r\n');
        }
        socket.write('0\r\n\r\n');
      });
      assert.equal(answer.status, 413, answer.head);
      assert.match(answer.head, /problem\+json/);
    });

    for (const [name, body, status, code, message] of [
      ['no JSON', 'hello', 400, 'invalid_argument', /not JSON/],
      ['nested too deep', `${'['.repeat(1_000)}${']'.repeat(1_000)}`, 400, 'invalid_argument', /nested deeper than 64/],
      ['`__proto__`', '{"name":"x","__proto__":{"feature":"load"}}', 400, 'invalid_argument', /__proto__/],
      ['NUL', '{"name":"a\\u0000b"}', 400, 'invalid_argument', /NUL/],
      ['wrong type', '{"name":7}', 400, 'invalid_argument', /name/],
      ['unknown field', '{"name":"x","featrue":"load"}', 400, 'invalid_argument', /featrue.*feature/],
      ['unknown feature', '{"name":"x","feature":"laod"}', 400, 'invalid_argument', /laod.*load/],
      ['an empty body', '', 400, 'invalid_argument', /body/],
    ] as const) {
      it(`${name}: ${status}`, async () => {
        await problem(await post('/api/v1/keys', body), status, code, message);
      });
    }

    it('invalid UTF-8, wrong content type, wrong method, unknown path, unknown query, bad id', async () => {
      await problem(await post('/api/v1/keys', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])), 400, 'invalid_argument', /UTF-8/);
      await problem(await post('/api/v1/keys', '{}', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type', /text\/plain/);
      const admin = { authorization: `Bearer ${plimsoll.adminKey}` };
      const wrong = await fetch(`${plimsoll.url}/api/v1/keys`, { method: 'PUT', headers: admin });
      assert.match(wrong.headers.get('allow') ?? '', /GET, .*POST|POST, .*GET/);
      await problem(wrong, 405, 'method_not_allowed', /PUT/);
      await problem(await fetch(`${plimsoll.url}/api/v1/kyes`, { headers: admin }), 404, 'not_found', /kyes/);
      await problem(await fetch(`${plimsoll.url}/api/v1/traces?featrue=x`, { headers: admin }), 400, 'invalid_argument', /featrue/);
      await problem(await fetch(`${plimsoll.url}/api/v1/traces?limit=many`, { headers: admin }), 400, 'invalid_argument', /limit/);
      await problem(await fetch(`${plimsoll.url}/api/v1/traces/xyz`, { headers: admin }), 400, 'invalid_argument', /traceId|trace/);
      await problem(await fetch(`${plimsoll.url}/api/v1/traces/${'a'.repeat(32)}`, { headers: admin }), 404, 'not_found', /a{32}/);
    });

    it('no key, a wrong key and a virtual key are refused', async () => {
      for (const authorization of ['', 'Bearer nonsense', 'Bearer plk_nonsense']) {
        const answer = await fetch(`${plimsoll.url}/api/v1/keys`, { headers: authorization === '' ? {} : { authorization } });
        await problem(answer, 401, 'unauthenticated', /key/);
      }
      // Known, and worth nothing here.
      const answer = await fetch(`${plimsoll.url}/api/v1/keys`, { headers: { authorization: `Bearer ${plimsoll.virtualKey}` } });
      await problem(answer, 403, 'permission_denied', /use an admin key/);
    });

    it('the internal paths need the cluster key', async () => {
      const answer = await fetch(`${plimsoll.url}/internal/v1/snapshot`, { headers: { authorization: `Bearer ${plimsoll.adminKey}` } });
      await problem(answer, 401, 'unauthenticated', /cluster key/);
    });
  });

  it('after all of it every process is the one that was started', async () => {
    assert.doesNotMatch(plimsoll.output.stderr, /child_restart|crashed|gateway_defect/);
    assert.equal((await chat(plimsoll.url, plimsoll.virtualKey)).status, 200);
  });
});
