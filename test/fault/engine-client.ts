import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Plimsoll } from '../harness/plimsoll.ts';

/** A client of the tree's own engine; its port is known to the tree only, so it is read where the kernel shows it. */
export async function engineClient(plimsoll: Plimsoll): Promise<ClickHouseClient> {
  const pid = (await plimsoll.pids()).engine;
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const port = variables.find((entry) => entry.startsWith('PLIMSOLL_INTERNAL_ENGINE_PORT='))?.split('=')[1];
  return createClient({
    url: `http://127.0.0.1:${port}`,
    database: 'plimsoll',
    log: { level: ClickHouseLogLevel.OFF },
    access_token: readFileSync(join(plimsoll.dataDirectory, 'secrets', 'engine-token'), 'utf8').trim(),
  });
}
