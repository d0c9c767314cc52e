import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { StaticFiles } from './static-files.ts';

describe('StaticFiles', () => {
  let directory: string;
  let server: Server;
  let url: string;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'plimsoll-static-'));
    mkdirSync(join(directory, 'assets'));
    writeFileSync(join(directory, 'index.html'), '<!doctype html><title>page</title>');
    writeFileSync(join(directory, 'assets', 'app-1a2b.js'), `export const text = ${JSON.stringify('x'.repeat(2_000))};`);
    writeFileSync(join(directory, '.built-from'), 'secret');
    const files = new StaticFiles(directory);
    server = createServer((request, response) => files.handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });

  it('serves the page for its own routes, with a strict policy', async () => {
    for (const path of ['/', '/traces', '/traces/abc?x=1', '/features/gpt-4.1']) {
      const answer = await fetch(`${url}${path}`);
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), /<title>page/);
      assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self'/);
      assert.equal(answer.headers.get('cache-control'), 'no-cache');
    }
  });

  it('serves hashed files compressed and for ever, and 304 on their tag', async () => {
    const answer = await fetch(`${url}/assets/app-1a2b.js`, { headers: { 'accept-encoding': 'gzip, br' } });
    assert.equal(answer.headers.get('content-encoding'), 'br');
    assert.match(answer.headers.get('cache-control') ?? '', /immutable/);
    assert.match(await answer.text(), /x{2000}/);
    assert.equal(
      (await fetch(`${url}/assets/app-1a2b.js`, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } })).status,
      304,
    );
  });

  it('serves nothing outside its folder, no dot files, and only reads', async () => {
    assert.equal((await fetch(`${url}/assets/none.js`)).status, 404);
    assert.doesNotMatch(await (await fetch(`${url}/.built-from`)).text(), /secret/);
    assert.match(await (await fetch(`${url}/..%2f..%2fetc%2fpasswd`)).text(), /<title>page/);
    assert.equal((await fetch(url, { method: 'POST' })).status, 405);
  });

  it('says how to build the dashboard when it is not there', async () => {
    const empty = new StaticFiles(join(directory, 'nothing'));
    const other = createServer((request, response) => empty.handle(request, response));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const answer = await fetch(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /npm run prepare/);
    await new Promise((resolve) => other.close(resolve));
  });
});
