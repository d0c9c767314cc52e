import { approvalsOf } from '../features/model-approval.ts';
import { residencyOf } from '../features/residency.ts';
import type { FeatureSwitch } from '../features/switch.ts';
import { rulesOf } from '../gateway/admission/config-rules.ts';
import type { OutputSchemas } from '../gateway/output/output-schema.ts';
import { FEATURE_SCHEMA_LIMITS, SchemaRefused } from '../gateway/output/schema-guard.ts';
import { providerKinds, simulatedBaseUrl } from '../gateway/provider-kinds.ts';
import { healthPolicy } from '../gateway/routing/health-config.ts';
import { routePolicy, targetNames } from '../gateway/routing/route-config.ts';
import { SNAPSHOT_SCHEMA_VERSION, type Snapshot, type SnapshotFeature } from '../gateway/snapshot.ts';
import type { GatewayKey } from '../identity/service.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { contentHash } from '../kernel/ids.ts';
import type { Scope } from '../kernel/scope.ts';
import { resolveCatalogue } from '../models/catalogue.ts';
import type { PriceBook } from '../models/price-book.ts';
import { type CacheKnowledge, featureCache, sharedCache } from './cache-snapshot.ts';
import type { Config } from './config.ts';

export interface SnapshotSources {
  readonly scope: Scope;
  readonly config: Config;
  /** Every key that works now. */
  readonly keys: readonly GatewayKey[];
  /** Pauses and throttles in force. */
  readonly featureSwitches: readonly FeatureSwitch[];
  readonly keyPepper: string;
  readonly priceBook: PriceBook;
  /** Keeps what it compiled: schemas are looked at anew each time, and rarely change. */
  readonly outputSchemas: OutputSchemas;
  /** @throws PlimsollError `config_invalid` */
  readonly readSchemaFile: (file: string) => Record<string, unknown>;
  /** Where the simulated providers' process listens, e.g. `http://127.0.0.1:4099`. */
  readonly simOrigin: string;
  readonly cache: CacheKnowledge;
  readonly nowMs: number;
}

export interface CompiledSnapshot {
  /** Everything but `epoch` and `createdAtMs`. */
  readonly content: Omit<Snapshot, 'epoch' | 'createdAtMs'>;
  /** Equal hashes = the same snapshot: no new epoch is needed. */
  readonly hash: string;
  /** Epoch ms at which it must be compiled again although nothing was changed by a person (a dated price begins); null = never. */
  readonly nextChangeMs: number | null;
}

/** @throws PlimsollError `config_invalid` when names do not resolve */
export function compileSnapshotSources(sources: SnapshotSources): CompiledSnapshot {
  const { config, scope } = sources;
  const catalogue = resolveCatalogue(config, sources.priceBook, providerKinds, sources.nowMs, (dialect) =>
    simulatedBaseUrl(sources.simOrigin, dialect),
  );
  if (catalogue.issues.length > 0)
    throw new PlimsollError('config_invalid', catalogue.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  const content: CompiledSnapshot['content'] = {
    schemaVersion: SNAPSHOT_SCHEMA_VERSION,
    organisationId: scope.organisationId,
    environment: scope.environment,
    keyPepper: sources.keyPepper,
    providers: catalogue.providers,
    models: catalogue.models,
    routes: Object.entries(config.routes).map(([name, route]) => ({ name, targets: targetNames(route), policy: routePolicy(route) })),
    features: Object.entries(config.features).map(([name, feature]) => ({
      name,
      owner: feature.owner ?? null,
      costOwner: feature.costOwner ?? null,
      route: feature.route,
      payloads: feature.payloads,
      ...switchOf(name, sources.featureSwitches),
      cache: featureCache(name, feature.cache, sources.cache, config),
      ...approvalsMember(feature),
      ...outputMember(name, feature, sources),
      ...(feature.residency === undefined ? {} : { residency: residencyOf(feature.residency) }),
      ...(feature.priority === undefined ? {} : { priority: feature.priority }),
      ...loopBreakerOf(feature.loopBreaker),
    })),
    keys: sources.keys,
    limits: {
      maxBodyBytes: config.gateway.maxBodyBytes,
      maxJsonDepth: config.gateway.maxJsonDepth,
      maxConcurrentRequests: config.gateway.maxConcurrentRequests,
      maxPayloadBytes: config.gateway.maxPayloadBytes,
      workers: config.gateway.workers,
      journalMaxBytes: config.gateway.journalMaxBytes,
      idempotency: {
        ttlMs: Math.round(config.gateway.idempotency.ttlHours * 3_600_000),
        maxBytes: config.gateway.idempotency.maxBytes,
      },
    },
    cache: sharedCache(config, sources.cache),
    limitRules: rulesOf(config.limits, config.features),
    limitSharing: config.limitSharing,
    health: healthPolicy(config.gateway.health),
    qualityFloors: Object.entries(config.features).flatMap(([feature, { qualityFloor }]) =>
      qualityFloor === undefined ? [] : [{ feature, minimum: qualityFloor.minimum, scores: qualityFloor.scores }],
    ),
  };
  return { content, hash: contentHash(JSON.stringify(content)), nextChangeMs: catalogue.nextPriceChangeMs };
}

/** Only what has to be looked for in the messages; the rest is among the limits. */
function loopBreakerOf(settings: Config['features'][string]['loopBreaker']): Pick<SnapshotFeature, 'loopBreaker'> {
  const { sameToolCalls = null, sameAnswers = null } = settings ?? {};
  return sameToolCalls === null && sameAnswers === null ? {} : { loopBreaker: { sameToolCalls, sameAnswers } };
}

/** Absent, not null, where there is none: an unswitched feature leaves the hash of the snapshot as it was. */
function switchOf(feature: string, switches: readonly FeatureSwitch[]): Pick<SnapshotFeature, 'switch'> {
  const found = switches.find((each) => each.feature === feature);
  if (found === undefined) return {};
  const { id, kind, requestsPerSecond, shareRatio, reason, setBy, setAtMs, expiresAtMs } = found;
  return { switch: { id, kind, requestsPerSecond, shareRatio, reason, setBy: setBy.name, setAtMs, expiresAtMs } };
}

function approvalsMember({ models, modelPolicy }: Config['features'][string]): Pick<SnapshotFeature, 'approvals'> {
  const approvals = approvalsOf(models, modelPolicy);
  return approvals === null ? {} : { approvals };
}

function outputMember(name: string, { output }: Config['features'][string], sources: SnapshotSources): Pick<SnapshotFeature, 'output'> {
  if (output === undefined) return {};
  const { schemaFile, validate, validateToolArguments, onInvalid } = output;
  const schema = output.schema ?? (schemaFile === undefined ? null : sources.readSchemaFile(schemaFile));
  if (schema !== null) {
    try {
      sources.outputSchemas.get(schema, FEATURE_SCHEMA_LIMITS);
    } catch (thrown) {
      if (!(thrown instanceof SchemaRefused)) throw thrown;
      throw new PlimsollError('config_invalid', `features.${name}.output: the schema is refused: ${thrown.message}`, { cause: thrown });
    }
  }
  return { output: { schema, validate, validateToolArguments, onInvalid } };
}
