import { z } from 'zod';
import { approvalsOf } from '../features/model-approval.ts';
import { residencyOf, residencyRefusal } from '../features/residency.ts';
import { providerKinds } from '../gateway/provider-kinds.ts';
import { featureTargets } from '../gateway/routing/route-config.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { formatUsd } from '../kernel/money.ts';
import { nearest } from '../kernel/suggest.ts';
import { priceFromConfig } from '../models/catalogue.ts';
import { isPinnedVersion } from '../models/lifecycle.ts';
import { type ModelPin, repinModel, unifiedDiff } from '../models/migration.ts';
import type { Price } from '../models/price.ts';
import type { PriceBook } from '../models/price-book.ts';
import { type Config, readConfig } from './config.ts';

const ModelSide = z.object({
  provider: z.string(),
  model: z.string().describe("The provider's own id"),
  isPinned: z.boolean().describe('The id names one version; false = the provider may point it at another one'),
  inputPerMillionUsd: z.string().nullable(),
  outputPerMillionUsd: z.string().nullable(),
});

export const ModelMigration = z
  .object({
    alias: z.string(),
    from: ModelSide,
    to: ModelSide,
    patch: z.string().describe('Unified diff of plimsoll.yaml, for "patch -p0"'),
    features: z.array(z.object({ name: z.string(), effects: z.array(z.string()) })).describe('Features whose route uses the alias'),
    steps: z.array(
      z.object({
        name: z.enum(['evaluate', 'canary', 'apply', 'watch']),
        isAvailable: z.boolean().describe('False = this version of Plimsoll cannot do it yet'),
        text: z.string(),
      }),
    ),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'ModelMigration' });
export type ModelMigration = z.infer<typeof ModelMigration>;

export interface MigrationSources {
  readonly config: Config;
  /** Text of plimsoll.yaml in force, and the name to show. */
  readonly text: string;
  readonly fileName: string;
  readonly priceBook: PriceBook;
  readonly nowMs: number;
}

function perMillion(price: Price | null, tokenClass: 'inputUncachedTokens' | 'outputTextTokens'): string | null {
  const perToken = price?.perToken[tokenClass];
  return perToken === undefined ? null : formatUsd(BigInt(perToken) * 1_000_000n);
}

/** @param alias whose own price in plimsoll.yaml counts before the book; null = none */
function sideOf({ config, priceBook, nowMs }: MigrationSources, pin: ModelPin, alias: string | null): ModelMigration['from'] {
  const { kind, baseUrl } = config.providers[pin.provider] ?? { kind: 'sim', baseUrl: undefined };
  const own = alias !== null && Object.hasOwn(config.prices, alias) ? config.prices[alias] : undefined;
  const price =
    own === undefined || alias === null
      ? priceBook.find(providerKinds.priceListOf(kind) ?? kind, pin.model, nowMs, baseUrl)
      : priceFromConfig(alias, own);
  return {
    provider: pin.provider,
    model: pin.model,
    isPinned: isPinnedVersion(pin.model),
    inputPerMillionUsd: perMillion(price, 'inputUncachedTokens'),
    outputPerMillionUsd: perMillion(price, 'outputTextTokens'),
  };
}

/** What the change means for each feature whose route has the alias. */
function affectedFeatures({ config }: MigrationSources, alias: string, toProvider: string): ModelMigration['features'] {
  return Object.entries(config.features).flatMap(([name, feature]) => {
    const targets = featureTargets(config.routes, feature.route);
    if (!targets.includes(alias)) return [];
    const effects: string[] = [];
    const approval = approvalsOf(feature.models, feature.modelPolicy)?.entries.find(({ model }) => model === alias);
    if (approval?.status === 'approved') {
      const basis = approval.evaluation === null ? 'names no evaluation' : `rests on ${approval.evaluation}`;
      effects.push(`Its approval of ${alias} was for the old model (${basis}): renew features.${name}.models.`);
    }
    const provider = config.providers[toProvider];
    const own = config.models[alias];
    if (feature.residency !== undefined && provider !== undefined) {
      // What the alias itself declares stays; only what comes from the provider changes.
      const place = { region: own?.region ?? provider.region ?? null, isSelfHosted: own?.selfHosted ?? provider.selfHosted };
      const refusal = residencyRefusal(residencyOf(feature.residency), place);
      if (refusal !== null) effects.push(`Its residency would leave ${alias} out (${refusal}).`);
    }
    return [{ name, effects }];
  });
}

/**
 * How to move a model alias to another version: the exact change of plimsoll.yaml and what has to be looked at. Changes nothing itself.
 * @param to a model alias, or an id of the same provider; null = the configured successor
 * @throws PlimsollError `not_found`, `invalid_argument`
 */
export function planModelMigration(sources: MigrationSources, alias: string, to: string | null): ModelMigration {
  const { config, text, fileName } = sources;
  const current = Object.hasOwn(config.models, alias) ? config.models[alias] : undefined;
  if (current === undefined) {
    const close = nearest(alias, Object.keys(config.models));
    const hint = close === null ? `Known: ${Object.keys(config.models).join(', ')}.` : `Did you mean "${close}"?`;
    throw new PlimsollError('not_found', `There is no model "${alias}". ${hint}`, { details: { param: 'name', suggestion: close } });
  }
  const wanted = to ?? current.successor ?? null;
  if (wanted === null)
    throw new PlimsollError('invalid_argument', `Say where to: models.${alias} names no successor.`, { details: { param: 'to' } });
  const toAlias = Object.hasOwn(config.models, wanted) ? wanted : null;
  const target = toAlias === null ? { provider: current.provider, model: wanted } : config.models[toAlias];
  if (target === undefined || (target.provider === current.provider && target.model === current.model))
    throw new PlimsollError('invalid_argument', `${alias} is ${current.model} already.`, { details: { param: 'to' } });
  const changed = repinModel(text, alias, target);
  const warnings: string[] = [];
  try {
    readConfig(changed, fileName, null);
  } catch (thrown) {
    if (!(thrown instanceof PlimsollError)) throw thrown;
    warnings.push(`The changed file would be refused: ${thrown.message}`);
  }
  const next = sideOf(sources, target, toAlias);
  if (!next.isPinned) warnings.push(`${target.model} is a name that the provider may point at another version; prefer one with a date.`);
  if (Object.hasOwn(config.prices, alias))
    warnings.push(`prices.${alias} of plimsoll.yaml stays in force: it was written for ${current.model}.`);
  else if (next.inputPerMillionUsd === null) warnings.push(`No price is known for ${target.model}: its calls would be unpriced.`);
  return {
    alias,
    from: sideOf(sources, current, alias),
    to: next,
    patch: unifiedDiff(fileName, text, changed),
    features: affectedFeatures(sources, alias, target.provider),
    steps: [
      {
        name: 'evaluate',
        isAvailable: false,
        text: 'This version of Plimsoll has no evaluations yet: test the new model for each feature above by your own means, and note it in features.<name>.models.',
      },
      {
        name: 'canary',
        isAvailable: false,
        text: 'This version has no canaries yet: the change below moves all calls at once. A second alias in one feature’s route first keeps the risk small.',
      },
      {
        name: 'apply',
        isAvailable: true,
        text: 'Apply the patch; the running Plimsoll takes the file up by itself, "plimsoll config check" tests it.',
      },
      { name: 'watch', isAvailable: true, text: 'Watch errors, latency and cost of the features above; "patch -R -p0" goes back.' },
    ],
    warnings,
  };
}
