import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestHeads } from './request-heads.ts';

describe('RequestHeads', () => {
  it('puts a head together once per header list and path', () => {
    const heads = new RequestHeads('api.example:8443');
    const list = ['x', 'first'];
    const head = 'POST /a HTTP/1.1\r\nhost: api.example:8443\r\nconnection: keep-alive\r\nx: first\r\n';
    assert.equal(heads.post('/a', list), head);
    // A list must not change; that a change shows nowhere shows that it was read once.
    list[1] = 'second';
    assert.equal(heads.post('/a', list), head);
    assert.match(heads.post('/b', list), /^POST \/b [\s\S]*x: second\r\n$/);
    assert.match(heads.post('/a', ['x', 'first']), /x: first\r\n$/);
  });

  it('keeps a bounded number of paths', () => {
    const heads = new RequestHeads('h');
    const list = ['x', 'first'];
    heads.post('/0', list);
    list[1] = 'second';
    for (let path = 1; path <= 1000; path++) heads.post(`/${path}`, list);
    assert.match(heads.post('/0', list), /x: second\r\n$/);
  });
});
