import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

const DEPLOY = fileURLToPath(new URL('../../deploy', import.meta.url));
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const skip = has('prometheus') && has('promtool') ? false : 'no Prometheus: apt-get install prometheus';

/** "broken" fails, costs more than it may, and makes things up; "limited" is refused; "healthy" is well. */
const CONFIG = `version: 1
providers: { sim: { kind: sim, dialect: openai } }
models: { small: { provider: sim, model: sim-small } }
prices: { small: { inputPerMillionUsd: 1, outputPerMillionUsd: 4, cacheReadPerMillionUsd: 0.5 } }
routes: { default: { targets: [small] } }
features:
  healthy: { route: default }
  broken: { route: default, output: { schema: { type: object } } }
  limited: { route: default }
limits:
  - { scope: feature, name: broken, budgetUsd: 0.0001, per: day, onExceed: alert }
  - { scope: feature, name: limited, requestsPerDay: 2 }
sim: { seed: 1, latencyFactor: 0 }
`;

interface Answer<T> {
  readonly status: string;
  readonly error?: string;
  readonly data: T;
}
interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}
interface Rule {
  readonly type: 'alerting' | 'recording';
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  readonly alerts?: readonly { readonly state: string; readonly labels: Readonly<Record<string, string>> }[];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('Prometheus, its rules and the Grafana dashboards', { skip, timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'plimsoll-prometheus-'));
  let plimsoll: Plimsoll;
  let prometheus: ChildProcess;
  let base = '';
  let log = '';
  const keys = new Map<string, string>();

  async function chat(feature: string, fault: string | null, isStream = false): Promise<number> {
    const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${keys.get(feature)}`,
        'content-type': 'application/json',
        ...(fault === null ? {} : { 'x-sim-fault': fault }),
      },
      body: JSON.stringify({ model: 'default', stream: isStream, messages: [{ role: 'user', content: `What is ${Math.random()}?` }] }),
    });
    await answer.text();
    return answer.status;
  }
  async function traffic(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const statuses = await Promise.all([
        chat('healthy', null),
        chat('healthy', null, true),
        chat('broken', null),
        chat('broken', 'error:500'),
        chat('limited', null),
      ]);
      assert.deepEqual(statuses.slice(0, 3), [200, 200, 200]);
      assert.ok((statuses[3] ?? 0) >= 500);
    }
  }
  const ask = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${base}/api/v1/${path}`)).json()) as Answer<T>; // Prometheus’ own API
    assert.equal(answer.status, 'success', `${path}: ${answer.error}`);
    return answer.data;
  };
  const query = async (expression: string) =>
    (
      await ask<{ result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[] }>(
        `query?query=${encodeURIComponent(expression)}`,
      )
    ).result;
  const rules = async () =>
    (await ask<{ groups: readonly { readonly rules: readonly Rule[] }[] }>('rules')).groups.flatMap((group) => group.rules);

  before(async () => {
    plimsoll = await startPlimsoll({ config: CONFIG });
    for (const feature of ['healthy', 'broken', 'limited']) {
      const { key } = await plimsoll.api<{ key: string }>('/api/v1/keys', { method: 'POST', body: { name: feature, feature } });
      keys.set(feature, key);
    }
    // Counters are there before they move: Prometheus counts the difference between two readings.
    await traffic(3);
    writeFileSync(
      join(directory, 'rules.yml'),
      readFileSync(join(DEPLOY, 'prometheus', 'plimsoll-rules.yml'), 'utf8').replaceAll(/for: \S+/g, 'for: 0s'),
    );
    const shipped = readFileSync(join(DEPLOY, 'prometheus', 'prometheus.yml'), 'utf8');
    const config = shipped
      .replaceAll('15s', '1s')
      .replace('plimsoll-rules.yml', 'rules.yml')
      .replace('127.0.0.1:4000', new URL(plimsoll.url).host);
    writeFileSync(join(directory, 'prometheus.yml'), config);
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    prometheus.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    const up = () =>
      fetch(`${base}/-/ready`).then(
        (answer) => answer.status,
        () => 0,
      );
    await eventually('Prometheus', up, (status) => status === 200);
    await eventually(
      'a first reading',
      () => query('llm_request_duration_seconds_count'),
      (found) => found.length >= 3,
    );
    await traffic(40);
    const judged = Array.from({ length: 60 }, (_, place) => ({
      session: `s-${place}`,
      name: 'hallucination',
      value: place % 4 === 0,
      source: 'llm',
      evaluator: 'judge@1',
    }));
    const scored = await fetch(`${plimsoll.url}/api/v1/scores/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.get('broken')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ batch: judged }),
    });
    assert.equal(scored.status, 202, await scored.text());
  });
  after(async () => {
    if (prometheus?.exitCode === null) {
      const gone = new Promise((resolve) => prometheus.once('close', resolve));
      prometheus.kill('SIGKILL');
      await gone;
    }
    await plimsoll?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('promtool reads what /metrics says, the rules, and their tests', async () => {
    const text = await (await fetch(`${plimsoll.url}/metrics`)).text();
    const metrics = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    // 3 = advice on names; 1 = not readable.
    assert.ok(metrics.status === 0 || metrics.status === 3, `${metrics.status} ${metrics.stderr}`);
    const folder = join(DEPLOY, 'prometheus');
    for (const args of [
      ['check', 'config', 'prometheus.yml'],
      ['test', 'rules', 'plimsoll-rules.test.yml'],
    ]) {
      const checked = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
      assert.equal(checked.status, 0, `${args.join(' ')}: ${checked.stdout} ${checked.stderr}`);
    }
  });

  it('scrapes without a warning', async () => {
    const { activeTargets } = await ask<{ activeTargets: readonly { readonly health: string; readonly lastError: string }[] }>('targets');
    assert.deepEqual(
      activeTargets.map(({ health, lastError }) => [health, lastError]),
      [['up', '']],
    );
    assert.doesNotMatch(log, /level=(warn|error)/);
  });

  it('gives a series for every query of every panel', async () => {
    // Read for the first time some seconds after the start, then every half minute.
    const judged = 'plimsoll_load_line_samples{feature="broken",line="hallucination"}';
    await eventually(
      'load lines with judgements',
      () => query(judged),
      ([found]) => Number(found?.value[1]) >= 60,
      90_000,
    );
    const empty: string[] = [];
    let count = 0;
    for (const file of readdirSync(join(DEPLOY, 'grafana'))) {
      const { panels } = JSON.parse(readFileSync(join(DEPLOY, 'grafana', file), 'utf8')) as { panels: readonly Panel[] }; // written by us
      for (const { title, targets } of panels) {
        for (const { expr } of targets) {
          const plain = expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(feature|provider)\b/g, '.*');
          assert.doesNotMatch(plain, /\$/, `${title} holds a variable that is not known here`);
          count += 1;
          if ((await query(plain)).length === 0) empty.push(`${file}: ${title}: ${plain}`);
        }
      }
    }
    assert.ok(count >= 35, `${count}`);
    assert.deepEqual(empty, []);
  });

  it('has no rule that cannot be evaluated, and fires for the feature with the planted faults and for no other', async () => {
    const critical = [
      'PlimsollErrorRateCritical',
      'PlimsollFormatErrorsCritical',
      'PlimsollDailySpendCritical',
      'PlimsollHallucinationCritical',
    ];
    const firing = (all: readonly Rule[]) =>
      all.flatMap(({ name, alerts = [] }) =>
        alerts.filter(({ state }) => state === 'firing').map(({ labels }) => `${name} ${labels.feature}`),
      );
    const all = await eventually(
      'the alerts',
      rules,
      (found) => critical.every((name) => firing(found).includes(`${name} broken`)),
      60_000,
    );
    assert.deepEqual(
      all.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError}`),
      [],
    );
    const others = firing(all).filter((alert) => !alert.endsWith(' broken') && !alert.endsWith(' limited'));
    assert.deepEqual(others, []);
    for (const { name, type } of all) if (type === 'recording') assert.ok((await query(name)).length > 0, `${name} has a series`);
  });
});
