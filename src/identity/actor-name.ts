import type { Actor, Scope } from '../kernel/scope.ts';
import { ENVIRONMENT_ADMIN_KEY_ID } from './admin-access.ts';
import type { AdminKeyStore } from './store.ts';

/** What people call who acted: the name of the admin key, or where the order came from. */
export async function actorName(adminKeys: AdminKeyStore, scope: Scope, actor: Actor): Promise<string> {
  switch (actor.kind) {
    case 'cluster':
      return 'command line';
    case 'system':
      return 'Plimsoll';
    case 'admin_key': {
      if (actor.id === ENVIRONMENT_ADMIN_KEY_ID) return 'PLIMSOLL_ADMIN_KEY';
      const key = (await adminKeys.list(scope)).find(({ id }) => id === actor.id);
      return key?.name ?? actor.id;
    }
    case 'user':
    case 'virtual_key':
      return actor.id;
    default:
      return actor.kind satisfies never;
  }
}
