import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startEngine } from '../../src/stores/chdb/engine.ts';
import { ClickHouseConnection } from '../../src/stores/clickhouse/client.ts';
import { openClickHouse } from '../../src/stores/clickhouse/open.ts';
import { costQueriesContract } from './cost-queries.contract.ts';
import { ledgerContract } from './ledger.contract.ts';
import { otlpSpansContract } from './otlp-spans.contract.ts';
import { repricingContract } from './repricing.contract.ts';
import { scoreStoreContract } from './score-store.contract.ts';
import { sliStoreContract } from './sli-store.contract.ts';
import { type TraceStoreFixture, traceStoreContract } from './trace-store.contract.ts';

async function overEngine(): Promise<TraceStoreFixture> {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-traces-'));
  const token = randomUUID();
  const start = async () => {
    const engine = await startEngine({ dataDir, token, port: 0 });
    const stores = openClickHouse({ url: `http://127.0.0.1:${engine.port}`, token, database: 'plimsoll' });
    await stores.migrate();
    return { engine, stores };
  };
  let running = await start();
  const stop = async () => {
    await running.stores.close();
    await running.engine.close();
  };
  return {
    stores: running.stores,
    async reopen() {
      await stop();
      running = await start();
      return running.stores;
    },
    async close() {
      await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A database of its own on a real server, dropped afterwards. */
function overServer(url: string): () => Promise<TraceStoreFixture> {
  return async () => {
    const { username, password, origin } = new URL(url);
    const database = `plimsoll_test_${randomUUID().slice(0, 8)}`;
    const options = { url: origin, username: username || 'default', password, database };
    const open = () => openClickHouse(options);
    let stores = open();
    await stores.migrate();
    return {
      stores,
      async reopen() {
        await stores.close();
        stores = open();
        return stores;
      },
      async close() {
        await stores.close();
        const server = new ClickHouseConnection(options, 'default');
        await server.command(`DROP DATABASE IF EXISTS ${database}`);
        await server.close();
      },
    };
  };
}

const asLedger = (open: () => Promise<TraceStoreFixture>) => async () => {
  const fixture = await open();
  return { ledger: fixture.stores.ledger, close: () => fixture.close() };
};

traceStoreContract('chDB engine', overEngine);
otlpSpansContract('chDB engine', overEngine);
ledgerContract('chDB engine', asLedger(overEngine));
repricingContract('chDB engine', overEngine);
costQueriesContract('chDB engine', overEngine);
scoreStoreContract('chDB engine', overEngine);
sliStoreContract('chDB engine', overEngine);

const serverUrl = process.env.TEST_CLICKHOUSE_URL;
if (serverUrl === undefined)
  test('contracts on a ClickHouse server', { skip: 'set TEST_CLICKHOUSE_URL=http://user:password@host:8123 to run them' }, () => {});
else {
  traceStoreContract('ClickHouse server', overServer(serverUrl));
  otlpSpansContract('ClickHouse server', overServer(serverUrl));
  ledgerContract('ClickHouse server', asLedger(overServer(serverUrl)));
  repricingContract('ClickHouse server', overServer(serverUrl));
  costQueriesContract('ClickHouse server', overServer(serverUrl));
  scoreStoreContract('ClickHouse server', overServer(serverUrl));
  sliStoreContract('ClickHouse server', overServer(serverUrl));
}
