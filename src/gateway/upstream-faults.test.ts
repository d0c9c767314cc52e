import assert from 'node:assert/strict';
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

async function chat(model = 'main'): Promise<{ status: number; text: string }> {
  const response = await fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
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
