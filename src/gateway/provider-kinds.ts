import type { z } from 'zod';
import { PlimsollError } from '../kernel/errors.ts';
import { nearest } from '../kernel/suggest.ts';
import { type ProviderKinds, secretReference } from '../models/catalogue.ts';
import type { ProviderConfig, SimDialect } from '../models/config.ts';
import { findAdapter } from './adapter-for.ts';
import type { ResolveSecret } from './compiled-snapshot.ts';
import { resolveCredentials } from './credentials.ts';
import type { ProviderAdapter, Settings } from './provider.ts';
import { ADAPTERS } from './providers/index.gen.ts';

/** Every `kind` that plimsoll.yaml may name, in the order of the alphabet. */
export const PROVIDER_KINDS: readonly string[] = [...ADAPTERS.map((adapter) => adapter.kind), 'sim'].sort();

/** A finding about one provider of plimsoll.yaml; the path is relative to it. */
export interface ProviderProblem {
  readonly path: readonly string[];
  readonly message: string;
}

function unknownName(word: string, known: readonly string[], nothing: string): string {
  const close = nearest(word, known);
  if (close !== null) return `did you mean "${close}"?`;
  return known.length === 0 ? nothing : `known: ${known.join(', ')}`;
}

/**
 * Settings with their defaults.
 * @throws PlimsollError `config_invalid`; control has checked them before, so that this is a snapshot of another version
 */
export function readSettings(adapter: ProviderAdapter, provider: string, settings: Readonly<Record<string, string>>): Settings {
  const parsed = adapter.settings.safeParse(settings);
  if (!parsed.success)
    throw new PlimsollError('config_invalid', `The settings of provider "${provider}" do not fit its kind "${adapter.kind}".`, {
      details: { provider, issues: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) },
    });
  return textsOf(parsed.data);
}

function textsOf(data: Readonly<Record<string, unknown>>): Settings {
  return Object.fromEntries(Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function settingProblems(issues: readonly z.core.$ZodIssue[], known: readonly string[]): ProviderProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ path: ['settings', ...issue.path.map(String)], message: issue.message }];
    return issue.keys.map((key) => ({
      path: ['settings', key],
      message: `unknown setting; ${unknownName(key, known, 'this kind has no settings')}`,
    }));
  });
}

/** Base URL as it is used: no trailing slash, the version added to a bare host; null when the operator must name one. */
export function resolveBaseUrl(adapter: ProviderAdapter, baseUrl: string | undefined, settings: Settings): string | null {
  const text = baseUrl ?? adapter.defaultBaseUrl(settings);
  if (text === null) return null;
  const trimmed = text.replace(/\/+$/, '');
  return new URL(trimmed).pathname === '/' ? `${trimmed}${adapter.versionPath}` : trimmed;
}

/** What is wrong with a provider of plimsoll.yaml as far as its kind tells; empty when it can be used. */
export function findProviderProblems(provider: ProviderConfig): ProviderProblem[] {
  const { kind, settings, secrets } = provider;
  // A simulated provider takes what the real one of its dialect takes.
  const adapter = findAdapter(kind === 'sim' ? (provider.dialect ?? 'openai') : kind);
  if (adapter === null)
    return [{ path: ['kind'], message: `no provider kind is named "${kind}"; ${unknownName(kind, PROVIDER_KINDS, '')}` }];
  const problems: ProviderProblem[] = [];
  const parsed = adapter.settings.safeParse(settings);
  if (!parsed.success) problems.push(...settingProblems(parsed.error.issues, Object.keys(adapter.settings.shape)));
  for (const name of Object.keys(secrets)) {
    if (Object.hasOwn(adapter.secrets, name)) continue;
    const hint = unknownName(name, Object.keys(adapter.secrets), `${kind} takes only apiKey`);
    problems.push({ path: ['secrets', name], message: `unknown secret; ${hint}` });
  }
  if (!parsed.success || problems.length > 0) return problems;
  const texts = textsOf(parsed.data);
  const given = new Set([...Object.keys(secrets), ...(provider.apiKey === undefined ? [] : ['apiKey'])]);
  const problem = adapter.findProblem({ settings: texts, secrets: given, hasBaseUrl: provider.baseUrl !== undefined });
  if (problem !== null) problems.push({ path: [], message: problem });
  if (resolveBaseUrl(adapter, provider.baseUrl, texts) === null)
    problems.push({ path: ['kind'], message: `a provider of kind ${kind} needs baseUrl, e.g. http://127.0.0.1:11434/v1` });
  return problems;
}

/** How `plimsoll doctor` asks whether a provider is there and takes the key; null when its kind is not known. */
export function probeOf(
  provider: ProviderConfig,
  resolveSecret: ResolveSecret,
): { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly provesKey: boolean } | null {
  const adapter = findAdapter(provider.kind);
  const baseUrl = providerKinds.baseUrlOf(provider);
  if (adapter === null || baseUrl === null) return null;
  const settings = readSettings(adapter, provider.kind, provider.settings);
  const secrets = Object.fromEntries(Object.entries(provider.secrets).map(([name, text]) => [name, secretReference(text)]));
  const apiKey = provider.apiKey === undefined ? null : secretReference(provider.apiKey);
  const { credentials } = resolveCredentials({ apiKey, secrets }, resolveSecret);
  return {
    url: `${baseUrl}${adapter.probePath ?? ''}`,
    headers: { ...adapter.headers(credentials, settings), ...provider.headers },
    provesKey: adapter.probePath !== null && adapter.tokenGrant(credentials, settings) === null,
  };
}

/**
 * Where a simulated provider speaks a dialect: below a prefix of its name, with the path of the real provider's address.
 * @param origin of the simulated providers' port, e.g. `http://127.0.0.1:4099`
 * @returns null for a dialect that this version has no adapter for
 */
export function simulatedBaseUrl(origin: string, dialect: SimDialect): string | null {
  const adapter = findAdapter(dialect);
  if (adapter === null) return null;
  const real = adapter.defaultBaseUrl({});
  return `${origin}/${dialect}${real === null ? '' : new URL(real).pathname.replace(/\/+$/, '')}`;
}

/** For the catalogue of models, which stands in an earlier room. */
export const providerKinds: ProviderKinds = {
  baseUrlOf(provider) {
    const adapter = findAdapter(provider.kind);
    if (adapter === null) return null;
    const parsed = adapter.settings.safeParse(provider.settings);
    return parsed.success ? resolveBaseUrl(adapter, provider.baseUrl, textsOf(parsed.data)) : null;
  },
  priceListOf: (kind) => findAdapter(kind)?.priceList ?? null,
};
