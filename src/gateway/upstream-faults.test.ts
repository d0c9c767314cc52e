import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import type { Snapshot } from './snapshot.ts';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  TEST_KEY,
  type TestGateway,
  testModel,
  testProvider,
  testRoute,
  testSnapshot,
  until,
} from './testing.ts';
import { answer, type RawServer, startRawServer } from './upstream/testing.ts';

let raw: RawServer;
let second: ScriptedUpstream;
let running: TestGateway;

const good = (text: string): string => answer(JSON.stringify(completion(text)), 'content-type: application/json\r\n');

/** Route `main`: `small` at the raw server, then `large` at one that answers. */
function snapshotWith(overrides: Parameters<typeof testProvider>[1] = {}): Snapshot {
  return testSnapshot('', {
    providers: [testProvider(`${raw.origin}/v1`, { name: 'one', ...overrides }), testProvider(second.baseUrl, { name: 'two' })],
    models: [testModel('small', { provider: 'one' }), testModel('large', { provider: 'two' })],
  });
}

before(async () => {
  raw = await startRawServer(({ socket }) => void socket.write(good('from one')));
  second = await startUpstream((_request, response) => sendJson(response, completion('from two')));
});
after(async () => {
  await raw.close();
  await second.close();
});
beforeEach(async () => {
  running = await startGateway(snapshotWith());
});
afterEach(() => running.close());

/** Only the raw server, with a route that may try again. */
function routed(): Snapshot {
  return { ...snapshotWith(), routes: [testRoute({ small: {} }, {}, 'main')] };
}

async function chat(model = 'main', rest: Record<string, unknown> = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }], ...rest }),
  });
  return { status: response.status, text: await response.text() };
}

function firstAttempt() {
  const attempt = running.journal.settled.at(-1)?.attempts[0];
  assert.ok(attempt !== undefined);
  return attempt;
}

describe('an answer that is not HTTP', () => {
  for (const [name, bytes] of [
    ['with two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}'],
    ['with a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['whose chunks go wrong', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\nx\r\n'],
  ] as const) {
    it(`${name} is a bad response, and the next target is asked`, async () => {
      raw.onRequest = ({ socket }) => void socket.write(bytes);
      const { status, text } = await chat();
      assert.deepEqual([status, JSON.parse(text).choices[0].message.content], [200, 'from two']);
      const { errorType, errorMessage, costPicoUsd } = firstAttempt();
      assert.equal(errorType, 'provider_bad_response');
      assert.match(errorMessage ?? '', /"one" sent something that is no HTTP answer/);
      assert.equal(costPicoUsd, null);
    });
  }
});

describe('connections to a provider', () => {
  it('are used again, and one that was closed meanwhile costs nobody a call', async () => {
    raw.onRequest = ({ socket }) => void socket.write(good('from one'));
    raw.accepted = 0;
    for (let call = 0; call < 3; call++) assert.equal((await chat('small')).status, 200);
    assert.equal(raw.accepted, 1);
    for (const socket of raw.sockets) socket.end();
    await until(() => raw.sockets.size === 0, 'the connection is closed');
    assert.equal((await chat('small')).status, 200);
    assert.equal(raw.accepted, 2);
  });

  it('that were closed while they were idle are found out by one request, which is sent again: no failure, no retry', async () => {
    // Each connection answers once. What comes on it afterwards is met by the close that was on its way.
    raw.onRequest = ({ socket, index }) => void (index === 0 ? socket.write(good('from one')) : socket.destroy());
    running.snapshot = routed();
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => chat()));
      assert.deepEqual(
        answers.map(({ status, text }) => [status, JSON.parse(text).choices?.[0].message.content]),
        answers.map(() => [200, 'from one']),
      );
    }
    const { settled } = running.journal;
    const attempts = settled.flatMap((call) => call.attempts);
    assert.equal(attempts.length, 24);
    assert.ok(attempts.every(({ status }) => status === 'ok'));
    assert.ok(attempts.filter(({ isResent }) => isResent).length >= 2, 'each round after the first found a connection of the one before');
    assert.ok(settled.every(({ costPicoUsd, costStatus }) => costPicoUsd === '36000000' && costStatus === 'priced'));
    const [target] = running.gateway.routing().targets;
    assert.deepEqual([target?.state, target?.consecutiveFailures], ['healthy', 0]);
    assert.equal(running.gateway.routing().routes[0]?.retries, 0);
  });

  it('that end twice, or not at once, or for a request that may do something, are failures', async () => {
    const clock = new FakeClock(1_760_000_000_000);
    await running.close();
    running = await startGateway(snapshotWith(), clock);
    let asked = 0;
    const warm = async (): Promise<void> => {
      raw.onRequest = ({ socket }) => void socket.write(good('from one'));
      assert.equal((await chat('small')).status, 200);
      asked = 0;
    };
    const dies = (before: (socket: Socket) => void | Promise<void> = () => {}) => {
      raw.onRequest = async ({ socket }) => {
        asked++;
        await before(socket);
        socket.destroy();
      };
    };
    await warm();
    dies();
    assert.equal((await chat('small')).status, 502);
    assert.deepEqual([asked, firstAttempt().isResent, firstAttempt().costPicoUsd], [2, true, null]);

    await warm();
    dies(() => clock.advance(1_001));
    assert.equal((await chat('small')).status, 502, 'it had begun to work on it');
    assert.deepEqual([asked, firstAttempt().isResent], [1, undefined]);

    await warm();
    dies((socket) => new Promise((resolve) => void socket.write('HTTP/1.1 2', () => resolve())));
    assert.equal((await chat('small')).status, 502, 'an answer had begun');
    assert.equal(asked, 1);

    await warm();
    dies();
    assert.equal((await chat('small', { tools: [{ type: 'mcp', server_url: 'https://example.com' }] })).status, 502);
    assert.equal(asked, 1);
  });

  it('that all hang are named when a call finds none free', async () => {
    const clock = new FakeClock(1_760_000_000_000);
    await running.close();
    running = await startGateway(
      snapshotWith({ maxConnections: 1, timeouts: { connectMs: 60_000, firstByteMs: 80, idleMs: 500, totalMs: 1000 } }),
      clock,
    );
    let asked = 0;
    raw.onRequest = () => void asked++;
    const calls = [chat('small'), chat('small')];
    await until(() => asked === 1 && running.gateway.metrics().includes('state="queued"} 1'), 'one hangs and the other one waits');
    await clock.advance(105); // deadlines are checked every 25 ms
    assert.deepEqual(
      (await Promise.all(calls)).map(({ status }) => status),
      [504, 504],
    );
    const attempts = running.journal.settled.map(({ attempts: [attempt] }) => attempt);
    const messages = attempts.map((attempt) => attempt?.errorMessage ?? '').sort();
    assert.match(messages[0] ?? '', /"one" had no connection free within 80 ms/);
    assert.match(messages[1] ?? '', /"one" sent no byte within 80 ms/);
    // What never left cost nothing; what the other one did is not known.
    assert.deepEqual(attempts.map((attempt) => attempt?.costPicoUsd ?? null).sort(), ['0', null]);
  });
});

describe('a credential that no header can hold', () => {
  it('is an error of the configuration that names the provider and not the secret', async () => {
    running.snapshot = snapshotWith({ apiKey: { literal: 'sk-very\nsecret' } });
    const { status, text } = await chat('small');
    assert.equal(status, 500);
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    assert.equal(error.code, 'config_invalid');
    assert.match(error.message, /Provider "one": The value of the header "authorization"/);
    assert.ok(!text.includes('sk-very') && !JSON.stringify(running.journal.settled).includes('sk-very'));
    assert.equal(firstAttempt().costPicoUsd, '0');
  });
});
