/** Tenant and environment: the first argument of every store method, the first columns of every table. */
export interface Scope {
  readonly organisationId: string;
  readonly environment: string;
}

export const DEFAULT_SCOPE: Scope = Object.freeze({ organisationId: 'default', environment: 'production' });

/** Rights are `room:verb` words; `*` holds all of them. */
export type Grant = '*' | `${string}:${string}`;

/** Who does something: a person, a virtual key, the command line on this machine, or Plimsoll itself (a job). */
export interface Actor {
  readonly kind: 'user' | 'admin_key' | 'virtual_key' | 'cluster' | 'system';
  readonly id: string;
  readonly organisationId: string;
  readonly grants: readonly Grant[];
}

export function isAllowed(actor: Actor, permission: Grant): boolean {
  return actor.grants.includes('*') || actor.grants.includes(permission);
}

/** One entry for the audit log. Written in the transaction of the change itself. */
export interface AuditEntry {
  /** Past tense, `noun.verb`: `key.created`. */
  readonly action: string;
  readonly actor: Actor;
  /** What was changed, e.g. `key/0192…`. */
  readonly subject: string;
  /** Never secrets. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

/** Where audit entries go. A driver binds it to the open transaction. */
export interface AuditSink {
  record(scope: Scope, entry: AuditEntry): Promise<void>;
}
