import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Status } from '../../src/app/catalogue-routes.ts';
import type { CacheCheckReport, CacheView } from '../../src/gateway/cache/model.ts';
import { within } from '../../src/kernel/testing.ts';
import { ADMIN_KEY, eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { type StubProvider, startStubProvider, stubConfig } from '../harness/stub-provider.ts';
import { cli } from './cli-run.ts';

/** "Within a second", with room for the hops of the asking itself. */
const SOON_MS = 3_000;

describe('the answer cache of a whole tree', { timeout: 600_000 }, () => {
  let provider: StubProvider;
  let plimsoll: Plimsoll;
  const feature = 'load';
  const withCache = (cache: string): string =>
    stubConfig(provider.port, 'gateway: { workers: 2 }').replace('load: {', `load: { cache: ${cache},`);
  before(async () => {
    provider = await startStubProvider();
    plimsoll = await startPlimsoll({ config: withCache('{ mode: near, ttlSeconds: 600 }') });
  });
  after(async () => {
    await plimsoll.stop();
    await provider.close();
  });

  /** On a connection of its own, so that either worker may take it. */
  const ask = (text: string): Promise<string | null> =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${plimsoll.virtualKey}`,
        'content-type': 'application/json',
        'x-plimsoll-tags': 'product=a',
      };
      const call = request(`${plimsoll.url}/v1/chat/completions`, { method: 'POST', agent: false, headers }, (answer) => {
        answer.resume();
        answer.on('end', () =>
          answer.statusCode === 200
            ? resolve((answer.headers['x-plimsoll-cache'] as string) ?? null)
            : reject(new Error(`${answer.statusCode}`)),
        );
      });
      call.on('error', reject);
      call.end(JSON.stringify({ model: 'default', messages: [{ role: 'user', content: text }] }));
    });
  /** Each of two workers has a cache of its own: asked, by several at once, until both have missed it. */
  const fill = async (text: string): Promise<void> => {
    for (let misses = 0; misses < 2; ) {
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => ask(text)));
      misses += outcomes.filter((outcome) => outcome === 'miss').length;
    }
  };
  const run = (...words: string[]) =>
    cli(words, {
      cwd: plimsoll.dataDirectory,
      variables: { PLIMSOLL_URL: plimsoll.url, PLIMSOLL_ADMIN_KEY: ADMIN_KEY, PLIMSOLL_DATA_DIR: plimsoll.dataDirectory },
    });
  const view = async () => {
    const found = (await plimsoll.api<CacheView>('/api/v1/cache')).features.find((entry) => entry.feature === feature);
    assert.ok(found);
    return found;
  };

  it('serves, counts in the ledger, and shows what it saved', async () => {
    await fill('How long does delivery take?');
    assert.equal(await ask('how long does  delivery take'), 'near-hit');
    const shown = await eventually('the ledger has the calls', view, (entry) => entry.nearHits >= 1 && (entry.entries ?? 0) >= 1);
    assert.ok(shown.hits >= 6 && shown.misses >= 1 && (shown.hitInterval?.[0] ?? 0) > 0);
    assert.ok(shown.savedInputTokens + shown.savedOutputTokens > 0);
    const stats = await run('cache', 'stats');
    assert.match(stats.stdout, new RegExp(`^${feature} +near +[\\d,]+ +[\\d,]+ +\\d+ +\\d+\\.\\d %`, 'm'), stats.stderr);
    const metrics = await (await fetch(`${plimsoll.url}/metrics`)).text();
    assert.match(metrics, /plimsoll_cache_requests_total\{feature="load",outcome="near-hit"\} 1/);
  });

  it('a purge reaches every worker within a second', async () => {
    await fill('Do you ship abroad?');
    const refused = await run('cache', 'purge');
    assert.equal(refused.exitCode, 1 + 63);
    const purged = await run('cache', 'purge', feature, '--tag', 'product=b', '--json');
    assert.equal(purged.exitCode, 0, purged.stderr);
    assert.equal(await ask('Do you ship abroad?'), 'hit', 'another tag');
    await plimsoll.api('/api/v1/cache/purge', { method: 'POST', body: { tag: 'product=a' } });
    await eventually(
      'both workers ask the provider again',
      async () => [await ask('Do you ship abroad?'), await ask('Do you ship abroad?')],
      (found) => found.includes('miss'),
      within(SOON_MS),
    );
  });

  it('refuses mode semantic until a check has passed, then measures in shadow', async () => {
    const status = () => plimsoll.api<Status>('/api/v1/status');
    writeFileSync(plimsoll.configPath, withCache('{ mode: semantic, ttlSeconds: 600, semantic: { threshold: 0.8 } }'));
    const refused = await eventually('it is refused', status, ({ config }) => config.error !== null);
    assert.match(refused.config.error ?? '', /mode is semantic and no check has shown that this is safe; run "plimsoll cache check/);
    assert.equal((await view()).mode, 'near');
    const file = path.join(plimsoll.dataDirectory, 'pairs.jsonl');
    const different = Array.from({ length: 200 }, (_, place) => ({ a: `Is it ${place} days`, b: `Is it ${place + 1} days`, same: false }));
    const same = { a: 'How do I pay the bill', b: 'How can I pay the bill', same: true };
    writeFileSync(file, `${[same, ...different].map((pair) => JSON.stringify(pair)).join('\n')}\n{"a":1}\n`);
    const wrong = await run('cache', 'check', feature, '--pairs', file);
    assert.match(wrong.stderr, /pairs\.jsonl:202: a: /);
    writeFileSync(
      file,
      different
        .map((pair) => JSON.stringify(pair))
        .slice(0, 20)
        .join('\n'),
    );
    const few = await run('cache', 'check', feature, '--pairs', file);
    assert.equal(few.exitCode, 2);
    assert.match(few.stdout, /Verdict: too few pairs\. 20 pairs labelled different .* at least 189/);
    writeFileSync(file, [same, ...different].map((pair) => JSON.stringify(pair)).join('\n'));
    const passed = await run('cache', 'check', feature, '--pairs', file, '--json');
    assert.equal(passed.exitCode, 0, passed.stderr);
    assert.equal(passed.json<CacheCheckReport>().verdict, 'safe');
    await eventually('it is in force', status, ({ config }) => config.error === null);
    assert.equal((await view()).semantic?.state, 'shadow');
    for (const words of ['do I', 'can I', 'could I', 'do we', 'can we', 'could we', 'do you', 'can you'])
      assert.notEqual(await ask(`How ${words} find the nearest shop?`), 'semantic-hit');
    const measured = await eventually('comparisons have arrived', view, (entry) => (entry.semantic?.samples ?? 0) >= 3);
    assert.equal(measured.semantic?.state, 'shadow');
    assert.ok(measured.semantic?.falseHitInterval);
  });
});
