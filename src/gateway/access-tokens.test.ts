import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { AccessTokens } from './access-tokens.ts';
import type { CompiledProvider } from './compiled-snapshot.ts';
import { NO_CREDENTIALS } from './credentials.ts';
import { closeServer, listen, sendJson, until } from './testing.ts';

describe('AccessTokens', () => {
  const clock = new FakeClock(1_800_000_000_000);
  const forms: string[] = [];
  let answer = (response: ServerResponse): void => sendJson(response, { access_token: `token-${forms.length}`, expires_in: 3600 });
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      forms.push(text);
      answer(response);
    });
  });
  let url = '';
  before(async () => {
    url = `http://127.0.0.1:${await listen(server)}/token`;
  });
  after(() => closeServer(server));

  /** Only what the tokens read of a provider. */
  function provider(id: string): CompiledProvider {
    const form = (nowMs: number) => Promise.resolve({ grant_type: 'client_credentials', at: String(nowMs) });
    return { name: 'azure', credentials: NO_CREDENTIALS, tokenGrant: { id, url, form } } as unknown as CompiledProvider;
  }

  /** Lets time pass, a little at a time, until it is so. */
  async function pass(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await clock.advance(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  function codeOf(tokens: AccessTokens, wanted: CompiledProvider): string {
    try {
      return tokens.get(wanted).reveal();
    } catch (thrown) {
      assert.ok(thrown instanceof PlimsollError);
      return `${thrown.code}: ${thrown.message}`;
    }
  }

  it('fetches at once, says so meanwhile, renews early, and serves the old one until its end', async () => {
    const tokens = new AccessTokens(clock);
    const wanted = provider('a');
    tokens.retain([wanted]);
    assert.equal(codeOf(tokens, wanted), 'provider_unavailable: "azure" has no access token yet; it is being fetched.');
    await until(() => codeOf(tokens, wanted) === 'token-1', 'the first token is there');
    assert.equal(forms[0], 'grant_type=client_credentials&at=1800000000000');
    const good = answer;
    answer = (response) => sendJson(response, { error: 'unavailable' }, 503);
    await clock.advance(2_880_000);
    await until(() => forms.length === 2, 'it was asked for at 80 % of its life');
    assert.equal(codeOf(tokens, wanted), 'token-1', 'the old one still serves');
    answer = good;
    await pass(() => codeOf(tokens, wanted) === 'token-3');
    tokens.retain([wanted]);
    assert.equal(forms.length, 3, 'a new snapshot fetches nothing that is there');
    tokens.close();
  });

  it('says that the credential was refused, with the OAuth code and without the text', async () => {
    const tokens = new AccessTokens(clock);
    const wanted = provider('b');
    answer = (response) => sendJson(response, { error: 'invalid_client', error_description: 'secret s3cr3t is wrong' }, 401);
    tokens.retain([wanted]);
    await until(() => codeOf(tokens, wanted).startsWith('provider_auth_failed'), 'the refusal is known');
    assert.match(codeOf(tokens, wanted), /refused the credential \(HTTP 401, invalid_client\)\.$/);
    answer = (response) => sendJson(response, { token: 'elsewhere' });
    await pass(() => codeOf(tokens, wanted).startsWith('provider_bad_response'));
    tokens.close();
  });

  it('stops for a provider that is gone', async () => {
    const tokens = new AccessTokens(clock);
    const wanted = provider('c');
    answer = (response) => sendJson(response, { access_token: 'c', expires_in: '3600' });
    tokens.retain([wanted]);
    await until(() => codeOf(tokens, wanted) === 'c', 'the token is there');
    tokens.retain([]);
    const asked = forms.length;
    await clock.advance(7_200_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(forms.length, asked);
    assert.match(codeOf(tokens, wanted), /^internal/);
  });
});
