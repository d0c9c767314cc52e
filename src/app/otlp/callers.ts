import type { IncomingHttpHeaders } from 'node:http';
import type { Snapshot, SnapshotKey } from '../../gateway/snapshot.ts';
import { keyHmac } from '../../identity/virtual-key.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { nearest } from '../../kernel/suggest.ts';
import type { PayloadPolicy } from '../../traces/otlp/batch-record.ts';
import { candidateKeys } from '../../traces/otlp/credentials.ts';

/** Who sends spans, and for which features. */
export interface OtlpCaller {
  readonly organisationId: string;
  readonly environment: string;
  readonly keyId: string;
  readonly team: string | null;
  /** Null = each span or resource names its own. */
  readonly feature: string | null;
  readonly features: Readonly<Record<string, PayloadPolicy>>;
  readonly maxPayloadBytes: number;
}

/** Virtual keys open the intake as they open the gateway: what control has published decides, so that both agree. */
export class OtlpCallers {
  readonly #current: () => Snapshot | null;
  #snapshot: Snapshot | null = null;
  #keys: ReadonlyMap<string, SnapshotKey> = new Map();

  constructor(current: () => Snapshot | null) {
    this.#current = current;
  }

  /** @throws PlimsollError `unauthenticated`, `permission_denied`, `not_found` (feature), `not_ready` */
  find(headers: IncomingHttpHeaders, nowMs: number): OtlpCaller {
    const snapshot = this.#newest();
    const key = this.#keyOf(candidateKeys(headers), snapshot);
    if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs)
      throw new PlimsollError('unauthenticated', `The key "${key.name}" expired at ${new Date(key.expiresAtMs).toISOString()}.`);
    const wanted = headers['x-plimsoll-feature'];
    const feature = featureOf(key, typeof wanted === 'string' && wanted !== '' ? wanted : null, snapshot);
    const open = feature === null ? snapshot.features : snapshot.features.filter(({ name }) => name === feature);
    return {
      organisationId: snapshot.organisationId,
      environment: snapshot.environment,
      keyId: key.id,
      team: key.team,
      feature,
      features: Object.fromEntries(open.map(({ name, payloads }) => [name, payloads])),
      maxPayloadBytes: snapshot.limits.maxPayloadBytes,
    };
  }

  #newest(): Snapshot {
    const newest = this.#current();
    if (newest === null) throw new PlimsollError('not_ready', 'Control has no configuration yet.', { details: { retryAfterSeconds: 1 } });
    if (newest !== this.#snapshot) {
      this.#snapshot = newest;
      this.#keys = new Map(newest.keys.map((key) => [key.hmac, key]));
    }
    return newest;
  }

  #keyOf(candidates: readonly string[], snapshot: Snapshot): SnapshotKey {
    if (candidates.length === 0)
      throw new PlimsollError(
        'unauthenticated',
        'The request has no key: set OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20plk_…", or give the SDK the virtual key as its own key.',
      );
    for (const candidate of candidates) {
      const key = this.#keys.get(keyHmac(snapshot.keyPepper, candidate));
      if (key !== undefined) return key;
    }
    if (candidates.some((candidate) => candidate.startsWith('pla_')))
      throw new PlimsollError('permission_denied', 'An admin key (pla_…) does not send traces: use a virtual key (plk_…).');
    throw new PlimsollError('unauthenticated', 'The key is not known here: it is misspelt, was revoked, or belongs to another Plimsoll.');
  }
}

function featureOf(key: SnapshotKey, wanted: string | null, { features }: Snapshot): string | null {
  if (key.feature !== null && wanted !== null && wanted !== key.feature)
    throw new PlimsollError('permission_denied', `The key "${key.name}" belongs to the feature "${key.feature}", not to "${wanted}".`, {
      details: { param: 'x-plimsoll-feature' },
    });
  const name = key.feature ?? wanted;
  if (name === null || features.some((feature) => feature.name === name)) return name;
  const names = features.map((feature) => feature.name);
  const close = nearest(name, names);
  const hint = close === null ? `Known: ${names.slice(0, 20).join(', ')}.` : `Did you mean "${close}"?`;
  throw new PlimsollError('not_found', `There is no feature "${name}". ${hint}`, { details: { param: 'x-plimsoll-feature' } });
}
