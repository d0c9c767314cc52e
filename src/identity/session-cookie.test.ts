import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionCookie, sessionToken } from './session-cookie.ts';

const TOKEN = 'a'.repeat(43);

describe('session cookie', () => {
  it('cannot be read by scripts, is not sent across sites, and is Secure over TLS', () => {
    assert.equal(sessionCookie(TOKEN, false), `plimsoll_session=${TOKEN}; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict`);
    assert.match(sessionCookie(TOKEN, true), /; Secure$/);
    assert.match(sessionCookie(null, false), /^plimsoll_session=; Path=\/; Max-Age=0/);
  });

  it('is found among others; one of another form is none', () => {
    assert.equal(sessionToken({ cookie: `a=b; plimsoll_session=${TOKEN}; c=d` }), TOKEN);
    for (const cookie of ['', 'plimsoll_session=', `xplimsoll_session=${TOKEN}`, `plimsoll_session=${TOKEN}x`, 'plimsoll_session']) {
      assert.equal(sessionToken({ cookie }), null, cookie);
    }
    assert.equal(sessionToken({}), null);
  });
});
