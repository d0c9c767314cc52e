import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { providerKinds } from '../gateway/provider-kinds.ts';
import { configSchema, parseConfig } from '../kernel/config/load.ts';
import { priceFromConfig, resolveCatalogue } from './catalogue.ts';
import { configSections, modelsConfig, ProviderConfig, pricesConfig, providersConfig } from './config.ts';
import { readShippedPriceBook } from './price-book.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const SIM = 'http://127.0.0.1:4999/v1';

function problems(value: unknown): string[] {
  const parsed = ProviderConfig.safeParse(value);
  return parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

function catalogue(providers: unknown, models: unknown, prices: unknown = {}) {
  const config = { providers: providersConfig.parse(providers), models: modelsConfig.parse(models), prices: pricesConfig.parse(prices) };
  return resolveCatalogue(config, readShippedPriceBook(), providerKinds, NOW, () => SIM);
}

describe('catalogue', () => {
  it('fills in what a provider leaves out', () => {
    const built = catalogue(
      { openai: { kind: 'openai', apiKey: '${OPENAI_API_KEY}', timeouts: { idleMs: 5_000 } } },
      { 'gpt-4o': { provider: 'openai', model: 'gpt-4o' } },
    );
    assert.deepEqual(built.providers, [
      {
        name: 'openai',
        kind: 'openai',
        baseUrl: 'https://api.openai.com/v1',
        apiKey: { env: 'OPENAI_API_KEY' },
        settings: {},
        secrets: {},
        headers: {},
        timeouts: { connectMs: 2_000, firstByteMs: 30_000, idleMs: 5_000, totalMs: 600_000 },
        maxConnections: 256,
        dialect: 'openai',
        isSimulated: false,
      },
    ]);
    assert.match(built.models[0]?.price?.priceId ?? '', /:openai\/gpt-4o$/);
    assert.deepEqual(built.issues, []);
  });

  it('prices by the config first, and simulated models by the config only', () => {
    const built = catalogue(
      { openai: { kind: 'openai' }, sim: { kind: 'sim', dialect: 'anthropic' } },
      { own: { provider: 'openai', model: 'gpt-4o' }, a: { provider: 'sim', model: 'gpt-4o' }, b: { provider: 'sim', model: 'sim-large' } },
      {
        own: { inputPerMillionUsd: 1, outputPerMillionUsd: 2 },
        b: { inputPerMillionUsd: 0.5, outputPerMillionUsd: 1.5, cacheReadPerMillionUsd: 0.05 },
      },
    );
    const price = (name: string) => built.models.find((model) => model.name === name)?.price ?? null;
    assert.deepEqual(price('own')?.perToken, { inputUncachedTokens: '1000000', cacheReadTokens: '1000000', outputTextTokens: '2000000' });
    assert.match(price('own')?.priceId ?? '', /^config:own@[0-9a-f]{12}$/);
    assert.equal(price('a'), null);
    assert.equal(price('b')?.perToken.cacheReadTokens, '50000');
    assert.deepEqual([built.providers[1]?.baseUrl, built.providers[1]?.dialect, built.providers[1]?.isSimulated], [SIM, 'anthropic', true]);
  });

  it('reads prices by the piece, exact to the pico-dollar', () => {
    const { perUnit, perToken, priceId } = priceFromConfig('m', {
      perMillionCharactersUsd: 15,
      perSecondUsd: 0.0001,
      perImageUsd: 0.04,
      perThousandSearchesUsd: 2,
    });
    assert.deepEqual(perUnit, { characters: '15000000', seconds: '100000000', images: '40000000000', searches: '2000000000' });
    assert.deepEqual(perToken, {});
    assert.notEqual(priceId, priceFromConfig('m', { perImageUsd: 0.04 }).priceId);
    assert.equal(pricesConfig.safeParse({ m: { perImageUsd: 0.04 } }).success, true);
    assert.equal(pricesConfig.safeParse({ m: {} }).success, false);
    assert.equal(pricesConfig.safeParse({ m: { perImageUsd: 0.04, outputPerMillionUsd: 1 } }).success, false);
    assert.equal(pricesConfig.safeParse({ m: { perMillionCharactersUsd: 0.0000001 } }).success, false);
  });

  it('gives a changed price another id', () => {
    const id = (output: number) => priceFromConfig('m', { inputPerMillionUsd: 1, outputPerMillionUsd: output }).priceId;
    assert.equal(id(2), id(2));
    assert.notEqual(id(2), id(3));
  });

  it('says which names are unknown, with the nearest', () => {
    assert.equal(catalogue({}, { m: { provider: 'constructor', model: 'x' } }).issues.length, 1);
    const built = catalogue(
      { openai: { kind: 'openai' } },
      { m: { provider: 'opnai', model: 'x' } },
      { n: { inputPerMillionUsd: 1, outputPerMillionUsd: 1 } },
    );
    assert.deepEqual(built.issues, [
      { path: ['models', 'm', 'provider'], message: 'no provider is named "opnai"; did you mean "openai"?' },
      { path: ['prices', 'n'], message: 'no model is named "n"; did you mean "m"?' },
    ]);
  });

  it('knows when a price in use changes next', () => {
    const providers = { deepseek: { kind: 'openai-compatible', baseUrl: 'https://api.deepseek.com/v1' } };
    assert.equal(
      catalogue(providers, { d: { provider: 'deepseek', model: 'deepseek-chat' } }).nextPriceChangeMs,
      Date.parse('2026-06-01T00:30:00Z'),
    );
    assert.equal(catalogue({ openai: { kind: 'openai' } }, { m: { provider: 'openai', model: 'gpt-4o' } }).nextPriceChangeMs, null);
  });

  it('passes settings and secrets on, and prices a kind by its own list', () => {
    const built = catalogue(
      {
        azure: { kind: 'azure-openai', settings: { resource: 'acme', apiVersion: '2024-10-21' }, secrets: { entraToken: '${TOKEN}' } },
        grok: { kind: 'xai', apiKey: '${XAI}' },
      },
      { 'gpt-4o': { provider: 'azure', model: 'gpt-4o' }, grok: { provider: 'grok', model: 'grok-4' } },
    );
    assert.deepEqual(built.issues, []);
    assert.equal(built.providers[0]?.baseUrl, 'https://acme.openai.azure.com');
    assert.deepEqual(built.providers[0]?.settings, { resource: 'acme', apiVersion: '2024-10-21' });
    assert.deepEqual(built.providers[0]?.secrets, { entraToken: { env: 'TOKEN' } });
    assert.match(built.models[0]?.price?.priceId ?? '', /:azure\/gpt-4o$/);
    assert.match(built.models[1]?.price?.priceId ?? '', /:x-ai\/grok-4/);
  });

  it('drops trailing slashes of a simulated provider, and says when it has no address', () => {
    const config = { providers: providersConfig.parse({ s: { kind: 'sim' } }), models: {}, prices: {} };
    assert.match(resolveCatalogue(config, readShippedPriceBook(), providerKinds, NOW, () => null).issues[0]?.message ?? '', /no address/);
    assert.equal(catalogue({ s: { kind: 'sim', baseUrl: 'http://h/v1//' } }, {}).providers[0]?.baseUrl, 'http://h/v1');
  });
});

describe('provider config', () => {
  it('accepts only http and https, without credentials, query or fragment', () => {
    for (const good of ['http://127.0.0.1:1/v1', 'https://api.groq.com/openai/v1'])
      assert.deepEqual(problems({ kind: 'openai', baseUrl: good }), []);
    for (const bad of ['ftp://h', 'file:///etc/passwd', 'not a url', 'https://user:secret@h/v1', 'https://h/v1?key=1', 'https://h/#x'])
      assert.equal(problems({ kind: 'openai', baseUrl: bad }).length, 1, bad);
  });

  it('keeps keys out of the file, except where nothing is behind them', () => {
    assert.match(problems({ kind: 'openai', apiKey: 'sk-live' })[0] ?? '', /^apiKey: write "\$\{NAME\}"/);
    assert.deepEqual(problems({ kind: 'openai', apiKey: '${KEY}' }), []);
    assert.deepEqual(problems({ kind: 'openai-compatible', baseUrl: 'http://localhost:11434/v1', apiKey: 'ollama' }), []);
    assert.match(problems({ kind: 'openai', baseUrl: 'http://127.0.0.1.evil.example/v1', apiKey: 'sk' })[0] ?? '', /^apiKey/);
    assert.match(
      problems({ kind: 'bedrock', secrets: { secretAccessKey: 'AKIA' } })[0] ?? '',
      /^secrets\.secretAccessKey: write "\$\{NAME\}"/,
    );
    assert.deepEqual(
      problems({ kind: 'bedrock', secrets: { secretAccessKey: '${AWS}' }, settings: { region: 'eu-west-1', dated: 1 } }),
      [],
    );
    assert.match(problems({ kind: 'openai', headers: { Authorization: 'Bearer sk' } })[0] ?? '', /^headers: "Authorization"/);
    assert.match(problems({ kind: 'openai', headers: { 'x-a': 'a\r\nb' } })[0] ?? '', /not a header value/);
  });

  it('refuses what does not belong together, unknown keys, and prices finer than money', () => {
    assert.match(problems({ kind: 'openai', dialect: 'anthropic' })[0] ?? '', /^dialect: only for kind: sim/);
    assert.match(problems({ kind: 'openai', timeout: 1 })[0] ?? '', /timeout/);
    assert.equal(pricesConfig.safeParse({ m: { inputPerMillionUsd: 0.0000001, outputPerMillionUsd: 1 } }).success, false);
    assert.equal(pricesConfig.safeParse({ m: { inputPerMillionUsd: -1, outputPerMillionUsd: 1 } }).success, false);
    assert.equal(pricesConfig.safeParse({ m: { inputPerMillionUsd: 1 } }).success, false);
  });

  it('is read from plimsoll.yaml, and a misspelt key gets its line and the nearest name', () => {
    const parse = (text: string) => parseConfig(text, 'plimsoll.yaml', configSchema(configSections), null);
    const good =
      'version: 1\nproviders:\n  openai: { kind: openai, apiKey: "${OPENAI_API_KEY}" }\nmodels:\n  m: { provider: openai, model: gpt-4o }\n';
    assert.deepEqual((parse(good) as { prices: unknown }).prices, {});
    assert.throws(
      () => parse(good.replace('apiKey', 'apikey')),
      /plimsoll\.yaml:3:\d+ {2}providers\.openai\.apikey: unknown key; did you mean "apiKey"\?/,
    );
    assert.throws(
      () => parse(good.replace('"${OPENAI_API_KEY}"', 'sk-live')),
      /plimsoll\.yaml:3:\d+ {2}providers\.openai\.apiKey: write "\$\{NAME\}"/,
    );
  });

  it('describes every field', () => {
    const missing: string[] = [];
    const visit = (node: unknown, path: string): void => {
      const { properties, additionalProperties, description } = node as Record<string, unknown>;
      if (description === undefined && !path.endsWith('*')) missing.push(path);
      for (const [key, value] of Object.entries((properties ?? {}) as object)) visit(value, `${path}.${key}`);
      if (typeof additionalProperties === 'object' && additionalProperties !== null && 'properties' in additionalProperties)
        visit(additionalProperties, `${path}.*`);
    };
    for (const [key, schema] of Object.entries({ providers: providersConfig, models: modelsConfig, prices: pricesConfig }))
      visit(z.toJSONSchema(schema, { io: 'input' }), key);
    assert.deepEqual(missing, []);
  });
});
