import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { EXIT } from '../../src/app/process-messages.ts';
import { type PlimsollOptions, runPlimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { stubConfig } from '../harness/stub-provider.ts';
import { engineClient } from './engine-client.ts';
import { allGone, MOUNT_REFUSED, processesOf, smallDisk } from './processes.ts';

const CONFIG = stubConfig(9);

describe('a start that cannot succeed says why on stderr, exits with its documented code and leaves nothing running', {
  concurrency: 2,
}, () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'plimsoll-start-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  let nextDirectory = 1;
  const freshDirectory = () => join(root, `data-${nextDirectory++}`);

  async function expectFailure(options: PlimsollOptions, exitCode: number, ...words: RegExp[]): Promise<void> {
    const dataDirectory = options.dataDirectory ?? freshDirectory();
    const result = await runPlimsoll({ config: CONFIG, ...options, dataDirectory });
    for (const word of words) assert.match(result.stderr, word);
    assert.match(result.stderr, /^ {2}→ .+/m, 'no next action');
    assert.doesNotMatch(result.stderr, /^\s+at .+:\d+:\d+\)?$/m, 'a stack trace');
    assert.equal(result.exitCode, exitCode, result.stderr);
    assert.deepEqual(processesOf(dataDirectory), []);
  }

  it('port in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      await expectFailure(
        { variables: { PLIMSOLL_PORT: `${port}` } },
        EXIT.unavailable,
        new RegExp(`Port ${port} on 127.0.0.1 .*another program listens there`),
      );
    } finally {
      other.close();
    }
  });

  it('port that is none', async () => {
    await expectFailure({ variables: { PLIMSOLL_PORT: 'http' } }, EXIT.config, /PLIMSOLL_PORT must be a port number.*"http"/);
  });

  it('missing configuration', async () => {
    await expectFailure(
      { variables: { PLIMSOLL_CONFIG: join(root, 'nowhere.yaml') } },
      EXIT.config,
      /There is no configuration at .*nowhere\.yaml; "plimsoll init" writes one/,
    );
  });

  it('misspelt key: line, column and the nearest key', async () => {
    const config = CONFIG.replace('costOwner', 'costOnwer');
    await expectFailure(
      { config },
      EXIT.config,
      /plimsoll\.yaml:6:\d+ {2}features\.load\.costOnwer: unknown key; did you mean "costOwner"\?/,
    );
  });

  it('broken YAML: line and column', async () => {
    await expectFailure({ config: 'version: 1\nroutes: { default: [\n' }, EXIT.config, /plimsoll\.yaml:\d+:\d+/);
  });

  it('an environment variable that is not set: its name and line', async () => {
    const config = `${CONFIG}keys:\n  - { name: dev, key: "\${PLIMSOLL_TEST_UNSET_KEY}", feature: load }\n`;
    await expectFailure(
      { config },
      EXIT.config,
      /plimsoll\.yaml:8:\d+ {2}keys\[0\]\.key: the environment variable PLIMSOLL_TEST_UNSET_KEY is not set/,
    );
  });

  it('a route that mixes simulated and real targets', async () => {
    const config = CONFIG.replace('providers: {', 'providers: { fake: { kind: sim },')
      .replace('models: {', 'models: { fake-model: { provider: fake, model: sim-small },')
      .replace('targets: [stub-model]', 'targets: [stub-model, fake-model]');
    await expectFailure({ config }, EXIT.config, /mixes simulated \(fake-model\) and real targets/);
  });

  it('role gateway without a control to follow', async () => {
    await expectFailure({ args: ['--role', 'gateway'] }, EXIT.config, /PLIMSOLL_CONTROL_URL/);
  });

  it('read-only data directory', { skip: MOUNT_REFUSED ?? false }, async () => {
    const disk = smallDisk('1m');
    try {
      disk.remount('ro');
      await expectFailure(
        { dataDirectory: join(disk.path, 'data') },
        EXIT.cannotCreate,
        /Cannot use the data directory .*(EROFS|read-only)/i,
      );
    } finally {
      disk.remove();
    }
  });

  it('a disk that is full from the start', { skip: MOUNT_REFUSED ?? false }, async () => {
    const disk = smallDisk('8k');
    try {
      await expectFailure({ dataDirectory: join(disk.path, 'data') }, EXIT.cannotCreate, /no space left|ENOSPC/i);
    } finally {
      disk.remove();
    }
  });

  it('data directory of another user', { skip: process.getuid?.() === 0 ? 'root may write everywhere' : false }, async () => {
    const directory = mkdtempSync(join(root, 'locked-'));
    chmodSync(directory, 0o500);
    await expectFailure({ dataDirectory: join(directory, 'data') }, EXIT.cannotCreate, /EACCES|permission denied/i);
  });

  it('data directory in use by another Plimsoll; data newer than this version', { timeout: 600_000 }, async () => {
    const dataDirectory = freshDirectory();
    const first = await startPlimsoll({ config: CONFIG, dataDirectory });
    try {
      const holder = (await first.pids()).supervisor;
      const second = await runPlimsoll({ config: CONFIG, dataDirectory });
      assert.match(second.stderr, new RegExp(`in use by the Plimsoll with process id ${holder}`));
      assert.equal(second.exitCode, EXIT.cannotCreate);
      assert.equal((await fetch(`${first.url}/readyz`)).status, 200, 'the first one was disturbed');
      const engine = await engineClient(first);
      await engine.insert({ table: 'schema_migrations', values: [{ version: 9_999, name: 'from the future' }], format: 'JSONEachRow' });
      await engine.close();
    } finally {
      assert.equal(await first.stop(), EXIT.ok);
    }
    await allGone(dataDirectory);
    await expectFailure({ dataDirectory }, EXIT.dataNewer, /trace store has schema version 9999/, /newer/i);
    const database = new DatabaseSync(join(dataDirectory, 'control', 'control.db'));
    database.exec("INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (9998, 'from the future', 0)");
    database.close();
    await expectFailure({ dataDirectory }, EXIT.dataNewer, /control store has schema version 9998/);
  });
});
