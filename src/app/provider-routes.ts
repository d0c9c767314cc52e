import { z } from 'zod';
import { TargetReport } from '../gateway/routing/report.ts';
import { WorkerPresence } from '../gateway/worker-presence.ts';
import { defineRoute } from '../kernel/routes.ts';
import type { Scope } from '../kernel/scope.ts';
import { statusPageUrl } from '../models/status-page/model.ts';
import { presentSeverity, type StatusPoller, type WatchedPage } from '../models/status-page/poller.ts';
import type { Config } from './config.ts';

const epochMs = z.int().describe('Epoch ms');
const severity = z.enum(['operational', 'maintenance', 'degraded', 'partial_outage', 'major_outage']);

const ProviderStatusView = z
  .object({
    state: z
      .enum([...severity.options, 'unmeasured'])
      .describe('What the vendor says of itself; unmeasured = not asked, or not answered lately'),
    source: z.string().nullable().describe('Address that was asked; null = none is configured'),
    description: z.string(),
    readAt: epochMs.nullable(),
    ageMs: z.int().nullable().describe('Since it was read; null = never'),
    changedAt: epochMs.nullable().describe('Since when it says so'),
    error: z.string().nullable().describe('Why the last poll failed'),
    components: z.array(z.object({ name: z.string(), state: severity })),
    incidents: z.array(
      z.object({ id: z.string(), title: z.string(), state: severity, startedAt: epochMs.nullable(), url: z.string().nullable() }),
    ),
  })
  .meta({ id: 'ProviderStatus' });
type ProviderStatusView = z.infer<typeof ProviderStatusView>;

export const ProviderList = z
  .object({
    gateways: z.array(WorkerPresence).describe('Those whose view of the targets is in here, and those that did not answer'),
    providers: z.array(
      z.object({
        name: z.string(),
        kind: z.string(),
        isSimulated: z.boolean(),
        region: z.string().nullable(),
        isSelfHosted: z.boolean(),
        models: z.array(z.string()).describe('Model aliases that it serves'),
        status: ProviderStatusView,
        targets: z.array(TargetReport).describe('Health of its models as gateways see it; empty while no gateway has reported'),
      }),
    ),
  })
  .meta({ id: 'ProviderList' });
export type ProviderList = z.infer<typeof ProviderList>;

export interface ProviderServices {
  readonly listProviders: (scope: Scope) => Promise<ProviderList>;
}

const route = defineRoute<ProviderServices>();

export const providerRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/providers',
    summary: 'List providers with what their status pages say and how their models fare',
    permission: 'models:read',
    response: ProviderList,
    handler: ({ scope, services }) => services.listProviders(scope),
  }),
];

/** The pages that the configuration wants watched. */
export function watchedPages(config: Config): WatchedPage[] {
  return Object.entries(config.providers).flatMap(([provider, { kind, statusPage }]) => {
    const url = statusPage === undefined ? null : statusPageUrl(kind, statusPage);
    if (statusPage === undefined || url === null) return [];
    return [{ provider, url, kind: statusPage.kind, components: statusPage.components, everyMs: statusPage.everySeconds * 1000 }];
  });
}

const UNMEASURED: ProviderStatusView = {
  state: 'unmeasured',
  source: null,
  description: '',
  readAt: null,
  ageMs: null,
  changedAt: null,
  error: null,
  components: [],
  incidents: [],
};

async function statusOf(poller: StatusPoller, scope: Scope, page: WatchedPage, nowMs: number): Promise<ProviderStatusView> {
  const state = await poller.read(scope, page);
  if (state === null) return { ...UNMEASURED, source: page.url };
  const { reading, readAtMs, changedAtMs, error } = state;
  return {
    state: presentSeverity(state, page.everyMs, nowMs),
    source: page.url,
    description: reading?.description ?? '',
    readAt: readAtMs,
    ageMs: readAtMs === null ? null : Math.max(0, nowMs - readAtMs),
    changedAt: changedAtMs,
    error,
    components: (reading?.components ?? []).map((component) => ({ name: component.name, state: component.severity })),
    incidents: (reading?.incidents ?? []).map(({ id, title, severity: worst, startedAtMs, url }) => ({
      id,
      title,
      state: worst,
      startedAt: startedAtMs,
      url,
    })),
  };
}

/** Providers of the configuration in force with what is known of their pages, and how their targets fare. */
export async function listProviders(
  config: Config,
  poller: StatusPoller,
  scope: Scope,
  nowMs: number,
  routing: { readonly targets: readonly TargetReport[]; readonly gateways: WorkerPresence[] },
): Promise<ProviderList> {
  const pages = new Map(watchedPages(config).map((page) => [page.provider, page]));
  const providers = await Promise.all(
    Object.entries(config.providers).map(async ([name, { kind, region, selfHosted }]) => {
      const page = pages.get(name);
      return {
        name,
        kind,
        isSimulated: kind === 'sim',
        region: region ?? null,
        isSelfHosted: selfHosted,
        models: Object.entries(config.models).flatMap(([alias, model]) => (model.provider === name ? [alias] : [])),
        status: page === undefined ? UNMEASURED : await statusOf(poller, scope, page, nowMs),
        targets: routing.targets.filter(({ provider }) => provider === name),
      };
    }),
  );
  return { gateways: routing.gateways, providers };
}
