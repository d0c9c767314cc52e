import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { testSnapshot } from '../../gateway/testing.ts';
import { keyHmac } from '../../identity/virtual-key.ts';
import { FakeClock } from '../../kernel/clock.ts';
import { JOURNAL_START, readJournal } from '../../kernel/journal/reader.ts';
import { OTLP_LIMITS } from '../../traces/otlp/span.ts';
import { OtlpIntake } from './intake.ts';
import { handleSdk, isSdkRequest } from './sdk-http.ts';

const NOW = Date.UTC(2026, 2, 15);
const AT = new Date(NOW).toISOString();
const ID = '0198a7c2-1111-7222-8333-444455556666';
const KEY = 'plk_bound';
const BASIC = `Basic ${Buffer.from(`pk:${KEY}`).toString('base64')}`;
const event = (id: string, body: object) => ({ id, type: 'span-create', timestamp: AT, body });
const RUN = { id: ID, trace_id: ID, name: 'chat', run_type: 'llm', start_time: NOW, end_time: NOW + 5 };

describe('endpoints of other SDKs', () => {
  let directory: string;
  let intake: OtlpIntake;
  let server: Server;
  let pendingBytes = 0;
  let url = '';
  const base = testSnapshot('http://127.0.0.1:1');
  const key = {
    id: 'k',
    name: 'bound',
    hmac: keyHmac(base.keyPepper, KEY),
    feature: base.features[0]?.name ?? '',
    team: null,
    models: null,
    expiresAtMs: null,
  };
  beforeEach(async () => {
    pendingBytes = 0;
    directory = mkdtempSync(join(tmpdir(), 'plimsoll-sdk-'));
    intake = await OtlpIntake.open({
      directory,
      snapshot: () => ({ ...base, keys: [key] }),
      pendingBytes: () => pendingBytes,
      clock: new FakeClock(NOW),
      log: () => {},
    });
    server = createServer((request, response) => {
      if (isSdkRequest(request)) void handleSdk(intake, request, response);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server that listens has one
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await intake.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const send = (method: string, path: string, body: unknown, headers: Record<string, string> = { 'x-api-key': KEY }) =>
    fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
    });
  const journaled = async () =>
    (await readJournal(directory, JOURNAL_START, { maxRecords: 100, maxBytes: 1e9 })).records.map(({ type }) => type);

  it('take the key where each SDK puts it', async () => {
    const langfuse = await send(
      'POST',
      '/api/public/ingestion',
      { batch: [event('1', { id: 's', traceId: 't' })] },
      { authorization: BASIC },
    );
    assert.equal(langfuse.status, 207);
    assert.deepEqual(await langfuse.json(), { successes: [{ id: '1', status: 201 }], errors: [] });
    assert.equal((await send('POST', '/runs', RUN)).status, 202);
    const opik = { traces: [{ id: ID, name: 'agent', start_time: AT }] };
    assert.equal((await send('POST', '/v1/private/traces/batch', opik, { authorization: KEY })).status, 204);
    assert.equal((await send('POST', '/api/v1/private/traces/batch', opik, { authorization: KEY })).status, 204);
    assert.deepEqual(await journaled(), ['sdk.request', 'sdk.request', 'sdk.request'], 'the same again is in the journal already');
  });

  it('refuse strangers, and say why', async () => {
    for (const headers of [{}, { 'x-api-key': 'plk_other' }, { authorization: 'Bearer pla_admin' }] as Record<string, string>[]) {
      const answer = await send('POST', '/runs/batch', { post: [RUN] }, headers);
      assert.ok(answer.status === 401 || answer.status === 403, `${answer.status}`);
      assert.match(((await answer.json()) as { detail: string }).detail, /key/);
    }
    assert.deepEqual(await journaled(), []);
  });

  it('what is partly bad is taken for the rest, and told', async () => {
    const mixed = await send('POST', '/runs/batch', { post: [RUN, { name: 'no id' }], patch: [7] });
    assert.equal(mixed.status, 202);
    assert.match(((await mixed.json()) as { message: string }).message, /2 of 3 items were not taken/);
    const bad = await send('POST', '/runs/batch', { post: [{ name: 'no id' }] });
    assert.equal(bad.status, 422);
    const events = await send('POST', '/api/public/ingestion', { batch: [event('1', { id: 's', traceId: 't' }), event('2', {})] });
    assert.deepEqual(
      ((await events.json()) as { errors: { id: string; status: number }[] }).errors.map(({ id, status }) => [id, status]),
      [['2', 400]],
    );
  });

  it('hold the caps on bodies, also inflated, and on types', async () => {
    const bomb = gzipSync(Buffer.alloc(OTLP_LIMITS.bodyBytes + 1));
    assert.equal((await send('POST', '/runs', bomb, { 'x-api-key': KEY, 'content-encoding': 'gzip' })).status, 413);
    assert.equal((await send('POST', '/runs', RUN, { 'x-api-key': KEY, 'content-encoding': 'br' })).status, 415);
    assert.equal((await send('POST', '/runs/multipart', RUN)).status, 415);
    assert.equal((await send('POST', '/runs', Buffer.from('{'), { 'x-api-key': KEY })).status, 400);
    assert.equal(
      (await send('POST', '/runs', gzipSync(JSON.stringify(RUN)), { 'x-api-key': KEY, 'content-encoding': 'gzip' })).status,
      202,
    );
  });

  it('ask to wait while the trace store is behind', async () => {
    pendingBytes = 2e9;
    const answer = await send('POST', '/runs', RUN);
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
  });

  it('tell LangSmith’s SDK what it may send, and answer nothing else', async () => {
    const info = (await (await fetch(`${url}/info`)).json()) as { batch_ingest_config: { use_multipart_endpoint: boolean } };
    assert.equal(info.batch_ingest_config.use_multipart_endpoint, true);
    for (const [method, path] of [
      ['GET', '/runs'],
      ['POST', '/runs/a/b'],
      ['DELETE', `/runs/${ID}`],
      ['POST', '/v1/private/projects'],
      ['GET', '/api/public/v2/prompts/welcome'],
    ] as const) {
      const answer = await fetch(`${url}${path}`, { method });
      assert.equal(answer.status, 404, `${method} ${path}`);
      assert.match(((await answer.json()) as { message: string }).message, /only what takes traces and scores/);
    }
  });
});
