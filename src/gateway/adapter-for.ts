import { PlimsollError } from '../kernel/errors.ts';
import type { ProviderAdapter } from './provider.ts';
import { ADAPTERS } from './providers/index.gen.ts';
import type { SnapshotProvider } from './snapshot.ts';

/** The adapter of a kind; null when this version has none. */
export function findAdapter(kind: string): ProviderAdapter | null {
  return ADAPTERS.find((candidate) => candidate.kind === kind) ?? null;
}

/**
 * The adapter of a provider. A simulated provider is its dialect under another name: what works with it works with the real one.
 * @throws PlimsollError `config_invalid` for a kind that this version does not know (a snapshot from a newer control)
 */
export function adapterFor(provider: Pick<SnapshotProvider, 'name' | 'kind' | 'dialect'>): ProviderAdapter {
  const isSimulated = provider.kind === 'sim';
  const kind = isSimulated ? provider.dialect : provider.kind;
  const adapter = findAdapter(kind);
  if (adapter === null) {
    throw new PlimsollError(
      'config_invalid',
      `Provider "${provider.name}" is of kind "${provider.kind}", which this gateway does not know.`,
      { details: { provider: provider.name, kind: provider.kind } },
    );
  }
  return isSimulated ? { ...adapter, kind: 'sim' } : adapter;
}
