import { request } from 'undici';
import { resolveSecretText } from '../kernel/config/secret.ts';
import type { Config } from './config.ts';

export type OtlpTarget = NonNullable<Config['telemetry']['otlp']>;

const TIMEOUT_MS = 10_000;

/**
 * One OTLP/HTTP request in JSON.
 * @throws Error when the receiver cannot be reached or refuses; PlimsollError `config_invalid` when a header names a variable that is not set
 */
export async function sendOtlp(
  target: OtlpTarget,
  signal: 'metrics' | 'traces',
  body: unknown,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const headers = Object.fromEntries(Object.entries(target.headers).map(([name, text]) => [name, resolveSecretText(text, variables)]));
  const answer = await request(`${target.endpoint.replace(/\/+$/, '')}/v1/${signal}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  await answer.body.dump();
  if (answer.statusCode >= 300) throw new Error(`the receiver answered ${answer.statusCode}`);
}
