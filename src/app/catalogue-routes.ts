import { z } from 'zod';
import type { Snapshot, SnapshotModel, SnapshotPrice } from '../gateway/snapshot.ts';
import type { Clock } from '../kernel/clock.ts';
import { formatUsd } from '../kernel/money.ts';
import { defineRoute } from '../kernel/routes.ts';
import { isPinnedVersion, lifecycleWarning } from '../models/lifecycle.ts';
import { ModelMigration } from './model-migration.ts';

const perMillion = z.string().nullable().describe('US dollars per million tokens, exact decimal; null = unpriced');

const epochMs = z.int().describe('Epoch ms');

const ModelApprovalView = z.object({
  feature: z.string(),
  status: z.enum(['approved', 'trial', 'deprecated', 'blocked']),
  approvedBy: z.string().nullable(),
  evaluation: z.string().nullable(),
  expiresAt: epochMs.nullable(),
  isExpired: z.boolean(),
});

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
        isPinned: z.boolean().describe('The upstream id names one version; false = the provider may point it at another one'),
        isDeprecated: z.boolean().describe('The provider announced its end: by the price book (which knows few), or by plimsoll.yaml'),
        deprecatedAt: epochMs.nullable(),
        retiresAt: epochMs.nullable().describe('Epoch ms from which the provider no longer serves it; null = not declared'),
        successor: z.string().nullable().describe('Model alias that takes its place'),
        warning: z.string().nullable().describe('What answers of it warn of'),
        approvals: z.array(ModelApprovalView).describe('What was decided about it, by feature'),
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
  readonly clock: Clock;
  readonly snapshot: () => Snapshot;
  readonly planModelMigration: (alias: string, to: string | null) => ModelMigration;
  readonly status: () => Promise<Status>;
  readonly openApi: () => Record<string, unknown>;
}

const route = defineRoute<CatalogueServices>();

function perMillionUsd(price: SnapshotPrice | null, tokenClass: string): string | null {
  const perToken = price?.perToken[tokenClass as keyof typeof price.perToken];
  return perToken === undefined ? null : formatUsd(BigInt(perToken) * 1_000_000n);
}

function lifecycleMembers({ upstreamModel, lifecycle }: SnapshotModel, nowMs: number) {
  return {
    isPinned: isPinnedVersion(upstreamModel),
    isDeprecated: lifecycle?.isDeprecated ?? false,
    deprecatedAt: lifecycle?.deprecatedAtMs ?? null,
    retiresAt: lifecycle?.retiresAtMs ?? null,
    successor: lifecycle?.successor ?? null,
    warning: lifecycle === undefined ? null : lifecycleWarning(lifecycle, nowMs),
  };
}

function approvalsOfModel(snapshot: Snapshot, alias: string, nowMs: number): z.input<typeof ModelApprovalView>[] {
  return snapshot.features.flatMap((feature) => {
    const entry = feature.approvals?.entries.find(({ model }) => model === alias);
    if (entry === undefined) return [];
    const { status, approvedBy, evaluation, expiresAtMs: expiresAt } = entry;
    return [{ feature: feature.name, status, approvedBy, evaluation, expiresAt, isExpired: expiresAt !== null && expiresAt <= nowMs }];
  });
}

export const catalogueRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/models',
    summary: 'List models and routes with prices in force, versions, approvals and retirements',
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
          ...lifecycleMembers(model, services.clock.nowMs()),
          approvals: approvalsOfModel(snapshot, model.name, services.clock.nowMs()),
        })),
        routes: snapshot.routes.map((entry) => ({ name: entry.name, targets: [...entry.targets] })),
      };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/models/:name/migration',
    summary: 'Plan the move of a model alias to another version: the patch of plimsoll.yaml and what to look at; changes nothing',
    permission: 'models:read',
    params: z.strictObject({ name: z.string().min(1).max(256).describe('Model alias') }),
    query: z.strictObject({
      to: z
        .string()
        .min(1)
        .max(256)
        .optional()
        .describe('A model alias, or an id of the same provider; left out = the configured successor'),
    }),
    response: ModelMigration,
    handler: ({ params, query, services }) => services.planModelMigration(params.name, query.to ?? null),
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
