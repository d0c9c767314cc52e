import { runItems } from '../evals/runner/run-plan.ts';
import type { Suite } from '../evals/suite.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { PicoUsd } from '../kernel/money.ts';
import { picoUsdPerToken } from '../kernel/money.ts';
import type { ModelList } from './catalogue-routes.ts';
import type { CliContext } from './cli.ts';

const CHARACTERS_PER_TOKEN = 4;
/** What an answer is taken for when the suite sets no limit. */
const ASSUMED_OUTPUT_TOKENS = 300;
/** Prompts are read of so many answers spread over the run, not of a hundred thousand. */
const SAMPLE = 500;

export interface GatewayCatalogue {
  readonly names: ReadonlySet<string>;
  readonly models: ModelList['models'];
  readonly routes: ModelList['routes'];
}

/** Names and prices of the gateway; null when this machine may not ask for them (no admin key, or nothing answers). */
export async function readCatalogue({ client }: CliContext): Promise<GatewayCatalogue | null> {
  try {
    const { models, routes } = await client.call<ModelList>('GET', '/api/v1/models');
    return { models, routes, names: new Set([...models, ...routes].map(({ name }) => name)) };
  } catch (error) {
    if (error instanceof PlimsollError && ['unauthenticated', 'permission_denied', 'store_unavailable'].includes(error.code)) return null;
    throw error;
  }
}

export interface CostEstimate {
  /** Without judges; null = a price is not known. */
  readonly picoUsd: PicoUsd | null;
  /** The dearest single answer. */
  readonly dearestPicoUsd: PicoUsd;
  readonly basis: string;
}

/** Before anything is spent: lengths of the prompts, prices of the catalogue, answers as long as they may be. */
export function estimateCost(suite: Suite, total: number, catalogue: GatewayCatalogue | null): CostEstimate {
  if (suite.targets.every(({ model }) => model === null)) return { picoUsd: 0n, dearestPicoUsd: 0n, basis: 'no model is called' };
  if (catalogue === null) return { picoUsd: null, dearestPicoUsd: 0n, basis: 'prices cannot be read without an admin key' };
  const step = Math.max(1, Math.floor(total / SAMPLE));
  let sum = 0n;
  let sampled = 0;
  let dearest = 0n;
  let isAssumed = false;
  for (const item of runItems(suite)) {
    if (item.n % step !== 0) continue;
    sampled++;
    const target = suite.targets[item.target];
    if (target === undefined || target.model === null || item.case.output !== null) continue;
    const price = priceOf(target.model, catalogue);
    if (price === null) return { picoUsd: null, dearestPicoUsd: 0n, basis: `the price of "${target.model}" is not known` };
    const text = suite.prompts[item.prompt]?.render(item.case.variables).text ?? '';
    const limit = [target.parameters.max_completion_tokens, target.parameters.max_tokens].find((value) => typeof value === 'number');
    if (limit === undefined) isAssumed = true;
    const cost =
      BigInt(Math.ceil(text.length / CHARACTERS_PER_TOKEN) + 10) * price.input +
      BigInt(typeof limit === 'number' ? Math.trunc(limit) : ASSUMED_OUTPUT_TOKENS) * price.output;
    sum += cost;
    if (cost > dearest) dearest = cost;
  }
  const basis = `4 characters a token, ${isAssumed ? `${ASSUMED_OUTPUT_TOKENS} tokens an answer where no limit is set` : 'answers as long as they may be'}${suite.judge === null ? '' : ', judges not counted'}`;
  return { picoUsd: sampled === 0 ? 0n : (sum * BigInt(total)) / BigInt(sampled), dearestPicoUsd: dearest, basis };
}

function priceOf(name: string, { models, routes }: GatewayCatalogue): { input: PicoUsd; output: PicoUsd } | null {
  const target = routes.find((route) => route.name === name)?.targets[0] ?? name;
  const model = models.find((entry) => entry.name === target);
  if (!model?.inputPerMillionUsd || !model.outputPerMillionUsd) return null;
  return { input: picoUsdPerToken(Number(model.inputPerMillionUsd)), output: picoUsdPerToken(Number(model.outputPerMillionUsd)) };
}
