import { z } from 'zod';
import { retentionConfig } from '../audit/retention/config.ts';
import { costsConfig } from '../costs/config.ts';
import { featuresConfig } from '../features/config.ts';
import { ownersConfig } from '../features/owners-config.ts';
import { describeResidency, residencyOf } from '../features/residency.ts';
import { cacheConfig } from '../gateway/cache/config.ts';
import { gatewayConfig } from '../gateway/config.ts';
import { limitSharingConfig, limitsConfig } from '../gateway/limits-config.ts';
import { findProviderProblems } from '../gateway/provider-kinds.ts';
import { routeModels, routesConfig, targetNames } from '../gateway/routing/route-config.ts';
import { keysConfig } from '../identity/config.ts';
import { type ConfigIssue, configSchema, invalid, locateIssue, parseConfig } from '../kernel/config/load.ts';
import { nearest } from '../kernel/suggest.ts';
import { modelsConfig, pricesConfig, providersConfig } from '../models/config.ts';
import { simConfig } from '../sim/config.ts';
import { sqlConsoleConfig } from '../traces/sql-console/config.ts';
import { embedderProblem } from './cache-embedder.ts';
import { refusedTargets } from './feature-catalogue.ts';
import { telemetryConfig } from './telemetry-config.ts';

/** `sim:` may be left out whole. */
export const SimConfig = simConfig
  .prefault({})
  .describe('The simulated providers; they run only when a provider of kind sim is configured');

/** All sections, in the order of the reference page. */
export const CONFIG_SECTIONS = [
  { key: 'providers', schema: providersConfig },
  { key: 'models', schema: modelsConfig },
  { key: 'prices', schema: pricesConfig },
  { key: 'routes', schema: routesConfig },
  { key: 'features', schema: featuresConfig },
  { key: 'owners', schema: ownersConfig },
  { key: 'keys', schema: keysConfig },
  { key: 'limits', schema: limitsConfig },
  { key: 'limitSharing', schema: limitSharingConfig },
  { key: 'costs', schema: costsConfig },
  { key: 'gateway', schema: gatewayConfig },
  { key: 'cache', schema: cacheConfig },
  { key: 'retention', schema: retentionConfig },
  { key: 'telemetry', schema: telemetryConfig },
  { key: 'sqlConsole', schema: sqlConsoleConfig },
  { key: 'sim', schema: SimConfig },
] as const;

const Config = z.strictObject({
  version: z.literal(1).describe('Format of this file; 1 is the only one so far'),
  providers: providersConfig,
  models: modelsConfig,
  prices: pricesConfig,
  routes: routesConfig,
  features: featuresConfig,
  owners: ownersConfig,
  keys: keysConfig,
  limits: limitsConfig,
  limitSharing: limitSharingConfig,
  costs: costsConfig,
  gateway: gatewayConfig,
  cache: cacheConfig,
  retention: retentionConfig,
  telemetry: telemetryConfig,
  sqlConsole: sqlConsoleConfig,
  sim: SimConfig,
});
export type Config = z.output<typeof Config>;

/** The schema of plimsoll.yaml, from which the reference page and the editors' JSON Schema are made. */
export const CONFIG_SCHEMA = configSchema(CONFIG_SECTIONS);

/**
 * Reads plimsoll.yaml whole: form, then names across sections.
 * @param environment when given, every `${NAME}` must be set in it
 * @throws PlimsollError `config_invalid` with every finding and its line
 */
export function readConfig(text: string, fileName: string, environment: Readonly<Record<string, string | undefined>> | null): Config {
  const config = parseConfig(text, fileName, Config, environment);
  const issues = crossIssues(config, text);
  if (issues.length > 0) throw invalid(fileName, issues);
  return config;
}

type Check = (noun: string, word: string, known: Readonly<Record<string, unknown>>, path: (string | number)[]) => boolean;

/** Names in `limits` that lead nowhere. Teams, users and customers are known only by their calls, so that any name is right. */
function limitIssues(config: Config, check: Check, report: (path: (string | number)[], message: string) => void): void {
  const targets = { ...config.routes, ...config.models };
  const modelsOf = (name: string): readonly string[] => {
    const route = config.routes[name];
    return route === undefined ? [name] : targetNames(route);
  };
  const isSimulated = (name: string): boolean =>
    modelsOf(name).some((target) => config.providers[config.models[target]?.provider ?? '']?.kind === 'sim');
  config.limits.forEach(({ scope, name, feature, downgradeTo }, index) => {
    if (feature !== undefined) check('feature', feature, config.features, ['limits', index, 'feature']);
    if (name !== undefined && scope === 'feature') check('feature', name, config.features, ['limits', index, 'name']);
    if (name !== undefined && scope === 'model') check('model', name, config.models, ['limits', index, 'name']);
    if (name !== undefined && scope === 'provider') check('provider', name, config.providers, ['limits', index, 'name']);
    if (downgradeTo === undefined || !check('route or model', downgradeTo, targets, ['limits', index, 'downgradeTo'])) return;
    const from = feature ?? (scope === 'feature' ? name : undefined);
    const sources = from === undefined ? Object.values(config.features) : [config.features[from]];
    if (isSimulated(downgradeTo) && sources.some((source) => source !== undefined && !isSimulated(source.route)))
      report(
        ['limits', index, 'downgradeTo'],
        `"${downgradeTo}" is simulated and would answer for real models: a made-up answer could reach a user`,
      );
  });
}

function crossIssues(config: Config, text: string): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const report = (path: (string | number)[], message: string): void => {
    issues.push(locateIssue(text, path, message));
  };
  const check = (noun: string, word: string, known: Readonly<Record<string, unknown>>, path: (string | number)[]): boolean => {
    if (Object.hasOwn(known, word)) return true;
    const close = nearest(word, Object.keys(known));
    report(
      path,
      `no ${noun} is named "${word}"; ${close ? `did you mean "${close}"?` : `known: ${Object.keys(known).join(', ') || 'none'}`}`,
    );
    return false;
  };
  for (const [name, provider] of Object.entries(config.providers))
    for (const { path, message } of findProviderProblems(provider)) report(['providers', name, ...path], message);
  for (const [alias, model] of Object.entries(config.models))
    check('provider', model.provider, config.providers, ['models', alias, 'provider']);
  for (const alias of Object.keys(config.prices)) check('model', alias, config.models, ['prices', alias]);
  for (const [route, routeConfig] of Object.entries(config.routes)) {
    const targets = targetNames(routeConfig);
    if (Object.hasOwn(config.models, route))
      report(['routes', route], `"${route}" is also a model; routes and models share one namespace: rename one`);
    const known = routeModels(routeConfig)
      .filter(({ model, path }) => check('model', model, config.models, ['routes', route, ...path]))
      .map(({ model }) => model);
    const simulated = known.filter((target) => config.providers[config.models[target]?.provider ?? '']?.kind === 'sim');
    if (simulated.length > 0 && simulated.length < known.length) {
      report(
        ['routes', route, 'targets'],
        `mixes simulated (${simulated.join(', ')}) and real targets: a made-up answer could reach a user; use one kind only`,
      );
    }
    if (new Set(targets).size < targets.length) report(['routes', route, 'targets'], 'names the same model twice');
  }
  for (const [name, feature] of Object.entries(config.features)) {
    check('route or model', feature.route, { ...config.routes, ...config.models }, ['features', name, 'route']);
    feature.models?.forEach(({ model }, index) => {
      check('model', model, config.models, ['features', name, 'models', index, 'model']);
    });
    const embedder = feature.cache?.semantic.embedder ?? 'lexical';
    if (embedder !== 'lexical') {
      const path = ['features', name, 'cache', 'semantic', 'embedder', 'model'];
      const problem = check('route or model', embedder.model, { ...config.routes, ...config.models }, path)
        ? embedderProblem(config, feature, embedder.model)
        : null;
      if (problem !== null) report(path, problem);
    }
    // As if no approval expired: a file that was right must not keep control from starting on a later day.
    const { all, refused } = refusedTargets(config, feature, Number.NEGATIVE_INFINITY);
    if (refused.length === 0 || refused.length < all.length) continue;
    const demand = feature.residency === undefined ? '' : ` (${describeResidency(residencyOf(feature.residency))})`;
    const list = refused.map(({ model, rule }) => `${model}: ${rule}`).join('; ');
    report(
      ['features', name, feature.residency === undefined ? 'models' : 'residency'],
      `"${feature.route}" has no target that it allows${demand}: ${list}. Add one, or declare region and selfHosted where they run`,
    );
  }
  for (const feature of Object.keys(config.retention.features))
    check('feature', feature, config.features, ['retention', 'features', feature]);
  limitIssues(config, check, report);
  const names = new Set<string>();
  config.keys.forEach((key, index) => {
    if (names.has(key.name)) report(['keys', index, 'name'], `a second key named "${key.name}"`);
    names.add(key.name);
    if (key.feature !== undefined) check('feature', key.feature, config.features, ['keys', index, 'feature']);
    key.models?.forEach((model, at) => {
      check('route or model', model, { ...config.routes, ...config.models }, ['keys', index, 'models', at]);
    });
  });
  return issues;
}
