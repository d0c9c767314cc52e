import { z } from 'zod';
import { RegionName } from '../features/residency.ts';
import { dayText } from '../kernel/config/day.ts';
import type { ConfigSection } from '../kernel/config/load.ts';
import { secretEnvironmentName, secretText } from '../kernel/config/secret.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { picoUsdFromDecimal, picoUsdPerToken } from '../kernel/money.ts';
import { StatusPageConfig, statusPageUrl } from './status-page/model.ts';

/** Names of providers and model aliases: they stand in URLs, metrics and request bodies. */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/, 'a name is 1 to 128 of: letters, digits, . _ : / @ -, and starts with a letter or digit');

/** Wire formats that a simulated provider can speak: kinds of real providers. */
export const SIM_DIALECTS = ['openai', 'anthropic', 'gemini', 'cohere', 'bedrock'] as const;
export type SimDialect = (typeof SIM_DIALECTS)[number];

const milliseconds = z.number().int().positive().max(86_400_000);

/** Why a text is no usable base URL; null when it is one. */
function baseUrlProblem(text: string): string | null {
  if (!URL.canParse(text)) return `not a URL: "${text}"`;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `only http and https are spoken, not "${url.protocol}//"`;
  if (url.username !== '' || url.password !== '') return 'no credentials in the URL; use apiKey: "${NAME}"';
  if (url.search !== '' || url.hash !== '') return 'no query and no fragment; put extra values into headers';
  return null;
}

const baseUrl = z.string().superRefine((text, context) => {
  const problem = baseUrlProblem(text);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

/** True for an address on this machine, where a literal key is no secret. */
function isLoopback(url: string | undefined): boolean {
  const host = url !== undefined && URL.canParse(url) ? new URL(url).hostname : '';
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

const timeouts = z
  .strictObject({
    connectMs: milliseconds.default(2_000).describe('Until the connection stands (TCP and TLS), milliseconds'),
    firstByteMs: milliseconds.default(30_000).describe('From the request to the first byte of the answer, milliseconds'),
    idleMs: milliseconds.default(20_000).describe('Longest gap between two chunks of an answer, milliseconds'),
    totalMs: milliseconds.default(600_000).describe('Longest whole answer, milliseconds'),
  })
  .prefault({})
  .describe('When an attempt at this provider is given up');

const FORBIDDEN_HEADERS = /^(host|connection|content-length|transfer-encoding|authorization|x-api-key|api-key|x-goog-api-key)$/i;
const ONLY_BY_NAME = 'write "${NAME}" and set the environment variable NAME; a key is never kept in this file';

export const ProviderConfig = z
  .strictObject({
    kind: z
      .string()
      .min(1)
      .max(64)
      .describe('What is spoken there: openai, anthropic, azure-openai, groq, ollama …; providers.md lists all; sim = simulated answers'),
    baseUrl: baseUrl
      .optional()
      .describe(
        'Address up to the version path, without a trailing slash; absent = the address of the kind, which providers.md names where there is one',
      ),
    apiKey: secretText('The provider\'s key as "${NAME}" of an environment variable; absent = none is sent').optional(),
    settings: z
      .record(z.string().min(1).max(64), z.union([z.string().max(1024), z.number(), z.boolean()]).transform(String))
      .default({})
      .describe('Settings of the kind (region, project, apiVersion …); providers.md lists them'),
    secrets: z
      .record(z.string().min(1).max(64), secretText('A secret as "${NAME}" of an environment variable'))
      .default({})
      .describe('Secrets of the kind besides apiKey (secretAccessKey, serviceAccountJson …), each as "${NAME}"; providers.md lists them'),
    headers: z
      .record(
        z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'not a header name'),
        z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'not a header value'),
      )
      .default({})
      .describe('Extra headers on every request, e.g. OpenAI-Organization; no secrets'),
    timeouts,
    maxConnections: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(256)
      .describe('Most connections at the same time; further requests wait in line'),
    region: RegionName.optional().describe('Where its models run, e.g. eu-central-1; for features that demand a residency'),
    selfHosted: z.boolean().default(false).describe('It runs on our own machines; for features that demand a residency'),
    statusPage: StatusPageConfig.optional().describe(
      'The vendor’s status page; asked only where this stands. It corroborates, it decides nothing',
    ),
    dialect: z
      .enum(SIM_DIALECTS)
      .optional()
      .describe(
        'Only for sim: the kind of provider that is simulated; openai when absent. Settings and secrets are those of that kind (bedrock: region and a key)',
      ),
  })
  .superRefine((provider, context) => {
    const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (provider.kind !== 'sim' && provider.dialect !== undefined) issue(['dialect'], `only for kind: sim; ${provider.kind} has its own`);
    if (provider.statusPage !== undefined && statusPageUrl(provider.kind, provider.statusPage) === null)
      issue(['statusPage'], `no status page is known for kind: ${provider.kind}; write its url`);
    const mayBeLiteral = provider.kind === 'sim' || isLoopback(provider.baseUrl);
    const needsReference = (text: string | undefined): boolean =>
      text !== undefined && secretEnvironmentName(text) === null && !mayBeLiteral;
    if (needsReference(provider.apiKey)) issue(['apiKey'], ONLY_BY_NAME);
    for (const [name, text] of Object.entries(provider.secrets)) if (needsReference(text)) issue(['secrets', name], ONLY_BY_NAME);
    for (const header of Object.keys(provider.headers))
      if (FORBIDDEN_HEADERS.test(header)) issue(['headers'], `"${header}" is set by Plimsoll; for the key use apiKey`);
  });
export type ProviderConfig = z.output<typeof ProviderConfig>;

export const ModelConfig = z.strictObject({
  provider: name.describe('Name of a provider above'),
  model: z.string().min(1).max(256).describe("The provider's own id of the model"),
  region: RegionName.optional().describe('Where this model runs, when it differs from its provider'),
  selfHosted: z.boolean().optional().describe('It runs on our own machines, when it differs from its provider'),
  maxOutputTokens: z
    .int()
    .min(1)
    .optional()
    .describe('Longest answer of the model, tokens: what is reserved for a call that names no number; 4096 is assumed when left out'),
  contextTokens: z
    .int()
    .positive()
    .max(1_000_000_000)
    .optional()
    .describe('Longest input and output together; absent = what the price book knows. A request that is too long goes to a larger one'),
  deprecatedAt: dayText('Date (UTC) of its deprecation by the provider, e.g. 2026-06-01; sent as the "deprecation" header').optional(),
  retiresAt: dayText(
    'Date (UTC) from which the provider no longer serves it; sent as the "sunset" header, and events come before',
  ).optional(),
  successor: name.optional().describe('Model alias that takes its place'),
});
export type ModelConfig = z.output<typeof ModelConfig>;

/** @throws PlimsollError `invalid_argument` when something is left over */
function exactQuotient(pico: bigint, pieces: bigint): bigint {
  if (pico % pieces !== 0n) throw new PlimsollError('invalid_argument', 'finer than a pico-dollar a piece');
  return pico / pieces;
}

function isPrice(usd: number, parse: (usd: number) => bigint): boolean {
  try {
    return parse(usd) >= 0n;
  } catch (thrown) {
    if (thrown instanceof PlimsollError) return false;
    throw thrown;
  }
}

const usdPerMillion = z
  .number()
  .nonnegative()
  .max(1_000_000)
  .refine((usd) => isPrice(usd, picoUsdPerToken), 'finer than a pico-dollar per token; use at most 6 decimals');

/** A price that is quoted for a number of pieces. */
function usdPerPieces(pieces: bigint) {
  return z
    .number()
    .nonnegative()
    .max(1_000_000)
    .refine((usd) => isPrice(usd, (value) => exactQuotient(picoUsdFromDecimal(`${value}`), pieces)), 'finer than a pico-dollar a piece')
    .optional();
}

const PRICES_BY_PIECE = ['perMillionCharactersUsd', 'perSecondUsd', 'perImageUsd', 'perThousandSearchesUsd', 'perRequestUsd'] as const;

export const PriceConfig = z
  .strictObject({
    inputPerMillionUsd: usdPerMillion.optional().describe('Input tokens, US dollars per million; goes with outputPerMillionUsd'),
    outputPerMillionUsd: usdPerMillion.optional().describe('Output tokens, US dollars per million; goes with inputPerMillionUsd'),
    cacheReadPerMillionUsd: usdPerMillion
      .optional()
      .describe('Input read from the prompt cache, US dollars per million; absent = as input'),
    cacheWrite5mPerMillionUsd: usdPerMillion
      .optional()
      .describe('Input written to the 5-minute cache, US dollars per million; absent = calls that use it are unpriced'),
    cacheWrite1hPerMillionUsd: usdPerMillion
      .optional()
      .describe('Input written to the 1-hour cache, US dollars per million; absent = calls that use it are unpriced'),
    reasoningPerMillionUsd: usdPerMillion.optional().describe('Reasoning tokens, US dollars per million; absent = as output'),
    audioInputPerMillionUsd: usdPerMillion
      .optional()
      .describe('Audio input tokens, US dollars per million; absent = calls that use it are unpriced'),
    audioOutputPerMillionUsd: usdPerMillion
      .optional()
      .describe('Audio output tokens, US dollars per million; absent = calls that use it are unpriced'),
    perRequestUsd: z
      .number()
      .nonnegative()
      .max(1_000)
      .refine((usd) => isPrice(usd, (value) => picoUsdFromDecimal(`${value}`)), 'finer than a pico-dollar')
      .optional()
      .describe('Charged once per request, US dollars; absent = nothing'),
    perMillionCharactersUsd: usdPerPieces(1_000_000n).describe('Characters that are spoken, US dollars per million'),
    perSecondUsd: usdPerPieces(1n).describe('Audio that is heard, US dollars per second'),
    perImageUsd: usdPerPieces(1n).describe('Images that are made, US dollars each'),
    perThousandSearchesUsd: usdPerPieces(1_000n).describe('Searches that a rerank is billed as, US dollars per thousand'),
    serviceTiers: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, 'lower-case letters, digits, "-" and "_"'),
        z.strictObject({
          inputPerMillionUsd: usdPerMillion.describe('Input tokens, US dollars per million'),
          outputPerMillionUsd: usdPerMillion.describe('Output tokens, US dollars per million'),
          cacheReadPerMillionUsd: usdPerMillion.optional().describe('Input read from the prompt cache; absent = as input'),
        }),
      )
      .optional()
      .describe(
        'Prices of other service tiers (flex, priority, batch …) as answers name them; calls of a tier that is not here are unpriced, and budgets count them at the price above',
      ),
  })
  .superRefine((price, context) => {
    const hasTokens = price.inputPerMillionUsd !== undefined && price.outputPerMillionUsd !== undefined;
    const hasHalf = (price.inputPerMillionUsd !== undefined || price.outputPerMillionUsd !== undefined) && !hasTokens;
    if (hasHalf || (!hasTokens && PRICES_BY_PIECE.every((name) => price[name] === undefined)))
      context.addIssue({
        code: 'custom',
        message: `inputPerMillionUsd and outputPerMillionUsd are needed, or one of ${PRICES_BY_PIECE.join(', ')}`,
      });
  });
export type PriceConfig = z.output<typeof PriceConfig>;

/** `providers:` of plimsoll.yaml. */
export const providersConfig = z.record(name, ProviderConfig).default({}).describe('Where models are reached, by name');
export type ProvidersConfig = z.output<typeof providersConfig>;
/** `models:` of plimsoll.yaml. */
export const modelsConfig = z.record(name, ModelConfig).default({}).describe('Models by the alias that requests and routes use');
export type ModelsConfig = z.output<typeof modelsConfig>;
/** `prices:` of plimsoll.yaml. */
export const pricesConfig = z
  .record(name, PriceConfig)
  .default({})
  .describe('Own prices by model alias; they replace the price book whole. Simulated models are priced only by these');
export type PricesConfig = z.output<typeof pricesConfig>;

/** The sections of plimsoll.yaml that this room reads. */
export const configSections = [
  { key: 'providers', schema: providersConfig },
  { key: 'models', schema: modelsConfig },
  { key: 'prices', schema: pricesConfig },
] as const satisfies readonly ConfigSection[];
