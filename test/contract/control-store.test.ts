import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { PlimsollError } from '../../src/kernel/errors.ts';
import { DEFAULT_SCOPE } from '../../src/kernel/scope.ts';
import { openControlStore } from '../../src/stores/sql/control-store.ts';
import { controlStoreContract } from './control-store.contract.ts';
import { POSTGRES_SKIP, TEST_DRIVERS } from './control-store-drivers.ts';

for (const driver of TEST_DRIVERS) controlStoreContract(driver);
describe('ControlStore contract: postgres', { skip: POSTGRES_SKIP }, () => {});

const OPENER = new URL('./control-store-opener.ts', import.meta.url).pathname;

/** Opens the store in a process of its own and answers with what it prints. */
function openElsewhere(location: object, user: { uid?: number } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [OPENER, JSON.stringify(location)], { stdio: ['ignore', 'pipe', 'pipe'], ...user });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (errors += chunk));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(output.trim()) : reject(new Error(`${code}: ${errors}`))));
  });
}

function directory(): string {
  return mkdtempSync(path.join(tmpdir(), 'plimsoll-control-'));
}

describe('Control store on SQLite', () => {
  it('is private to its user', async () => {
    const root = directory();
    const store = await openControlStore({ kind: 'sqlite', path: path.join(root, 'new', 'control.db') });
    await store.settings.put(DEFAULT_SCOPE, 'a', 1);
    assert.equal(statSync(path.join(root, 'new', 'control.db')).mode & 0o777, 0o600);
    assert.equal(statSync(path.join(root, 'new', 'control.db-wal')).mode & 0o777, 0o600);
    await store.close();
    rmSync(root, { recursive: true });
  });

  it('says data_dir_unusable for a path that cannot be a file', async () => {
    const root = directory();
    writeFileSync(path.join(root, 'file'), '');
    for (const impossible of [path.join(root, 'file', 'control.db'), root]) {
      await assert.rejects(openControlStore({ kind: 'sqlite', path: impossible }), (thrown: PlimsollError) => {
        assert.equal(thrown.code, 'data_dir_unusable');
        assert.ok(thrown.message.includes(impossible), thrown.message);
        return true;
      });
    }
    rmSync(root, { recursive: true });
  });

  it('says data_dir_unusable for a read-only directory, with and without an existing store', async () => {
    const root = directory();
    const file = path.join(root, 'control.db');
    // Root may write anywhere, so the process that tries is another user's.
    const user = process.getuid?.() === 0 ? { uid: 65534 } : {};
    chmodSync(root, 0o555);
    assert.match(await openElsewhere({ kind: 'sqlite', path: file }, user), /^data_dir_unusable: .*control\.db/);
    chmodSync(root, 0o755);
    await (await openControlStore({ kind: 'sqlite', path: file })).close();
    chmodSync(file, 0o666);
    chmodSync(root, 0o555);
    assert.match(await openElsewhere({ kind: 'sqlite', path: file }, user), /^data_dir_unusable: .*control\.db/);
    chmodSync(root, 0o755);
    rmSync(root, { recursive: true });
  });

  it('says store_unavailable for a file that is no database, and leaves it alone', async () => {
    const root = directory();
    const file = path.join(root, 'control.db');
    writeFileSync(file, 'this is a letter, not a database, and it is long enough to be read as a header of a hundred bytes or more.');
    await assert.rejects(
      openControlStore({ kind: 'sqlite', path: file }),
      (thrown: PlimsollError) => thrown.code === 'store_unavailable' && /not a database/.test(thrown.message),
    );
    rmSync(root, { recursive: true });
  });
});

for (const driver of TEST_DRIVERS) {
  describe(`Control store in several processes: ${driver.kind}`, () => {
    it('migrates once and loses no number when processes start at once', async () => {
      const on = await driver.create();
      const outputs = await Promise.all(Array.from({ length: 3 }, () => openElsewhere(on.location)));
      const epochs = outputs.flatMap((output) => output.split(' ').map(Number)).sort((a, b) => a - b);
      assert.deepEqual(
        epochs,
        Array.from({ length: 30 }, (_, index) => index + 1),
      );
      await on.remove();
    });
  });
}

for (const driver of TEST_DRIVERS) {
  describe(`Control store after kill -9: ${driver.kind}`, () => {
    it('has everything that was acknowledged', async () => {
      const on = await driver.create();
      for (let round = 0; round < 3; round++) {
        const child = spawn(process.execPath, [OPENER, JSON.stringify(on.location), 'forever'], { stdio: ['ignore', 'pipe', 'inherit'] });
        let output = '';
        child.stdout.on('data', (chunk) => {
          output += chunk;
          if (output.split('\n').length > 40 + round * 17) child.kill('SIGKILL');
        });
        await once(child, 'close');
        const acknowledged = Number(output.split('\n').at(-2));
        assert.ok(acknowledged > 30);
        const store = await openControlStore(on.location);
        const stored = Number(await store.settings.get(DEFAULT_SCOPE, 'snapshot.epoch'));
        assert.ok(stored >= acknowledged, `stored ${stored}, acknowledged ${acknowledged}`);
        await store.close();
      }
      await on.remove();
    });
  });
}

describe('Control store on PostgreSQL', () => {
  it('says store_unavailable when the server cuts its connections, and works again without a restart', {
    skip: POSTGRES_SKIP,
  }, async () => {
    const driver = TEST_DRIVERS.find(({ kind }) => kind === 'postgres');
    assert.ok(driver);
    const on = await driver.create();
    const store = await openControlStore(on.location);
    // Only the connection that holds a lock on this test's own table is cut.
    await assert.rejects(
      store.transaction(async (tx) => {
        await tx.settings.put(DEFAULT_SCOPE, 'a', 1);
        await on.query(
          `SELECT pg_terminate_backend(pid) FROM (SELECT DISTINCT pid FROM pg_locks WHERE relation = 'settings'::regclass AND pid <> pg_backend_pid()) mine`,
        );
        await tx.settings.put(DEFAULT_SCOPE, 'b', 1);
      }),
      (thrown: PlimsollError) => thrown.code === 'store_unavailable' && thrown.retryable,
    );
    assert.equal(await store.settings.get(DEFAULT_SCOPE, 'a'), null);
    await store.settings.put(DEFAULT_SCOPE, 'a', 2);
    assert.equal(await store.settings.get(DEFAULT_SCOPE, 'a'), 2);
    await store.close();
    await on.remove();
  });

  it('says store_unavailable without the password when no server answers', async () => {
    await assert.rejects(
      openControlStore({ kind: 'postgres', url: 'postgres://someone:hunter2@127.0.0.1:1/plimsoll' }),
      (thrown: PlimsollError) => {
        assert.equal(thrown.code, 'store_unavailable');
        assert.match(thrown.message, /127\.0\.0\.1:1\/plimsoll/);
        assert.ok(!thrown.message.includes('hunter2'));
        return true;
      },
    );
  });

  it('refuses a schema name that would need quoting', async () => {
    await assert.rejects(
      openControlStore({ kind: 'postgres', url: 'postgres://x@127.0.0.1:1/x', schema: 'a; drop table x' }),
      (thrown: PlimsollError) => thrown.code === 'config_invalid',
    );
  });
});
