import { PlimsollError } from '../../kernel/errors.ts';
import type { ProviderAdapter } from '../provider.ts';
import type { SnapshotProvider } from '../snapshot.ts';
import { anthropic } from './anthropic.ts';
import { openai } from './openai.ts';
import { openaiCompatible } from './openai-compatible.ts';
import { simulated } from './sim.ts';

const ADAPTERS: ReadonlyMap<string, ProviderAdapter> = new Map([
  [openai.kind, openai],
  [openaiCompatible.kind, openaiCompatible],
  [anthropic.kind, anthropic],
]);

const SIMULATED: ReadonlyMap<SnapshotProvider['dialect'], ProviderAdapter> = new Map([
  ['openai', simulated(openai)],
  ['anthropic', simulated(anthropic)],
]);

/** @throws PlimsollError `config_invalid` for a kind that this version does not know (a snapshot from a newer control) */
export function adapterFor(provider: Pick<SnapshotProvider, 'name' | 'kind' | 'dialect'>): ProviderAdapter {
  const adapter = provider.kind === 'sim' ? SIMULATED.get(provider.dialect) : ADAPTERS.get(provider.kind);
  if (adapter === undefined) {
    throw new PlimsollError(
      'config_invalid',
      `Provider "${provider.name}" is of kind "${provider.kind}", which this gateway does not know.`,
      {
        details: { provider: provider.name, kind: provider.kind },
      },
    );
  }
  return adapter;
}
