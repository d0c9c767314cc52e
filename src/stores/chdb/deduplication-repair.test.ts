import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ClickHouseConnection } from '../clickhouse/client.ts';
import { parsePartName, withoutLostParts } from './deduplication-repair.ts';
import { startEngine } from './engine.ts';

describe('deduplication log', () => {
  it('keeps what is there in any form and forgets what is not', () => {
    const log = '1\t202606_1_1_0\ta\n1\t202606_2_2_0\tb\n1\t202607_2_2_0\tc\n2\t202605_1_1_0\td\n';
    assert.equal(withoutLostParts(log, ['202606_1_1_0', '202606_2_2_0', '202607_2_2_0']), null);
    assert.equal(withoutLostParts(log, ['202606_1_5_1', '202607_1_9_3_12', 'detached', 'format_version.txt']), null);
    assert.equal(
      withoutLostParts(log, ['202606_1_5_1', 'tmp_insert_202607_2_2_0', '202607_3_3_0']),
      log.replace('1\t202607_2_2_0\tc\n', ''),
    );
    assert.equal(withoutLostParts(log, []), '2\t202605_1_1_0\td\n');
    assert.equal(withoutLostParts('', []), null);
  });

  it('reads part names and nothing else', () => {
    assert.deepEqual(parsePartName('202606_3_7_2_9'), { partition: '202606', minBlock: 3, maxBlock: 7, level: 2 });
    for (const name of ['detached', 'deduplication_logs', 'mutation_5.txt', 'delete_tmp_202606_1_1_0', ''])
      assert.equal(parsePartName(name), null);
  });

  it('lets a batch be replayed whose part was lost between the log and the commit, and still drops a true repeat', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-repair-'));
    const token = 'repair-test-token';
    async function run<T>(work: (connection: ClickHouseConnection) => Promise<T>): Promise<T> {
      const engine = await startEngine({ dataDir, token, port: 0 });
      const connection = new ClickHouseConnection({ url: `http://127.0.0.1:${engine.port}`, token, database: 'default' }, 'default');
      try {
        return await work(connection);
      } finally {
        await connection.close();
        await engine.close();
      }
    }
    const insert = (connection: ClickHouseConnection, value: number) => connection.insert('t', ['a'], `[${value}]`, `token-${value}`);
    const values = async (connection: ClickHouseConnection) =>
      (await connection.read<{ a: number }>('SELECT a FROM t ORDER BY a', {})).map((row) => row.a);
    try {
      const [path] = await run(async (connection) => {
        await connection.command(
          'CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100, old_parts_lifetime = 600',
        );
        await connection.command('SYSTEM STOP MERGES t');
        for (const value of [1, 2, 3]) await insert(connection, value);
        const [table] = await connection.read<{ data_paths: string[] }>("SELECT data_paths FROM system.tables WHERE name = 't'", {});
        return table?.data_paths ?? [];
      });
      assert.ok(path);
      const log = join(path, 'deduplication_logs', 'deduplication_log_1.txt');
      const lost = /^1\t(\S+)\t.*$/m.exec(readFileSync(log, 'utf8').split('\n')[1] ?? '')?.[1] ?? '';
      assert.ok(readdirSync(path).includes(lost));
      rmSync(join(path, lost), { recursive: true }); // what a kill between the two leaves behind
      await run(async (connection) => {
        assert.deepEqual(await values(connection), [1, 3]);
        for (const value of [1, 2, 3, 2]) await insert(connection, value);
        assert.deepEqual(await values(connection), [1, 2, 3]);
      });
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
