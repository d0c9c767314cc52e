import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Status } from '../../src/app/catalogue-routes.ts';
import type { CacheCheckReport, CacheView } from '../../src/gateway/cache/model.ts';
import { ADMIN_KEY, eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { cli } from './cli-run.ts';

const EMBEDDER = '{ model: vectors, timeoutMs: 10000 }';
const configWith = (mode: string, embedder = EMBEDDER): string => `version: 1
providers: { sim: { kind: sim } }
models:
  answers: { provider: sim, model: sim-small }
  vectors: { provider: sim, model: sim-large }
  others: { provider: sim, model: sim-small }
routes: { mixed: { targets: [vectors, others] } }
prices:
  answers: { inputPerMillionUsd: 1, outputPerMillionUsd: 2 }
  vectors: { inputPerMillionUsd: 1, outputPerMillionUsd: 0 }
features:
  faq: { owner: a, costOwner: a@example.com, route: answers, cache: { mode: ${mode}, semantic: { threshold: 0.85, embedder: ${embedder} } } }
keys: [{ name: dev, key: "cache-embedder-test-key-0123456789", feature: faq }]
sim: { seed: 1, latencyFactor: 0 }
`;
const KEY = 'cache-embedder-test-key-0123456789';

describe('a semantic cache that compares by a model, in a whole tree', { timeout: 600_000 }, () => {
  let plimsoll: Plimsoll;
  let file: string;
  before(async () => {
    plimsoll = await startPlimsoll({ config: configWith('near') });
    file = path.join(plimsoll.dataDirectory, 'pairs.jsonl');
    const different = Array.from({ length: 200 }, (_, place) => ({ a: `Is it ${place} days`, b: `Is it ${place + 1} days`, same: false }));
    const same = { a: 'How do I pay the bill', b: 'How can I pay the bill', same: true };
    writeFileSync(file, [same, ...different].map((pair) => JSON.stringify(pair)).join('\n'));
    await eventually(
      'the trace store',
      () => plimsoll.api('/api/v1/traces?limit=1').catch(() => null),
      (answer) => answer !== null,
    );
  });
  after(() => plimsoll.stop());

  const status = () => plimsoll.api<Status>('/api/v1/status');
  const check = (virtualKey?: string) =>
    cli(['cache', 'check', 'faq', '--pairs', file, '--json'], {
      cwd: plimsoll.dataDirectory,
      variables: {
        PLIMSOLL_URL: plimsoll.url,
        PLIMSOLL_ADMIN_KEY: ADMIN_KEY,
        PLIMSOLL_DATA_DIR: plimsoll.dataDirectory,
        ...(virtualKey === undefined ? {} : { PLIMSOLL_VIRTUAL_KEY: virtualKey }),
      },
    });
  const ask = async (content: string): Promise<string | null> => {
    const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'answers', messages: [{ role: 'user', content }] }),
    });
    assert.equal(answer.status, 200, await answer.text());
    return answer.headers.get('x-plimsoll-cache');
  };

  it('refuses a route of several models: their vectors say nothing of each other', async () => {
    writeFileSync(plimsoll.configPath, configWith('near', '{ model: mixed }'));
    const refused = await eventually('the refusal', status, ({ config }) => config.error !== null);
    assert.match(refused.config.error ?? '', /"mixed" leads to sim-large, sim-small: vectors of different models/);
    writeFileSync(plimsoll.configPath, configWith('near'));
    await eventually('a good one', status, ({ config }) => config.error === null);
  });

  it('is checked with the vectors of the same model, asked for through the gateway', async () => {
    const keyless = await check();
    assert.notEqual(keyless.exitCode, 0);
    assert.match(keyless.stderr, /compared by \\"vectors\\"; set PLIMSOLL_VIRTUAL_KEY/);
    const passed = await check(KEY);
    assert.equal(passed.exitCode, 0, passed.stderr);
    const report = passed.json<CacheCheckReport>();
    assert.deepEqual([report.verdict, report.embedder], ['safe', 'model:sim-large']);
    assert.ok((report.recommendedThreshold ?? 1) <= 0.85);
  });

  it('works under that check and no other, and what its vectors cost is counted', async () => {
    writeFileSync(plimsoll.configPath, configWith('semantic', 'lexical'));
    const refused = await eventually('the refusal', status, ({ config }) => config.error !== null);
    assert.match(refused.config.error ?? '', /compares by lexical-1, and what was checked is model:sim-large/);
    writeFileSync(plimsoll.configPath, configWith('semantic'));
    await eventually('it is in force', status, ({ config }) => config.error === null);
    const view = async () => (await plimsoll.api<CacheView>('/api/v1/cache')).features.find(({ feature }) => feature === 'faq');
    assert.equal((await view())?.semantic?.state, 'shadow');
    assert.equal((await view())?.embeddingModel, 'vectors');
    for (const words of ['do I', 'can I', 'could I', 'do we', 'can we', 'could we', 'do you', 'can you'])
      assert.equal(await ask(`How ${words} find the nearest shop?`), 'miss');
    const measured = await eventually('comparisons have arrived', view, (entry) => (entry?.semantic?.samples ?? 0) >= 3);
    assert.equal(measured?.semantic?.state, 'shadow');
    const metrics = await (await fetch(`${plimsoll.url}/metrics`)).text();
    const cost = /^llm_cost_usd_total\{[^}]*feature="plimsoll-cache"[^}]*\} (\S+)$/m.exec(metrics)?.[1];
    assert.ok(Number(cost) > 0, String(cost));
  });
});
