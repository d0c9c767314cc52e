import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import type { MetricSummary } from '../../src/traces/model.ts';
import { eventually, type Plimsoll } from './plimsoll.ts';

export interface LedgerView {
  readonly rowsByCall: Map<string, number>;
  readonly rowsByTrace: Map<string, number>;
  readonly requestsInRollup: number;
}

/** The engine's port is known to the tree only: read it where the kernel shows it. */
function enginePort(pid: number): number {
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  return Number(variables.find((entry) => entry.startsWith('PLIMSOLL_INTERNAL_ENGINE_PORT='))?.split('=')[1]);
}

async function withEngine<T>(plimsoll: Plimsoll, work: (read: <R>(query: string) => Promise<R[]>) => Promise<T>): Promise<T> {
  const pid = (await plimsoll.pids()).engine;
  if (pid === null || pid === undefined) throw new Error('no engine');
  const client = createClient({
    url: `http://127.0.0.1:${enginePort(pid)}`,
    database: 'plimsoll',
    access_token: readFileSync(join(plimsoll.dataDirectory, 'secrets', 'engine-token'), 'utf8').trim(),
  });
  try {
    return await work(async <R>(query: string) => (await client.query({ query, format: 'JSONEachRow' })).json<R>());
  } finally {
    await client.close();
  }
}

/** Rows of a query, from the engine itself. */
export async function readStore<T>(plimsoll: Plimsoll, query: string): Promise<T[]> {
  return withEngine(plimsoll, (read) => read<T>(query));
}

/** Reads the ledger in the engine itself once the ingest has caught up. */
export async function ledgerOf(plimsoll: Plimsoll, atLeast: number): Promise<LedgerView> {
  return withEngine(plimsoll, async (read) => {
    const caughtUp = () =>
      eventually(
        'the ingest has caught up',
        () => plimsoll.api<{ ingest: { pendingBytes: number; lagMs: number | null } }>('/api/v1/status'),
        ({ ingest }) => ingest.pendingBytes === 0,
        30_000,
      );
    await caughtUp();
    const rows = await eventually(
      'ledger rows',
      () =>
        read<{ call_id: string; trace_id: string; n: string }>(
          'SELECT toString(call_id) AS call_id, toString(trace_id) AS trace_id, toString(count()) AS n FROM ledger GROUP BY call_id, trace_id',
        ),
      (found) => found.length >= atLeast,
      30_000,
    );
    // A batch's ledger rows are there before its spans, of which the rollup is made.
    await caughtUp();
    const summary = await plimsoll.api<MetricSummary>(`/api/v1/metrics/summary?from=${Date.now() - 3_600_000}&to=${Date.now() + 60_000}`);
    return {
      rowsByCall: new Map(rows.map((row) => [row.call_id, Number(row.n)])),
      rowsByTrace: new Map(rows.map((row) => [row.trace_id, Number(row.n)])),
      requestsInRollup: summary.total.requests,
    };
  });
}
