import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, type Plimsoll, startPlimsoll } from './plimsoll.ts';

const CLUSTER_KEY = 'cluster-key-of-these-tests-0123456789';

export interface GatewayReplicas {
  readonly control: Plimsoll;
  readonly gateways: readonly Plimsoll[];
  /** Starts a replica on the data of one that ended. */
  start(index: number): Promise<Plimsoll>;
  stop(): Promise<void>;
}

/** A control plane and gateways that follow it, each a process tree on a port and a directory of its own, as on several machines. */
export async function startReplicas(count: number, config: string, variables: Readonly<Record<string, string>>): Promise<GatewayReplicas> {
  const root = mkdtempSync(join(tmpdir(), 'plimsoll-replicas-'));
  const shared = { ...variables, PLIMSOLL_CLUSTER_KEY: CLUSTER_KEY };
  const control = await startPlimsoll({ config, variables: shared, args: ['--role', 'control'], dataDirectory: join(root, 'control') });
  const start = (index: number): Promise<Plimsoll> =>
    startPlimsoll({
      variables: { ...shared, PLIMSOLL_CONTROL_URL: control.url },
      args: ['--role', 'gateway'],
      dataDirectory: join(root, `gateway-${index}`),
    });
  const gateways: Plimsoll[] = [];
  for (let index = 0; index < count; index++) gateways.push(await start(index));
  await eventually(
    'all gateways follow control',
    () => control.api<{ gateway: { workers: number; ready: boolean } }>('/api/v1/status'),
    ({ gateway }) => gateway.workers === count && gateway.ready,
    20_000,
  );
  return {
    control,
    gateways,
    start,
    async stop() {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await control.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
