import { createHmac } from 'node:crypto';
import type { ControlStoreLocation } from '../stores/sql/control-store.ts';
import type { DataDirectory } from './data-directory.ts';
import type { Environment } from './environment.ts';

export function controlStoreLocation(environment: Environment, data: DataDirectory): ControlStoreLocation {
  return environment.databaseUrl === null
    ? { kind: 'sqlite', path: data.controlDatabase }
    : { kind: 'postgres', url: environment.databaseUrl };
}

/**
 * Pepper of the key hashes, hex: derived from the cluster key, so that every control replica has it and the database that holds the hashes
 * never does. A new cluster key makes all virtual and admin keys void.
 */
export function keyPepper(clusterKey: string): string {
  return createHmac('sha256', clusterKey).update('plimsoll key pepper v1').digest('hex');
}

/** The virtual key with which control calls models through a gateway; known to nobody else, and in the snapshot by its HMAC only. */
export function controlVirtualKey(clusterKey: string): string {
  return `plk_${createHmac('sha256', clusterKey).update('plimsoll control virtual key v1').digest('base64url')}`;
}
