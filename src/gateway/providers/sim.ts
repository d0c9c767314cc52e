import type { ProviderAdapter } from '../provider.ts';

/** A simulated provider is its dialect under another name: what works with it works with the real one. */
export function simulated(dialect: ProviderAdapter): ProviderAdapter {
  return { ...dialect, kind: 'sim' };
}
