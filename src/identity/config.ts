import { z } from 'zod';
import { secretText } from '../kernel/config/secret.ts';

const name = z.string().trim().min(1).max(128);

/** One static virtual key of plimsoll.yaml. `key` stays a reference; `staticKeys` resolves it. */
export const StaticKeyConfig = z.strictObject({
  name: name.describe('What the key is for; unique in this list'),
  key: secretText(
    'The secret as "${NAME}" of an environment variable. A key that begins with plk_ is checked for typos; any text of 16 characters or more works',
  ),
  feature: name.optional().describe('Feature that calls with this key belong to; left out = the request names it in x-plimsoll-feature'),
  team: name.optional().describe('Team that the cost is allocated to'),
  models: z.array(name).min(1).optional().describe('Routes and model aliases that the key may use; left out = all'),
  expiresAt: z.iso
    .datetime({ offset: true })
    .or(z.iso.date())
    .optional()
    .describe('The key is refused from this moment, ISO 8601: 2027-01-31 (start of the day, UTC) or 2027-01-31T18:00:00+01:00'),
});
export type StaticKeyConfig = z.infer<typeof StaticKeyConfig>;

/** Section `keys`: virtual keys that live in the configuration instead of the database. */
export const keysConfig = z
  .array(StaticKeyConfig)
  .default([])
  .describe('Static virtual keys. The API lists them; they are changed only here');
export type KeysConfig = z.infer<typeof keysConfig>;
