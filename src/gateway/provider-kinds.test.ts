import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProviderConfig } from '../models/config.ts';
import { findAdapter } from './adapter-for.ts';
import { findProviderProblems, PROVIDER_KINDS, probeOf, providerKinds, resolveBaseUrl, simulatedBaseUrl } from './provider-kinds.ts';
import { ADAPTERS } from './providers/index.gen.ts';

function problems(provider: unknown): string[] {
  return findProviderProblems(ProviderConfig.parse(provider)).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

function baseUrl(kind: string, text?: string): string | null {
  const adapter = findAdapter(kind);
  assert.ok(adapter !== null);
  return resolveBaseUrl(adapter, text, {});
}

describe('provider kinds', () => {
  it('have one adapter each, named in plimsoll.yaml’s form', () => {
    assert.equal(new Set(PROVIDER_KINDS).size, PROVIDER_KINDS.length);
    assert.equal(PROVIDER_KINDS.length, ADAPTERS.length + 1);
    for (const kind of PROVIDER_KINDS) assert.match(kind, /^[a-z][a-z0-9-]*$/);
  });

  it('describe every setting, and serve chat for clients of the hub', () => {
    for (const adapter of ADAPTERS) {
      for (const [name, schema] of Object.entries(adapter.settings.shape))
        assert.ok((schema as { description?: string }).description, `${adapter.kind}.settings.${name}`);
      assert.ok(
        adapter.chat.some(({ dialect, encodeRequest }) => dialect === 'openai-chat' || encodeRequest !== null),
        adapter.kind,
      );
      for (const { dialect, answers } of adapter.chat) assert.equal(answers === null, dialect === 'openai-chat', adapter.kind);
    }
  });

  it('say where a simulated provider speaks their dialect', () => {
    assert.equal(simulatedBaseUrl('http://127.0.0.1:9', 'openai'), 'http://127.0.0.1:9/openai/v1');
    assert.equal(simulatedBaseUrl('http://127.0.0.1:9', 'anthropic'), 'http://127.0.0.1:9/anthropic/v1');
  });

  it('suggest the nearest kind', () => {
    assert.deepEqual(problems({ kind: 'opnai' }), ['kind: no provider kind is named "opnai"; did you mean "openai"?']);
    assert.match(problems({ kind: 'nothing-like-it' })[0] ?? '', /^kind: no provider kind is named "nothing-like-it"; known: anthropic, /);
    assert.deepEqual(problems({ kind: 'sim' }), []);
    assert.match(problems({ kind: 'sim', settings: { region: 'eu' } })[0] ?? '', /^settings.region: unknown setting/);
    assert.match(problems({ kind: 'sim', dialect: 'bedrock' })[0] ?? '', /^settings.region: an AWS region is needed/);
    assert.deepEqual(problems({ kind: 'sim', dialect: 'bedrock', apiKey: 'sim', settings: { region: 'eu-central-1' } }), []);
  });

  it('check settings and secrets against their adapter', () => {
    const azure = { kind: 'azure-openai', apiKey: '${KEY}', settings: { resource: 'acme' } };
    assert.deepEqual(problems(azure), []);
    assert.deepEqual(problems({ ...azure, settings: { resource: 'acme', apiVersoin: 'v1' } }), [
      'settings.apiVersoin: unknown setting; did you mean "apiVersion"?',
    ]);
    assert.deepEqual(problems({ ...azure, settings: { resource: 'acme', apiVersion: 'next' } }), [
      'settings.apiVersion: v1, preview or a date such as 2024-10-21',
    ]);
    assert.deepEqual(problems({ ...azure, secrets: { clientSecrt: '${S}' } }), [
      'secrets.clientSecrt: unknown secret; did you mean "clientSecret"?',
    ]);
    assert.deepEqual(problems({ kind: 'groq', secrets: { token: '${S}' } }), ['secrets.token: unknown secret; groq takes only apiKey']);
    assert.deepEqual(problems({ kind: 'groq', settings: { region: 'eu' } }), [
      'settings.region: unknown setting; this kind has no settings',
    ]);
  });

  it('say what is missing', () => {
    assert.match(problems({ kind: 'openai-compatible' })[0] ?? '', /^kind: .*needs baseUrl/);
    assert.match(problems({ kind: 'azure-openai', apiKey: '${KEY}' })[0] ?? '', /needs baseUrl/);
    assert.match(problems({ kind: 'azure-openai', settings: { resource: 'a' } })[0] ?? '', /exactly one of .* found none/);
    assert.match(
      problems({ kind: 'azure-openai', settings: { resource: 'a' }, secrets: { clientSecret: '${S}' } })[0] ?? '',
      /needs settings\.tenantId/,
    );
  });

  it('add the version to a bare host and drop trailing slashes', () => {
    assert.equal(baseUrl('anthropic'), 'https://api.anthropic.com/v1');
    assert.equal(baseUrl('anthropic', 'http://127.0.0.1:9/'), 'http://127.0.0.1:9/v1');
    assert.equal(baseUrl('anthropic', 'http://proxy/anthropic/v1/'), 'http://proxy/anthropic/v1');
    assert.equal(baseUrl('openai', 'http://h/v1//'), 'http://h/v1');
    assert.equal(baseUrl('perplexity'), 'https://api.perplexity.ai');
  });

  it('price by the list of the kind', () => {
    assert.equal(providerKinds.priceListOf('azure-openai'), 'azure');
    assert.equal(providerKinds.priceListOf('xai'), 'x-ai');
    assert.equal(providerKinds.priceListOf('ollama'), null);
    assert.equal(providerKinds.priceListOf('sim'), null);
  });

  it('probe with the headers of a call, never with a token that must be fetched', () => {
    const resolve = () => 'sk-1';
    const openai = probeOf(ProviderConfig.parse({ kind: 'openai', apiKey: '${KEY}', headers: { 'x-a': 'b' } }), resolve);
    assert.deepEqual(openai, {
      url: 'https://api.openai.com/v1/models',
      headers: { authorization: 'Bearer sk-1', 'x-a': 'b' },
      provesKey: true,
    });
    const settings = { resource: 'a', tenantId: 't', clientId: 'c' };
    const entra = probeOf(ProviderConfig.parse({ kind: 'azure-openai', settings, secrets: { clientSecret: '${S}' } }), resolve);
    assert.deepEqual(entra, { url: 'https://a.openai.azure.com', headers: {}, provesKey: false });
  });
});
