import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { curlOf, quote } from './curl.ts';

const TRACE = { feature: 'customer-support', user: "o'neil $(id)", session: null };
const ORIGIN = 'http://127.0.0.1:4000';

describe('copy as curl', () => {
  it('survives a shell unchanged', () => {
    for (const text of ["it's", '$(touch /tmp/x) `id` "a" \\ \n ünï 🙂', "'''"]) {
      assert.equal(execFileSync('/bin/sh', ['-c', `printf %s ${quote(text)}`], { encoding: 'utf8' }), text);
    }
  });

  it('holds body, feature and user, and the key only as a variable', () => {
    const input = JSON.stringify({ model: 'default', messages: [{ role: 'user', content: "it's <b> $HOME" }] });
    const curl = curlOf(TRACE, { input, isTruncated: false, attributes: {} }, ORIGIN);
    assert.equal(curl.kind, 'command');
    if (curl.kind !== 'command') return;
    const script = curl.text.replace(/^curl/, 'show() { for word; do printf "%s\\n" "$word"; done; }; show');
    const words = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: { PLIMSOLL_KEY: 'plk_test' } })
      .trimEnd()
      .split('\n');
    assert.deepEqual(words, [
      '-sS',
      `${ORIGIN}/v1/chat/completions`,
      '-H',
      'authorization: Bearer plk_test',
      '-H',
      'content-type: application/json',
      '-H',
      'x-plimsoll-feature: customer-support',
      '-H',
      "x-plimsoll-user: o'neil $(id)",
      '-d',
      input,
    ]);
  });

  it('goes to where the call went', () => {
    const textOf = (path: string): string => {
      const curl = curlOf(TRACE, { input: '{}', isTruncated: false, attributes: { 'url.path': path } }, ORIGIN);
      return curl.kind === 'command' ? curl.text : '';
    };
    assert.match(textOf('/v1/messages'), /'http:\/\/127\.0\.0\.1:4000\/v1\/messages'/);
    assert.match(textOf('/v1beta/models/g:streamGenerateContent'), /:streamGenerateContent\?alt=sse'/);
    assert.match(textOf('https://elsewhere.example'), /\/v1\/chat\/completions'/);
  });

  it('says why there is none', () => {
    assert.deepEqual(curlOf(TRACE, null, ORIGIN).kind, 'unavailable');
    assert.match(JSON.stringify(curlOf(TRACE, { input: '{"messages":[', isTruncated: true, attributes: {} }, ORIGIN)), /cut/);
    assert.match(JSON.stringify(curlOf(TRACE, { input: 'Hello', isTruncated: false, attributes: {} }, ORIGIN)), /preview/);
  });
});
