import { z } from 'zod';

/** A virtual key as stored: the secret is not in it. */
export interface VirtualKey {
  /** UUIDv7. */
  readonly id: string;
  readonly name: string;
  /** First 8 characters after `plk_`, for recognition. */
  readonly prefix: string;
  /** HMAC-SHA-256(pepper, key), hex. */
  readonly hmac: string;
  /** Null = the request names its feature. */
  readonly feature: string | null;
  readonly team: string | null;
  /** Routes and model aliases that the key may use; null = all. */
  readonly models: readonly string[] | null;
  readonly createdAtMs: number;
  /** Id of the actor. */
  readonly createdBy: string;
  readonly expiresAtMs: number | null;
  /** The key stops working at this time; in the future while a rotated key is in its grace period. */
  readonly revokedAtMs: number | null;
  /** Id of the key that this one replaces. */
  readonly rotatedFrom: string | null;
  readonly lastUsedAtMs: number | null;
}

export interface AdminKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly hmac: string;
  readonly createdAtMs: number;
  readonly revokedAtMs: number | null;
}

export interface DashboardSession {
  readonly id: string;
  /** HMAC-SHA-256(pepper, token), hex. */
  readonly tokenHmac: string;
  /** The admin key that opened it; the session ends with that key. */
  readonly adminKeyId: string;
  readonly adminKeyHmac: string;
  readonly createdAtMs: number;
  /** Moves forward while the session is used, never past `endsAtMs`. */
  readonly expiresAtMs: number;
  readonly endsAtMs: number;
}

const epochMs = z.int().min(0).max(8_640_000_000_000_000);

export const KeySource = z.enum(['api', 'config']);
export type KeySource = z.infer<typeof KeySource>;

/** A virtual key as the API shows it. */
export const KeyView = z
  .object({
    id: z.string().describe('UUIDv7; `config:<name>` for a key from plimsoll.yaml'),
    name: z.string(),
    prefix: z.string().describe('First 8 characters after plk_; empty for a key of another form'),
    feature: z.string().nullable().describe('Null = the request names its feature'),
    team: z.string().nullable(),
    models: z.array(z.string()).nullable().describe('Routes and model aliases that the key may use; null = all'),
    createdAt: epochMs.nullable().describe('Epoch ms; null for a key from plimsoll.yaml'),
    expiresAt: epochMs.nullable().describe('Epoch ms; null = never'),
    revokedAt: epochMs.nullable().describe('Epoch ms at which the key stops working; in the future during a grace period'),
    lastUsedAt: epochMs.nullable().describe('Epoch ms; null = not seen yet'),
    rotatedFrom: z.string().nullable().describe('Id of the key that this one replaces'),
    source: KeySource,
  })
  .meta({ id: 'KeyView' });
export type KeyView = z.infer<typeof KeyView>;

export const KeyPage = z.object({ keys: z.array(KeyView), nextCursor: z.string().nullable() }).meta({ id: 'KeyPage' });
export type KeyPage = z.infer<typeof KeyPage>;

export const KeyListQuery = z.strictObject({
  cursor: z.string().min(1).max(64).optional().describe('nextCursor of the page before'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  feature: z.string().min(1).max(128).optional().describe('Only keys of this feature'),
});
export type KeyListQuery = z.infer<typeof KeyListQuery>;

const name = z.string().trim().min(1).max(128);

export const KeyDraft = z
  .strictObject({
    name: name.describe('What the key is for, e.g. "support widget, production"'),
    feature: name.nullish().describe('Feature that calls with this key belong to; left out = the request names it'),
    team: name.nullish().describe('Team that the cost is allocated to'),
    models: z.array(name).min(1).max(200).nullish().describe('Routes and model aliases that the key may use; left out = all'),
    expiresAt: epochMs.nullish().describe('Epoch ms after which the key is refused; left out = never'),
  })
  .meta({ id: 'KeyDraft' });
export type KeyDraft = z.infer<typeof KeyDraft>;

export const KeyCreated = KeyView.extend({ key: z.string().describe('The key itself. Shown this once: it is not stored') }).meta({
  id: 'KeyCreated',
});
export type KeyCreated = z.infer<typeof KeyCreated>;

export const KeyRotation = z
  .strictObject({
    graceMs: z
      .int()
      .min(0)
      .max(30 * 86_400_000)
      .default(86_400_000)
      .describe('How long the old key goes on working, ms; at most 30 days'),
  })
  .meta({ id: 'KeyRotation' });
export type KeyRotation = z.infer<typeof KeyRotation>;

export const SessionView = z
  .object({
    actor: z.object({ kind: z.string(), id: z.string(), name: z.string().nullable() }),
    organisation: z.string(),
    environment: z.string(),
    grants: z.array(z.string()),
    expiresAt: epochMs.nullable().describe('Epoch ms; moves forward with use. Null when the request carried an admin key'),
    endsAt: epochMs.nullable().describe('Epoch ms after which a new login is needed in any case'),
  })
  .meta({ id: 'SessionView' });
export type SessionView = z.infer<typeof SessionView>;
