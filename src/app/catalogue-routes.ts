import { z } from 'zod';
import type { Snapshot, SnapshotPrice } from '../gateway/snapshot.ts';
import { formatUsd } from '../kernel/money.ts';
import { defineRoute } from '../kernel/routes.ts';

const perMillion = z.string().nullable().describe('US dollars per million tokens, exact decimal; null = unpriced');

export const ModelList = z
  .object({
    models: z.array(
      z.object({
        name: z.string(),
        provider: z.string(),
        upstreamModel: z.string(),
        isSimulated: z.boolean(),
        region: z.string().nullable().describe('Where it runs; null = not declared'),
        isSelfHosted: z.boolean(),
        inputPerMillionUsd: perMillion,
        outputPerMillionUsd: perMillion,
        cacheReadPerMillionUsd: perMillion,
        priceId: z.string().nullable().describe('Where the price comes from'),
      }),
    ),
    routes: z.array(z.object({ name: z.string(), targets: z.array(z.string()) })),
  })
  .meta({ id: 'ModelList' });
export type ModelList = z.infer<typeof ModelList>;

export const Status = z
  .object({
    version: z.string(),
    environment: z.string(),
    isSimulatedOnly: z.boolean().describe('True when every configured provider is simulated'),
    gateway: z.object({ ready: z.boolean(), reasons: z.array(z.string()), workers: z.int() }),
    engine: z.object({ ready: z.boolean(), message: z.string() }),
    ingest: z.object({
      lagMs: z.number().nullable().describe('Age of the oldest call that is not queryable yet; null = not known'),
      pendingBytes: z.int(),
      quarantined: z.int().describe('Records that could not be read and were set aside'),
      lastError: z.string().nullable(),
    }),
    journal: z.object({ shedPayloads: z.int(), isDegraded: z.boolean() }),
    config: z.object({ epoch: z.int(), loadedAt: z.int(), error: z.string().nullable().describe('Why the newest file is not in force') }),
  })
  .meta({ id: 'Status' });
export type Status = z.infer<typeof Status>;

export interface CatalogueServices {
  readonly snapshot: () => Snapshot;
  readonly status: () => Promise<Status>;
  readonly openApi: () => Record<string, unknown>;
}

const route = defineRoute<CatalogueServices>();

function perMillionUsd(price: SnapshotPrice | null, tokenClass: string): string | null {
  const perToken = price?.perToken[tokenClass as keyof typeof price.perToken];
  return perToken === undefined ? null : formatUsd(BigInt(perToken) * 1_000_000n);
}

export const catalogueRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/models',
    summary: 'List models and routes with the prices in force',
    permission: 'models:read',
    response: ModelList,
    handler: ({ services }) => {
      const snapshot = services.snapshot();
      const simulated = new Set(snapshot.providers.filter((provider) => provider.isSimulated).map((provider) => provider.name));
      return {
        models: snapshot.models.map((model) => ({
          name: model.name,
          provider: model.provider,
          upstreamModel: model.upstreamModel,
          isSimulated: simulated.has(model.provider),
          region: model.region ?? null,
          isSelfHosted: model.isSelfHosted ?? false,
          inputPerMillionUsd: perMillionUsd(model.price, 'inputUncachedTokens'),
          outputPerMillionUsd: perMillionUsd(model.price, 'outputTextTokens'),
          cacheReadPerMillionUsd: perMillionUsd(model.price, 'cacheReadTokens'),
          priceId: model.price?.priceId ?? null,
        })),
        routes: snapshot.routes.map((entry) => ({ name: entry.name, targets: [...entry.targets] })),
      };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/status',
    summary: 'Health of every part, for the status strip and for scripts',
    permission: 'status:read',
    response: Status,
    handler: ({ services }) => services.status(),
  }),
  route({
    method: 'GET',
    path: '/api/v1/openapi.json',
    summary: 'This API as OpenAPI 3.1',
    permission: 'public',
    response: z.record(z.string(), z.unknown()),
    handler: ({ services }) => services.openApi(),
  }),
];
