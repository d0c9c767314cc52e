import { hash } from 'node:crypto';
import type { Call } from '../call.ts';
import type { Destination } from '../compiled-snapshot.ts';
import { CallFacts } from '../routing/call-facts.ts';
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

/**
 * Where answers may come from: a route whose targets change answers anew. Of a route with conditions only the targets that are open to this
 * call, since conditions look at what is no part of the question (tags, team, time). Which of these it would take does not matter; but who is kept
 * at one target keeps to it.
 */
function models(call: Call, { name, targets, routing }: Destination, nowMs: number): readonly string[] {
  const described = (list: Destination['targets']) => list.map(({ provider, upstreamModel }) => `${provider.name} ${upstreamModel}`);
  if (routing === null || routing.isPlain) return [name, ...described(targets)];
  const facts = new CallFacts(call, nowMs);
  const open = routing.candidates.filter(({ when }) => when === null || when(facts)).map(({ target }) => target);
  const { strategy, stickyBy } = routing.policy;
  return [name, strategy === 'sticky' ? `${stickyBy} ${call[stickyBy] ?? ''}` : '', ...described(open)];
}

/**
 * What a question is asked of and by whom: everything of a key but the question.
 * @param nowMs epoch milliseconds
 * @param bundle release bundle that assembled the request; null without one
 */
export function keyPrefix(
  call: Call,
  destination: Destination,
  settings: FeatureCacheSettings,
  nowMs: number,
  bundle: string | null,
): string {
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
    models(call, destination, nowMs),
  ]);
}

/** @param kind keeps keys of different meaning apart @param parts texts whose order counts @returns hex */
export function hashKey(kind: 'exact' | 'near' | 'context', prefix: string, ...parts: readonly string[]): string {
  let text = `${kind}\0${prefix}`;
  for (const part of parts) text += `\0${part.length}\0${part}`;
  return hash('sha256', text, 'hex');
}
