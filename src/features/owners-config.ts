import { z } from 'zod';
import { secretText } from '../kernel/config/secret.ts';

const url = z.url({ protocol: /^https?$/, error: 'a webhook needs an address that begins with https:// or http://' });

export const OwnerConfig = z.strictObject({
  webhook: z
    .strictObject({
      url: url.describe('Where events that concern this owner are posted, as JSON'),
      secret: secretText(
        'Signs each message (HMAC-SHA-256 after standardwebhooks.com), as "${NAME}" of an environment variable: whsec_ and base64, or any text',
      ),
    })
    .optional()
    .describe('Told of limits and budgets that the owner answers or pays for'),
});

/** `owners:` of plimsoll.yaml. */
export const ownersConfig = z
  .record(z.string().trim().min(1).max(256), OwnerConfig)
  .default({})
  .describe('How the owners and cost owners that features and limits name are reached; by exactly those names');
