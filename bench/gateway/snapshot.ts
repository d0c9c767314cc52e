import type { Snapshot, SnapshotProvider } from '../../src/gateway/snapshot.ts';
import { keyHmac } from '../../src/identity/virtual-key.ts';

/** Two priced models, one at a provider that speaks the client's dialect and one that must be translated; one feature, one key. */
export function benchSnapshot(upstream: string, key: string, payloads: 'full' | 'none'): Snapshot {
  const pepper = 'ab'.repeat(32);
  const price = { priceId: 'bench', perToken: { inputUncachedTokens: '150000', outputTextTokens: '600000' }, perRequest: null, tiers: [] };
  const provider = (name: string, kind: 'openai' | 'anthropic'): SnapshotProvider => ({
    name,
    kind,
    baseUrl: `${upstream}/v1`,
    apiKey: { literal: 'sk-bench' },
    headers: {},
    timeouts: { connectMs: 2000, firstByteMs: 30_000, idleMs: 20_000, totalMs: 600_000 },
    maxConnections: 512,
    dialect: kind,
    isSimulated: false,
  });
  return {
    epoch: 1,
    schemaVersion: 1,
    organisationId: 'default',
    environment: 'production',
    createdAtMs: Date.now(),
    keyPepper: pepper,
    providers: [provider('stub', 'openai'), provider('stub-anthropic', 'anthropic')],
    models: [
      { name: 'bench-model', provider: 'stub', upstreamModel: 'stub-model-2026', price },
      { name: 'translated-model', provider: 'stub-anthropic', upstreamModel: 'claude-haiku-4-5', price },
    ],
    routes: [{ name: 'default', targets: ['bench-model'] }],
    features: [{ name: 'bench', owner: 'team', costOwner: 'finance', route: 'default', payloads }],
    keys: [{ id: 'key-1', name: 'bench', hmac: keyHmac(pepper, key), feature: 'bench', team: 'team', models: null, expiresAtMs: null }],
    limits: { maxBodyBytes: 32 * 1024 * 1024, maxJsonDepth: 128, maxConcurrentRequests: 10_000, maxPayloadBytes: 256 * 1024 },
  };
}
