import { z } from 'zod';
import { createKey, keyHmac } from '../../identity/virtual-key.ts';
import { systemClock } from '../../kernel/clock.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { DEFAULT_SCOPE } from '../../kernel/scope.ts';
import { openControlStore } from '../../stores/sql/control-store.ts';
import type { CliContext } from '../cli.ts';
import { controlStoreLocation, keyPepper } from '../control-store-location.ts';
import { DataDirectory } from '../data-directory.ts';

export default defineCommand<CliContext>()({
  name: 'keys admin',
  summary: 'Make a new admin key on this machine; it is shown once',
  example: 'plimsoll keys admin --reset',
  options: z.strictObject({
    name: z.string().default('command line').describe('What the key is for'),
    reset: z.boolean().default(false).describe('Revoke all other admin keys and end their sessions'),
  }),
  async run({ options, output, context }) {
    const data = new DataDirectory(context.environment.dataDirectory);
    const clusterKey = context.environment.clusterKey ?? data.existingSecret('cluster-key');
    if (clusterKey === null)
      throw new PlimsollError(
        'not_found',
        `There is no Plimsoll data in ${data.root}; run this on the machine of the control process, or set PLIMSOLL_DATA_DIR`,
      );
    const store = await openControlStore(controlStoreLocation(context.environment, data), systemClock);
    try {
      const nowMs = systemClock.nowMs();
      const { id, key, prefix } = createKey('pla', nowMs);
      await store.transaction(async (tx) => {
        const actor = { kind: 'system' as const, id: 'command line', organisationId: DEFAULT_SCOPE.organisationId, grants: ['*' as const] };
        if (options.reset) {
          for (const other of await tx.adminKeys.list(DEFAULT_SCOPE))
            if (other.revokedAtMs === null) await tx.adminKeys.revoke(DEFAULT_SCOPE, other.id, nowMs);
        }
        await tx.adminKeys.insert(DEFAULT_SCOPE, {
          id,
          name: options.name,
          prefix,
          hmac: keyHmac(keyPepper(clusterKey), key),
          createdAtMs: nowMs,
          revokedAtMs: null,
        });
        await tx.audit.record(DEFAULT_SCOPE, {
          action: options.reset ? 'admin_key.reset' : 'admin_key.created',
          actor,
          subject: `admin_key/${id}`,
          details: { name: options.name },
          atMs: nowMs,
        });
      });
      output.note('Shown once; only a hash is kept:');
      output.print(key, { id, key });
      return 0;
    } finally {
      await store.close();
    }
  },
});
