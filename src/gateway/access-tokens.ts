import { request } from 'undici';
import { z } from 'zod';
import type { Clock, Timer } from '../kernel/clock.ts';
import { PlimsollError, toPlimsollError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import type { CompiledProvider } from './compiled-snapshot.ts';
import type { TokenGrant } from './provider.ts';

/** A token is renewed when this share of its life is over, at the latest LATEST_RENEWAL_MS before its end. */
const RENEWAL_RATIO = 0.8;
const LATEST_RENEWAL_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
const FETCH_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

const Answer = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().positive().default(3600) });

/** One token, fetched at once and renewed before it ends. A failed renewal is tried again while the old one goes on serving. */
class RenewedToken {
  readonly #grant: TokenGrant;
  readonly #clock: Clock;
  #token: Secret | null = null;
  /** Epoch ms. */
  #expiresAtMs = 0;
  #failure: PlimsollError | null = null;
  #retryMs = FIRST_RETRY_MS;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(grant: TokenGrant, clock: Clock) {
    this.#grant = grant;
    this.#clock = clock;
    void this.#renew();
  }

  /** The newest token, of use or not. */
  get last(): Secret | null {
    return this.#token;
  }

  get(provider: string): Secret {
    if (this.#token !== null && this.#clock.nowMs() < this.#expiresAtMs) return this.#token;
    const details = { provider };
    if (this.#failure !== null)
      throw new PlimsollError(this.#failure.code, `"${provider}" has no access token: ${this.#failure.message}`, { details });
    throw new PlimsollError('provider_unavailable', `"${provider}" has no access token yet; it is being fetched.`, {
      details: { ...details, retryAfterSeconds: 1 },
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #renew(): Promise<void> {
    let delayMs: number;
    try {
      const startedAtMs = this.#clock.nowMs();
      const { access_token, expires_in } = await this.#fetch();
      const lifeMs = expires_in * 1000;
      this.#token = new Secret(access_token);
      this.#expiresAtMs = startedAtMs + lifeMs;
      this.#failure = null;
      this.#retryMs = FIRST_RETRY_MS;
      delayMs = Math.max(FIRST_RETRY_MS, Math.min(lifeMs * RENEWAL_RATIO, Math.max(lifeMs - LATEST_RENEWAL_MS, lifeMs / 2)));
    } catch (thrown) {
      this.#failure = toPlimsollError(thrown);
      delayMs = this.#retryMs;
      this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    }
    if (!this.#isClosed) this.#timer = this.#clock.setTimer(delayMs, () => void this.#renew());
  }

  async #fetch(): Promise<z.output<typeof Answer>> {
    const { url } = this.#grant;
    const { host } = new URL(url);
    const form = await this.#grant.form(this.#clock.nowMs());
    let status: number;
    let text: string;
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams(form).toString(),
        headersTimeout: FETCH_MS,
        bodyTimeout: FETCH_MS,
        reset: true,
      });
      status = answer.statusCode;
      text = (await answer.body.text()).slice(0, MAX_ANSWER_BYTES);
    } catch (cause) {
      throw new PlimsollError('provider_unavailable', `${host} could not be reached (${(cause as Error).message}).`, { cause });
    }
    if (status >= 500 || status === 429) throw new PlimsollError('provider_unavailable', `${host} answered HTTP ${status}.`);
    // What it says may repeat the assertion or the secret: the closed OAuth code is enough.
    if (status >= 400)
      throw new PlimsollError('provider_auth_failed', `${host} refused the credential (HTTP ${status}${oauthError(text)}).`);
    const parsed = Answer.safeParse(parseJson(text));
    if (!parsed.success) throw new PlimsollError('provider_bad_response', `${host} answered without an access token.`);
    return parsed.data;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `error` of RFC 6749 §5.2, e.g. `invalid_grant`. */
function oauthError(text: string): string {
  const parsed = z.object({ error: z.string().regex(/^[a-z_]{1,64}$/) }).safeParse(parseJson(text));
  return parsed.success ? `, ${parsed.data.error}` : '';
}

/** Short-lived tokens of the providers that need one, kept across snapshots while a provider still uses them. */
export class AccessTokens {
  readonly #clock: Clock;
  readonly #tokens = new Map<string, RenewedToken>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts what is new, stops what no provider uses any more. */
  retain(providers: readonly CompiledProvider[]): void {
    const wanted = new Set<string>();
    for (const { tokenGrant } of providers) {
      if (tokenGrant === null) continue;
      wanted.add(tokenGrant.id);
      if (!this.#tokens.has(tokenGrant.id)) this.#tokens.set(tokenGrant.id, new RenewedToken(tokenGrant, this.#clock));
    }
    for (const [id, token] of this.#tokens) {
      if (wanted.has(id)) continue;
      token.close();
      this.#tokens.delete(id);
    }
  }

  /**
   * The token of a provider that needs one. Never waits.
   * @throws PlimsollError `provider_unavailable` while none is there, `provider_auth_failed` when the credential was refused
   */
  get(provider: CompiledProvider): Secret {
    const token = this.#tokens.get(provider.tokenGrant?.id ?? '');
    if (token === undefined) throw new PlimsollError('internal', `"${provider.name}" was never given an access token`);
    return token.get(provider.name);
  }

  /** An error of a provider without its secrets and its token. */
  redactError(error: PlimsollError, provider: CompiledProvider): PlimsollError {
    return provider.credentials.redactError(error, this.#tokens.get(provider.tokenGrant?.id ?? '')?.last ?? null);
  }

  close(): void {
    for (const token of this.#tokens.values()) token.close();
    this.#tokens.clear();
  }
}
