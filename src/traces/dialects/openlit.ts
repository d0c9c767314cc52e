import type { Dialect } from './dialect.ts';
import type { SpanView } from './span-view.ts';
import { INCLUSIVE } from './token-reading.ts';

/**
 * OpenLIT: OpenTelemetry's conventions, with a cost from a table of its own and counts as the provider gave them.
 * @see https://docs.openlit.io/latest/sdk/overview
 */
function isRaw(view: SpanView): boolean {
  return /anthropic|bedrock/i.test(view.textOf('provider') ?? '');
}

export const openlit: Dialect = {
  name: 'openlit',
  detects: (view) =>
    view.scope.startsWith('openlit') ||
    view.resource.get('telemetry.sdk.name') === 'openlit' ||
    view.value('gen_ai.usage.cost') !== undefined,
  tokenRule: (view) => (isRaw(view) ? { input: 'exclusive', output: 'inclusive', isCertain: false } : INCLUSIVE),
  estimatesCost: true,
  content: [],
};
