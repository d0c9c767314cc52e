import { createHash } from 'node:crypto';
import type { Call } from '../call.ts';
import type { Destination } from '../compiled-snapshot.ts';
import type { FeatureCacheSettings } from './settings.ts';

/** Changes when keys of before must not be found any more. */
const VERSION = 1;

/** Tenant, environment and feature as one text that no other three spell. */
export function scopeOf(organisationId: string, environment: string, feature: string): string {
  return JSON.stringify([organisationId, environment, feature]);
}

/** Who may share an answer: null = every caller of the feature. */
function sharedBy(call: Call, isolation: FeatureCacheSettings['isolation']): string | null {
  switch (isolation) {
    case 'feature':
      return null;
    case 'customer':
      return call.customer ?? '';
    case 'user':
      return call.user ?? '';
  }
}

/** Where answers may come from: a route whose targets change answers anew. */
function models({ name, targets }: Destination): readonly string[] {
  return [name, ...targets.map(({ provider, upstreamModel }) => `${provider.name} ${upstreamModel}`)];
}

/**
 * What a question is asked of and by whom: everything of a key but the question.
 * @param bundle release bundle that assembled the request; null without one
 */
export function keyPrefix(call: Call, destination: Destination, settings: FeatureCacheSettings, bundle: string | null): string {
  const { organisationId, environment } = call.snapshot;
  const feature = call.caller?.feature.name ?? '';
  return JSON.stringify([
    VERSION,
    organisationId,
    environment,
    feature,
    settings.isolation,
    sharedBy(call, settings.isolation),
    bundle,
    models(destination),
  ]);
}

/** @param kind keeps keys of different meaning apart @param parts texts whose order counts @returns hex */
export function hashKey(kind: 'exact' | 'near' | 'context', prefix: string, ...parts: readonly string[]): string {
  const hash = createHash('sha256').update(kind).update('\0').update(prefix);
  for (const part of parts) hash.update(`\0${part.length}\0`).update(part);
  return hash.digest('hex');
}
