import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/**
 * Headers of a signed webhook.
 * @param id the same for every try to deliver one message: receivers drop what they have already
 * @param secret `whsec_` and base64, or any text @param timestampSeconds of this try
 * @see https://www.standardwebhooks.com, "Signature scheme" (symmetric, HMAC-SHA-256)
 */
export function webhookHeaders(id: string, timestampSeconds: number, body: string, secret: string): Record<string, string> {
  const key = secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret);
  const signature = createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': `${timestampSeconds}`, 'webhook-signature': `v1,${signature}` };
}
