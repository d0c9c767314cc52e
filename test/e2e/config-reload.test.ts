import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { Status } from '../../src/app/catalogue-routes.ts';
import { within } from '../../src/kernel/testing.ts';
import { chat, stream } from '../fault/chat.ts';
import { type HeldProvider, startHeldProvider } from '../fault/held-provider.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { stubConfig } from '../harness/stub-provider.ts';

/** "Within a second", with room for the hops of the asking itself. */
const SOON_MS = 3_000;

describe('configuration and keys change while it runs', { timeout: 600_000 }, () => {
  let provider: HeldProvider;
  let plimsoll: Plimsoll;
  let config: string;
  before(async () => {
    provider = await startHeldProvider();
    config = stubConfig(provider.port).replaceAll('5000', '30000').replace('totalMs: 10000', 'totalMs: 60000');
    plimsoll = await startPlimsoll({ config });
  });
  after(async () => {
    await plimsoll.stop();
    await provider.close();
  });

  const status = () => plimsoll.api<Status>('/api/v1/status');
  const withFeature = (name: string) =>
    config.replace('features: {', `features: { ${name}: { owner: a, costOwner: a@example.com, route: default },`);
  const featureStatus = async (name: string) => {
    const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${roaming}`, 'content-type': 'application/json', 'x-plimsoll-feature': name },
      body: '{"model":"default","messages":[{"role":"user","content":"hello"}]}',
    });
    await answer.text();
    return answer.status;
  };
  let roaming = '';

  it('a key made by the API works within a second and a revoked one is refused within a second', async () => {
    const made = await plimsoll.api<{ id: string; key: string }>('/api/v1/keys', { method: 'POST', body: { name: 'short' } });
    const use = () =>
      fetch(`${plimsoll.url}/v1/models`, { headers: { authorization: `Bearer ${made.key}` } }).then((answer) => answer.status);
    await eventually('the new key works', use, (code) => code === 200, within(SOON_MS));
    await plimsoll.api(`/api/v1/keys/${made.id}`, { method: 'DELETE' });
    await eventually('the revoked key is refused', use, (code) => code === 401, within(SOON_MS));
    roaming = (await plimsoll.api<{ key: string }>('/api/v1/keys', { method: 'POST', body: { name: 'any feature' } })).key;
    await eventually(
      'the roaming key works',
      () => featureStatus('load'),
      (code) => code === 200,
      within(SOON_MS),
    );
  });

  it('a new feature is usable after the file changed, and a stream in flight is not dropped', async () => {
    assert.notEqual(await featureStatus('fresh'), 200);
    const running = await stream(plimsoll.url, plimsoll.virtualKey);
    await running.until('first');
    const { gateway: _gateway, ...before } = await plimsoll.pids();
    writeFileSync(plimsoll.configPath, withFeature('fresh'));
    await eventually(
      'the feature is usable',
      () => featureStatus('fresh'),
      (code) => code === 200,
    );
    assert.deepEqual(await plimsoll.pids(), before, 'a process was restarted');
    provider.release();
    assert.match(await running.rest(), / last.*data: \[DONE\]\s*$/s);
  });

  it('an editor that replaces the file is noticed too', async () => {
    const temporary = `${plimsoll.configPath}.new`;
    writeFileSync(temporary, withFeature('replaced'));
    renameSync(temporary, plimsoll.configPath);
    await eventually(
      'the feature is usable',
      () => featureStatus('replaced'),
      (code) => code === 200,
    );
    // What is no longer in the file is gone with the same reload.
    assert.notEqual(await featureStatus('fresh'), 200);
  });

  it('a bad file keeps the old configuration and says why, where an operator looks; a good one clears it', async () => {
    const { epoch } = (await status()).config;
    writeFileSync(plimsoll.configPath, withFeature('broken').replace('costOwner', 'costOnwer'));
    const refused = await eventually('the refusal', status, (state) => state.config.error !== null);
    assert.match(
      refused.config.error ?? '',
      /plimsoll\.yaml:6:\d+ {2}features\.broken\.costOnwer: unknown key; did you mean "costOwner"\?/,
    );
    assert.equal(refused.config.epoch, epoch);
    assert.match(plimsoll.output.stderr, /"event":"config_refused".*did you mean/);
    assert.match(await (await fetch(`${plimsoll.url}/metrics`)).text(), /^plimsoll_config_refused 1$/m);
    assert.equal(await featureStatus('replaced'), 200);
    writeFileSync(plimsoll.configPath, withFeature('mended'));
    await eventually(
      'the feature is usable',
      () => featureStatus('mended'),
      (code) => code === 200,
    );
    assert.equal((await status()).config.error, null);
  });

  it('a file that reads well but cannot be put in force is refused as a whole', async () => {
    const short = 'PLIMSOLL_TEST_NOT_SET';
    writeFileSync(
      plimsoll.configPath,
      `${withFeature('half')}keys:\n  - { name: dev, key: "too-short", feature: load }\n  - { name: other, key: "\${${short}}" }\n`,
    );
    const refused = await eventually('the refusal', status, (state) => state.config.error !== null);
    assert.match(refused.config.error ?? '', new RegExp(`plimsoll\\.yaml:9:\\d+ .*${short} is not set`));
    writeFileSync(plimsoll.configPath, `${withFeature('half')}keys:\n  - { name: dev, key: "too-short", feature: load }\n`);
    const again = await eventually('the second refusal', status, (state) => /9 characters/.test(state.config.error ?? ''));
    assert.match(again.config.error ?? '', /plimsoll\.yaml:8:\d+ .*keys\[0\]\.key/);
    assert.notEqual(await featureStatus('half'), 200);
    const { features } = await plimsoll.api<{ features: { name: string }[] }>('/api/v1/features');
    assert.deepEqual(features.map(({ name }) => name).sort(), ['load', 'mended'], 'the API shows a configuration that is not in force');
  });

  it('a route that mixes simulated and real targets is refused', async () => {
    const mixed = config
      .replace('providers: {', 'providers: { fake: { kind: sim },')
      .replace('models: {', 'models: { fake-model: { provider: fake, model: sim-small },')
      .replace('targets: [stub-model]', 'targets: [stub-model, fake-model]');
    writeFileSync(plimsoll.configPath, mixed);
    await eventually('the refusal', status, (state) => /mixes simulated \(fake-model\) and real/.test(state.config.error ?? ''));
    assert.equal((await chat(plimsoll.url, plimsoll.virtualKey)).status, 200);
  });

  it('control that is killed while the file is bad comes back with what was in force, and still says why', async () => {
    writeFileSync(plimsoll.configPath, 'version: 1\nnonsense: true\n');
    await eventually('refused', status, ({ config: { error } }) => error !== null);
    const { control } = await plimsoll.pids();
    process.kill(control ?? 0, 'SIGKILL');
    const back = await eventually(
      'control is back',
      async () => ({ pids: await plimsoll.pids(), status: await status() }),
      ({ pids }) => pids.control !== control,
    );
    assert.match(back.status.config.error ?? '', /nonsense/);
    assert.ok((await plimsoll.api<{ features: unknown[] }>('/api/v1/features')).features.length > 0);
    assert.equal(await featureStatus('load'), 200);
    writeFileSync(plimsoll.configPath, config);
    await eventually('taken up again', status, ({ config: { error } }) => error === null);
  });

  it('SIGHUP reads the file at once', async () => {
    writeFileSync(plimsoll.configPath, withFeature('hup'));
    const { supervisor } = await plimsoll.pids();
    process.kill(supervisor ?? 0, 'SIGHUP');
    await eventually(
      'the feature is usable',
      () => featureStatus('hup'),
      (code) => code === 200,
    );
    assert.equal((await plimsoll.pids()).supervisor, supervisor);
  });
});
