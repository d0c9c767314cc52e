import { keyHmac } from '../identity/virtual-key.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { ModelLifecycle } from '../models/lifecycle.ts';
import type { Price } from '../models/price.ts';
import { type CompiledPrice, compilePrice } from '../models/price-usage.ts';
import { adapterFor } from './adapter-for.ts';
import type { LimitRule } from './admission/limit-rule.ts';
import { JsonScanner } from './body/json-scanner.ts';
import { type CacheSettings, DEFAULT_CACHE_SETTINGS } from './cache/settings.ts';
import type { Caller } from './call.ts';
import { callerJson, type TargetJson, targetJson } from './call-json.ts';
import { type Credentials, resolveCredentials } from './credentials.ts';
import type { ChatEndpoint, DialectName, Operation, OperationEndpoint, ProviderAdapter, Settings, TokenGrant } from './provider.ts';
import { readSettings } from './provider-kinds.ts';
import { chatCompletions } from './providers/openai/chat.ts';
import { type CompiledRoute, compileRoute, disabledTiers } from './routing/compiled-route.ts';
import type { Tier } from './routing/policy.ts';
import { RoutingRegistry } from './routing/routing-registry.ts';
import type { TargetHealth } from './routing/target-health.ts';
import type { SecretReference, Snapshot, SnapshotFeature, SnapshotKey, SnapshotLimits, SnapshotProvider } from './snapshot.ts';
import { compileTargetPolicies, type TargetPolicy } from './target-policy.ts';

export interface CompiledProvider {
  readonly name: string;
  readonly kind: SnapshotProvider['kind'];
  readonly adapter: ProviderAdapter;
  readonly settings: Settings;
  readonly credentials: Credentials;
  /** Null when calls need no short-lived token. */
  readonly tokenGrant: TokenGrant | null;
  /** `https://api.openai.com` */
  readonly origin: string;
  /** With the port where it is not the scheme's. */
  readonly host: string;
  /** Path of the base URL, without a trailing slash. */
  readonly basePath: string;
  /** Flat name, value list sent with every call. Holds the credential. */
  readonly headers: readonly string[];
  /** The same without a content-type, for bodies that bring their own. */
  readonly headersWithoutType: readonly string[];
  /** Name of the environment variable that should hold the credential and does not. */
  readonly missingSecret: string | null;
  readonly timeouts: SnapshotProvider['timeouts'];
  readonly maxConnections: number;
  readonly isSimulated: boolean;
}

/** How a target serves clients of one dialect. */
export interface CompiledEndpoint {
  readonly endpoint: ChatEndpoint;
  /** Paths of a call, base path included. */
  readonly path: string;
  readonly streamPath: string;
  /** Client and provider speak the same dialect: bytes are forwarded. */
  readonly isForwarded: boolean;
}

/** How a target serves an operation besides chat. */
export interface CompiledOperation {
  readonly endpoint: OperationEndpoint;
  /** Base path included. */
  readonly path: string;
  /** For text completions, whose answers are read as chat's are; null for the rest. */
  readonly asChat: CompiledEndpoint | null;
}

/** One model at one provider: where a call may go. */
export interface CompiledTarget {
  /** Alias in plimsoll.yaml. */
  readonly model: string;
  readonly provider: CompiledProvider;
  readonly upstreamModel: string;
  /** The model id as JSON text, spliced into request bodies. */
  readonly upstreamModelJson: Buffer;
  readonly json: TargetJson;
  readonly price: CompiledPrice | null;
  /** Where it runs; null = not declared. */
  readonly region: string | null;
  readonly isSelfHosted: boolean;
  /** Longest answer of the model; null = not known. */
  readonly maxOutputTokens: number | null;
  /** Longest input and output together; null = not known. */
  readonly contextTokens: number | null;
  /** What this worker knows of the target; shared by all snapshots that name it. */
  readonly health: TargetHealth;
  readonly lifecycle: ModelLifecycle | null;
  /** For clients of the hub's dialect, so that the most frequent case needs no look-up. */
  readonly hubEndpoint: CompiledEndpoint;
  /** @throws PlimsollError `internal` when the provider serves no chat at all */
  endpointFor(client: DialectName): CompiledEndpoint;
  /** Null when the provider does not serve it. */
  operationFor(operation: Operation): CompiledOperation | null;
}

/** What a request's `model` can name: a route or a model alias. */
export interface Destination {
  readonly name: string;
  /** Null for a model alias. */
  readonly route: string | null;
  /** Non-empty; the first is primary. */
  readonly targets: readonly CompiledTarget[];
  /** Null for a model alias, and for routes of a control that knows no policies. */
  readonly routing: CompiledRoute | null;
}

/** A snapshot in the form that a call reads: maps, parsed prices, ready headers. Immutable but for the cache of known tokens. */
export interface CompiledSnapshot {
  readonly epoch: number;
  readonly organisationId: string;
  readonly environment: string;
  readonly createdAtMs: number;
  readonly limits: SnapshotLimits;
  readonly cache: CacheSettings;
  readonly limitRules: readonly LimitRule[];
  readonly features: ReadonlyMap<string, SnapshotFeature>;
  readonly destinations: ReadonlyMap<string, Destination>;
  /** By feature; only of those that demand something of their targets. */
  readonly targetPolicies: ReadonlyMap<string, TargetPolicy>;
  readonly providers: readonly CompiledProvider[];
  /** Tiers below the quality floor, by feature. */
  readonly disabledTiers: ReadonlyMap<string, ReadonlySet<Tier>>;
  /** Scans are synchronous, so that one serves all calls. */
  readonly bodyScanner: JsonScanner;
  /** The key record of a token, null when it is not one of ours. The HMAC is paid once per valid token and snapshot. */
  findKey(token: string): SnapshotKey | null;
  /** One per key and feature. */
  callerOf(key: SnapshotKey, feature: SnapshotFeature): Caller;
}

export type ResolveSecret = (reference: SecretReference) => string | null;

function compileProvider(provider: SnapshotProvider, resolveSecret: ResolveSecret): CompiledProvider {
  const adapter = adapterFor(provider);
  const url = new URL(provider.baseUrl);
  const settings = readSettings(adapter, provider.name, provider.settings ?? {});
  const { credentials, missingSecret } = resolveCredentials(provider, resolveSecret);
  const headers = new Map([
    ['content-type', 'application/json'],
    // Compressed answers would have to be unpacked to be read and forwarded.
    ['accept-encoding', 'identity'],
    ['user-agent', 'plimsoll'],
  ]);
  for (const source of [adapter.headers(credentials, settings), provider.headers]) {
    for (const [name, value] of Object.entries(source)) headers.set(name.toLowerCase(), value);
  }
  return {
    name: provider.name,
    kind: provider.kind,
    adapter,
    settings,
    credentials,
    tokenGrant: adapter.tokenGrant(credentials, settings),
    origin: url.origin,
    host: url.host,
    basePath: url.pathname.replace(/\/+$/, ''),
    headers: [...headers].flat(),
    headersWithoutType: [...headers].filter(([name]) => name !== 'content-type').flat(),
    missingSecret,
    timeouts: provider.timeouts,
    maxConnections: provider.maxConnections,
    isSimulated: provider.isSimulated,
  };
}

/** An endpoint in the client's own dialect, else the first that can be reached from the hub. */
function chooseEndpoint(provider: CompiledProvider, upstreamModel: string, client: DialectName): ChatEndpoint {
  const chat = provider.adapter.chat.filter((candidate) => candidate.serves?.(upstreamModel) ?? true);
  const endpoint =
    chat.find((candidate) => candidate.dialect === client) ??
    chat.find((candidate) => candidate.dialect === 'openai-chat' || candidate.encodeRequest !== null);
  if (endpoint === undefined) throw new PlimsollError('internal', `"${provider.name}" (${provider.kind}) has no endpoint for chat`);
  return endpoint;
}

function compileOperation(operation: Operation, upstreamModel: string, provider: CompiledProvider): CompiledOperation | null {
  const endpoint = provider.adapter.operations[operation];
  if (endpoint === undefined || !(endpoint.serves?.(upstreamModel) ?? true)) return null;
  const path = `${provider.basePath}${endpoint.path(upstreamModel, provider.settings)}`;
  const asChat = operation === 'text_completion' ? { endpoint: chatCompletions, path, streamPath: path, isForwarded: true } : null;
  return { endpoint, path, asChat };
}

function compileTarget(model: Snapshot['models'][number], provider: CompiledProvider, registry: RoutingRegistry): CompiledTarget {
  const { upstreamModel } = model;
  const compiled = new Map<DialectName, CompiledEndpoint>();
  const endpointFor = (client: DialectName): CompiledEndpoint => {
    let found = compiled.get(client);
    if (found === undefined) {
      const endpoint = chooseEndpoint(provider, upstreamModel, client);
      const path = (isStream: boolean): string => `${provider.basePath}${endpoint.path(upstreamModel, isStream, provider.settings)}`;
      found = { endpoint, path: path(false), streamPath: path(true), isForwarded: endpoint.dialect === client };
      compiled.set(client, found);
    }
    return found;
  };
  const operations = new Map<Operation, CompiledOperation | null>();
  const operationFor = (operation: Operation): CompiledOperation | null => {
    let found = operations.get(operation);
    if (found === undefined) {
      found = compileOperation(operation, upstreamModel, provider);
      operations.set(operation, found);
    }
    return found;
  };
  return {
    model: model.name,
    provider,
    upstreamModel,
    upstreamModelJson: Buffer.from(JSON.stringify(upstreamModel)),
    json: targetJson(
      {
        model: model.name,
        provider: provider.name,
        providerKind: provider.kind,
        requestModel: upstreamModel,
        ...(model.region == null ? {} : { region: model.region }),
        ...(model.isSelfHosted ? { isSelfHosted: true } : {}),
      },
      provider.isSimulated,
    ),
    // The snapshot keeps classes as plain text keys, so that an older gateway can read a newer one.
    price: model.price === null ? null : compilePrice(model.price as Price),
    region: model.region ?? null,
    isSelfHosted: model.isSelfHosted ?? false,
    maxOutputTokens: model.maxOutputTokens ?? null,
    contextTokens: model.contextTokens ?? null,
    health: registry.health.get(model.name, provider.name, upstreamModel),
    lifecycle: model.lifecycle ?? null,
    hubEndpoint: endpointFor('openai-chat'),
    endpointFor,
    operationFor,
  };
}

function compileDestinations(
  snapshot: Snapshot,
  providers: ReadonlyMap<string, CompiledProvider>,
  registry: RoutingRegistry,
): Map<string, Destination> {
  const targets = new Map<string, CompiledTarget>();
  for (const model of snapshot.models) {
    const provider = providers.get(model.provider);
    if (provider === undefined) continue;
    targets.set(model.name, compileTarget(model, provider, registry));
  }
  const destinations = new Map<string, Destination>();
  for (const target of targets.values())
    destinations.set(target.model, { name: target.model, route: null, targets: [target], routing: null });
  for (const route of snapshot.routes) {
    const chosen = route.targets.map((name) => targets.get(name)).filter((target) => target !== undefined);
    if (chosen.length === 0) continue;
    const routing =
      route.policy === undefined
        ? null
        : compileRoute(route.policy, route.targets, targets, registry.route(route.name), snapshot.limits.workers ?? 1);
    destinations.set(route.name, { name: route.name, route: route.name, targets: chosen, routing });
  }
  registry.health.setPolicy(snapshot.health ?? null);
  registry.health.retain(new Set([...targets.values()].map(({ health }) => health)));
  registry.retainRoutes(new Set(snapshot.routes.map(({ name }) => name)));
  return destinations;
}

/**
 * Built once per snapshot and gateway. `registry` is what the worker learned so far; targets and routes find their records in it. Names that lead nowhere (a route to a missing model) were refused by control; here they are left out.
 * @throws PlimsollError `config_invalid` for a provider kind of a newer version
 */
export function compileSnapshot(snapshot: Snapshot, resolveSecret: ResolveSecret, registry = new RoutingRegistry()): CompiledSnapshot {
  const providers = new Map(snapshot.providers.map((provider) => [provider.name, compileProvider(provider, resolveSecret)]));
  const keysByHmac = new Map(snapshot.keys.map((key) => [key.hmac, key]));
  // Holds valid tokens only, so that it cannot outgrow the keys however many wrong ones are tried.
  const keysByToken = new Map<string, SnapshotKey>();
  const callers = new Map<SnapshotKey, Map<SnapshotFeature, Caller>>(snapshot.keys.map((key) => [key, new Map()]));
  return {
    epoch: snapshot.epoch,
    organisationId: snapshot.organisationId,
    environment: snapshot.environment,
    createdAtMs: snapshot.createdAtMs,
    limits: snapshot.limits,
    cache: snapshot.cache ?? DEFAULT_CACHE_SETTINGS,
    limitRules: snapshot.limitRules ?? [],
    features: new Map(snapshot.features.map((feature) => [feature.name, feature])),
    destinations: compileDestinations(snapshot, providers, registry),
    targetPolicies: compileTargetPolicies(snapshot.features),
    providers: [...providers.values()],
    disabledTiers: disabledTiers(snapshot.qualityFloors ?? []),
    bodyScanner: new JsonScanner(snapshot.limits.maxJsonDepth),
    findKey(token) {
      const known = keysByToken.get(token);
      if (known !== undefined) return known;
      const key = keysByHmac.get(keyHmac(snapshot.keyPepper, token)) ?? null;
      if (key !== null) keysByToken.set(token, key);
      return key;
    },
    callerOf(key, feature) {
      const known = callers.get(key)?.get(feature);
      if (known !== undefined) return known;
      const { organisationId, environment } = snapshot;
      const json = callerJson({ organisationId, environment, feature: feature.name, team: key.team, keyId: key.id });
      const caller = { key, feature, json };
      callers.get(key)?.set(feature, caller);
      return caller;
    },
  };
}
