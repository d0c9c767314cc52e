import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { testSnapshot } from '../../gateway/testing.ts';
import { keyHmac } from '../../identity/virtual-key.ts';
import { FakeClock, systemClock } from '../../kernel/clock.ts';
import { JOURNAL_START, readJournal } from '../../kernel/journal/reader.ts';
import { OTLP_LIMITS } from '../../traces/otlp/span.ts';
import { protobufRequest, readMessage, type TestSpan } from '../../traces/otlp/testing.ts';
import { handleOtlp } from './http.ts';
import { OtlpIntake } from './intake.ts';

const NOW = Date.UTC(2026, 2, 15);
const span = (over: Partial<TestSpan> = {}): TestSpan => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name: 'chat',
  startNs: BigInt(NOW) * 1_000_000n,
  endNs: BigInt(NOW) * 1_000_000n + 1n,
  ...over,
});

describe('OtlpIntake', () => {
  let directory: string;
  let pendingBytes = 0;
  let intake: OtlpIntake;
  const base = testSnapshot('http://127.0.0.1:1');
  const feature = base.features[0]?.name ?? '';
  const key = (name: string, over: object) => ({
    id: name,
    name,
    hmac: keyHmac(base.keyPepper, `plk_${name}`),
    feature,
    team: null,
    models: null,
    expiresAtMs: null,
    ...over,
  });
  const snapshot = { ...base, keys: [key('bound', {}), key('open', { feature: null }), key('old', { expiresAtMs: NOW })] };
  const open = () =>
    OtlpIntake.open({ directory, snapshot: () => snapshot, pendingBytes: () => pendingBytes, clock: new FakeClock(NOW), log: () => {} });
  const caller = (name = 'bound', more = {}) => intake.admit({ authorization: `Bearer plk_${name}`, ...more });
  const records = async () =>
    (await readJournal(directory, JOURNAL_START, { maxRecords: 100, maxBytes: 1e9 })).records.filter(({ type }) => type === 'otlp.batch');

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'plimsoll-otlp-'));
    pendingBytes = 0;
    intake = await open();
  });
  afterEach(async () => {
    await intake.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('has the record on disk when it answers, and once only however often it is sent, also to the next process', async () => {
    const body = protobufRequest([{ spans: [span()] }]);
    for (let repeat = 0; repeat < 3; repeat++)
      assert.deepEqual(await intake.accept(caller(), body, 'protobuf'), { rejected: 0, reason: '' });
    assert.equal((await records()).length, 1);
    await intake.close();
    intake = await open();
    await intake.accept(caller(), body, 'protobuf');
    await intake.accept(caller(), protobufRequest([{ spans: [span({ spanId: 'c'.repeat(16) })] }]), 'protobuf');
    await intake.close();
    let position = JOURNAL_START;
    let all = 0;
    for (;;) {
      const slice = await readJournal(directory, position, { maxRecords: 100, maxBytes: 1e9 });
      if (slice.records.length === 0) break;
      all += slice.records.filter(({ type }) => type === 'otlp.batch').length;
      position = slice.next;
    }
    assert.equal(all, 2);
    intake = await open();
  });

  it('takes keys that work, and says what is wrong with others', () => {
    assert.equal(caller().feature, feature);
    assert.equal(caller('open').feature, null);
    assert.equal(caller('open', { 'x-plimsoll-feature': feature }).feature, feature);
    assert.throws(() => caller('nobody'), { code: 'unauthenticated', message: /not known here/ });
    assert.throws(() => caller('old'), { code: 'unauthenticated', message: /expired/ });
    assert.throws(() => intake.admit({}), { code: 'unauthenticated', message: /OTEL_EXPORTER_OTLP_HEADERS/ });
    assert.throws(() => intake.admit({ authorization: 'Bearer pla_x' }), { code: 'permission_denied' });
    assert.throws(() => caller('bound', { 'x-plimsoll-feature': 'other' }), { code: 'permission_denied' });
    assert.throws(() => caller('open', { 'x-plimsoll-feature': 'other' }), { code: 'not_found' });
    for (const name of ['__proto__', 'constructor'])
      assert.throws(() => caller('open', { 'x-plimsoll-feature': name }), { code: 'not_found' });
  });

  it('rejects spans without a feature, and finds it in span, resource or service', async () => {
    const named = [
      { resource: { 'plimsoll.feature': feature }, spans: [span()] },
      { resource: { 'service.name': feature }, spans: [span({ spanId: 'c'.repeat(16) })] },
      {
        resource: { 'service.name': 'x' },
        spans: [span({ spanId: 'd'.repeat(16), attributes: { 'plimsoll.feature': feature } }), span({ spanId: 'e'.repeat(16) })],
      },
      { resource: { 'service.name': '__proto__' }, spans: [span({ spanId: 'f'.repeat(16) })] },
    ];
    const result = await intake.accept(caller('open'), protobufRequest(named), 'protobuf');
    assert.equal(result.rejected, 2);
    assert.match(result.reason, /x-plimsoll-feature/);
    assert.equal((await intake.accept(caller(), protobufRequest(named), 'protobuf')).rejected, 0, 'a bound key needs none');
  });

  it('asks senders to wait while the store is behind or too much is in hand', () => {
    pendingBytes = 2 ** 31;
    assert.throws(() => caller(), { code: 'store_unavailable' });
    pendingBytes = 0;
    const release = intake.hold(200 * 1024 * 1024);
    assert.throws(() => intake.hold(100 * 1024 * 1024), { code: 'rate_limited' });
    release();
    release();
    intake.hold(100 * 1024 * 1024)();
    intake.hold(256 * 1024 * 1024)();
  });

  describe('over HTTP', () => {
    const server = createServer((incoming, answer) => void handleOtlp(intake, incoming, answer));
    let port = 0;
    beforeEach(async () => {
      if (server.listening) return;
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      server.unref();
      port = (server.address() as AddressInfo).port;
    });
    const headers = { authorization: 'Bearer plk_bound', 'content-type': 'application/x-protobuf' };
    const post = (body: Buffer, more: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${port}/v1/traces`, { method: 'POST', headers: { ...headers, ...more }, body, ...{ connection: 'close' } });

    it('says how long to wait, and what is wrong, in protobuf', async () => {
      pendingBytes = 2 ** 31;
      const waiting = await post(protobufRequest([{ spans: [span()] }]));
      assert.equal(waiting.status, 503);
      assert.equal(waiting.headers.get('retry-after'), '10');
      assert.equal(readMessage('RpcStatus', Buffer.from(await waiting.arrayBuffer())).code, 14);
      pendingBytes = 0;
      const release = intake.hold(256 * 1024 * 1024);
      const busy = await post(protobufRequest([{ spans: [span()] }]));
      assert.equal(busy.status, 429);
      assert.equal(busy.headers.get('retry-after'), '1');
      release();
      const broken = await post(Buffer.from([0x0a, 0xff]));
      assert.equal(broken.status, 400);
      assert.equal(broken.headers.get('retry-after'), null);
      assert.equal((await post(protobufRequest([{ spans: [span()] }]))).status, 200);
    });

    it('refuses bombs and bodies over the cap, and gives back what it held', async () => {
      const bomb = gzipSync(Buffer.alloc(OTLP_LIMITS.bodyBytes + 1));
      assert.equal((await post(bomb, { 'content-encoding': 'gzip' })).status, 413);
      assert.equal((await post(Buffer.alloc(OTLP_LIMITS.bodyBytes + 1))).status, 413);
      intake.hold(256 * 1024 * 1024)();
    });

    it('outlives a client that leaves in the middle', async () => {
      await new Promise<void>((resolve) => {
        const leaving = request({
          port,
          host: '127.0.0.1',
          method: 'POST',
          path: '/v1/traces',
          headers: { ...headers, 'content-length': '1000' },
        });
        leaving.on('error', () => resolve());
        leaving.write('x', () => leaving.destroy(new Error('gone')));
      });
      for (let waited = 0; waited < 200; waited++) {
        try {
          intake.hold(256 * 1024 * 1024)();
          break;
        } catch {
          await systemClock.sleep(5);
        }
      }
      intake.hold(256 * 1024 * 1024)();
      assert.equal((await post(protobufRequest([{ spans: [span()] }]))).status, 200);
    });
  });
});
