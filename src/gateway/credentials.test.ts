import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import { Credentials, resolveCredentials } from './credentials.ts';

describe('Credentials', () => {
  const credentials = new Credentials(new Secret('sk-canary-1'), new Map([['secretAccessKey', new Secret('aws-canary-2')]]));

  it('takes its values out of a text, and the token that is in use', () => {
    assert.equal(
      credentials.redact('bad key sk-canary-1 (sk-canary-1), aws-canary-2, ya29.canary', new Secret('ya29.canary')),
      'bad key [secret] ([secret]), [secret], [secret]',
    );
    assert.equal(new Credentials(new Secret('a')).redact('a cat'), 'a cat', 'a value that is part of every text is left');
  });

  it('takes them out of an error with its cause', () => {
    const error = new PlimsollError('provider_auth_failed', 'refused sk-canary-1', {
      cause: new Error('sk-canary-1'),
      details: { status: 401 },
    });
    const clean = credentials.redactError(error);
    assert.deepEqual(
      [clean.code, clean.message, clean.cause, clean.details.status],
      ['provider_auth_failed', 'refused [secret]', undefined, 401],
    );
    const harmless = new PlimsollError('provider_timeout', 'no byte');
    assert.equal(credentials.redactError(harmless), harmless);
  });

  it('names the first variable that is missing', () => {
    const resolve = (reference: { env: string } | { literal: string } | null) =>
      reference !== null && 'literal' in reference ? reference.literal : null;
    const provider = { apiKey: { literal: 'x' }, secrets: { a: { env: 'A' }, b: { env: 'B' } } };
    assert.equal(resolveCredentials(provider, resolve).missingSecret, 'A');
    assert.equal(resolveCredentials({ apiKey: null }, resolve).missingSecret, null);
    assert.equal(resolveCredentials(provider, resolve).credentials.apiKey?.reveal(), 'x');
  });
});
