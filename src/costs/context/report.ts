import { z } from 'zod';
import { type Price, perTokenAt } from '../../models/price.ts';
import { inputTokens, type Usage } from '../../models/usage.ts';
import { type Cluster, LEAST_CLUSTERS, ratioEstimate } from '../../stats/ratio-estimate.ts';
import type { CostPeriod, UsedAtPrice } from '../cost-queries.ts';
import { listPrices, type PricesById } from '../variance/segments.ts';
import { type ReadContext, readContext } from './passages.ts';
import { SentPrefixes } from './prefixes.ts';
import { unreadCharacters } from './unread.ts';

/** A call of the sample, with its texts as they were recorded. */
export interface SampledCall {
  /** Number of the window that it was drawn with. */
  readonly window: number;
  /** False = before the window proper: only what later calls may repeat. */
  readonly isMeasured: boolean;
  readonly startedAtMs: number;
  readonly feature: string;
  readonly provider: string;
  readonly model: string;
  readonly priceId: string;
  readonly usage: Usage;
  /** Null = not recorded. */
  readonly input: string | null;
  readonly output: string | null;
  readonly isTruncated: boolean;
}

const Estimate = z.object({
  ratio: z.number().nullable().describe('Of the cost of input, 0 to 1; null = unmeasured'),
  interval: z.tuple([z.number(), z.number()]).nullable().describe('95 % interval of it, from how the windows differ'),
  picoUsd: z.string().nullable().describe('Share × cost of input in the period, pico-dollars; an estimate'),
  intervalPicoUsd: z.tuple([z.string(), z.string()]).nullable(),
  calls: z.int().describe('Calls that it was measured on'),
  windows: z.int().describe('Stretches of five minutes, drawn at random, that they were in'),
  unmeasured: z.string().nullable().describe('Why there is no number; null = there is one'),
});
type Estimate = z.infer<typeof Estimate>;

const Line = z.object({
  inputPicoUsd: z.string().describe('Cost of all input in the period, exact, pico-dollars'),
  unread: Estimate.describe('Passages and tool results that the answer shows no trace of: an upper bound'),
  resent: Estimate.describe(
    'What a prompt cache would have saved on beginnings that a call of the five minutes before had sent as well, less what writing costs',
  ),
});

export const ContextWaste = z
  .object({
    from: z.int(),
    to: z.int(),
    sampledCalls: z.int(),
    withoutTexts: z
      .int()
      .describe('Of them: the conversation is not recorded whole (payloads, length, or no conversation), so not measured'),
    total: Line,
    features: z.array(Line.extend({ feature: z.string() })).describe('The most expensive input first'),
  })
  .meta({ id: 'ContextWaste' });
export type ContextWaste = z.infer<typeof ContextWaste>;

const INPUT_CLASSES = ['inputUncachedTokens', 'cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens', 'audioInputTokens'] as const;
/** Providers cache from so many tokens on, and in steps. */
const LEAST_CACHED_TOKENS = 1024;
const STEP_TOKENS = 128;

interface Measured {
  readonly window: number;
  readonly feature: string;
  readonly inputCost: number;
  /** Null = it has no context, or its answer no text. */
  readonly unreadCost: number | null;
  /** Null = the price says nothing of a cache. */
  readonly resentCost: number | null;
}

function costOfInput(usage: Usage, price: Price): number {
  const perToken = perTokenAt(price, inputTokens(usage));
  return INPUT_CLASSES.reduce((sum, name) => sum + usage[name] * Number(perToken[name] ?? 0), 0);
}

/** What of the input's cost went into passages without a trace in the answer. */
function unreadCost(context: ReadContext, input: string, output: string, inputCost: number): number | null {
  if (output === '') return null;
  const { unread } = unreadCharacters(context, output);
  return inputCost * Math.min(1, unread / input.length);
}

/** The conversation that was sent; null = not recorded whole: nothing, a beginning, or the preview of the last message. */
function wholeContext({ input, isTruncated }: SampledCall): ReadContext | null {
  return input === null || isTruncated ? null : readContext(input);
}

/** What reading the beginning from a cache would have saved beyond what was read from it. */
function resentCost({ usage, startedAtMs }: SampledCall, input: string, price: Price, sent: SentPrefixes): number | null {
  const { characters, newlyWritten } = sent.add(input, startedAtMs);
  const all = inputTokens(usage);
  const perToken = perTokenAt(price, all);
  const [plain, read, write] = [perToken.inputUncachedTokens, perToken.cacheReadTokens, perToken.cacheWrite5mTokens];
  if (plain === undefined || read === undefined || Number(read) >= Number(plain)) return null;
  const predicted = Math.floor((all * characters) / Math.max(1, input.length));
  if (predicted < LEAST_CACHED_TOKENS) return 0;
  const cached = Math.floor(predicted / STEP_TOKENS) * STEP_TOKENS;
  const more = Math.min(usage.inputUncachedTokens, Math.max(0, cached - usage.cacheReadTokens));
  const premium = write === undefined ? 0 : Math.max(0, Number(write) - Number(plain));
  const written = characters === 0 ? 0 : (more * newlyWritten) / characters;
  return Math.max(0, more * (Number(plain) - Number(read)) - written * premium);
}

function measure(
  calls: readonly SampledCall[],
  prices: PricesById,
): { measured: Measured[]; sampled: number; withoutTexts: ReadonlyMap<string, number> } {
  const sent = new Map<string, SentPrefixes>();
  const measured: Measured[] = [];
  const withoutTexts = new Map<string, number>();
  let sampled = 0;
  for (const call of [...calls].sort((a, b) => a.startedAtMs - b.startedAtMs)) {
    if (call.isMeasured) sampled++;
    const price = prices.get(call.priceId);
    const context = wholeContext(call);
    if (call.input === null || context === null) {
      if (call.isMeasured) withoutTexts.set(call.feature, (withoutTexts.get(call.feature) ?? 0) + 1);
      continue;
    }
    if (price === undefined) continue;
    const key = `${call.window} ${call.provider} ${call.model}`;
    const prefixes = sent.get(key) ?? new SentPrefixes();
    sent.set(key, prefixes);
    const resent = resentCost(call, call.input, price, prefixes);
    if (!call.isMeasured) continue;
    const inputCost = costOfInput(call.usage, price);
    measured.push({
      window: call.window,
      feature: call.feature,
      inputCost,
      unreadCost: unreadCost(context, call.input, call.output ?? '', inputCost),
      resentCost: resent,
    });
  }
  return { measured, sampled, withoutTexts };
}

function estimate(
  calls: readonly Measured[],
  inputPicoUsd: bigint,
  part: (call: Measured) => number | null,
  missing: string,
  withoutTexts: number,
): Estimate {
  const known = calls.flatMap((call) => {
    const value = part(call);
    return value === null ? [] : [{ window: call.window, part: value, whole: call.inputCost }];
  });
  const clusters = [...Map.groupBy(known, ({ window }) => window).values()].map(
    (own): Cluster => ({ part: own.reduce((sum, each) => sum + each.part, 0), whole: own.reduce((sum, each) => sum + each.whole, 0) }),
  );
  const found = ratioEstimate(clusters);
  const pico = (ratio: number): string => ((inputPicoUsd * BigInt(Math.round(ratio * 1_000_000))) / 1_000_000n).toString();
  const why =
    calls.length === 0
      ? withoutTexts > 0
        ? 'needs recorded texts: set payloads: full for the feature'
        : 'needs calls with a known price'
      : known.length === 0
        ? missing
        : `needs calls in ${LEAST_CLUSTERS} stretches of five minutes, there are ${clusters.length}`;
  return {
    ratio: found?.ratio ?? null,
    interval: found?.interval ?? null,
    picoUsd: found === null ? null : pico(found.ratio),
    intervalPicoUsd: found === null ? null : [pico(found.interval[0]), pico(found.interval[1])],
    calls: known.length,
    windows: clusters.length,
    unmeasured: found === null ? why : null,
  };
}

function inputCostOf(used: readonly UsedAtPrice[], prices: PricesById): bigint {
  let sum = 0n;
  for (const row of used) {
    const list = listPrices(row, prices);
    for (const name of INPUT_CLASSES) sum += row.tokens[name] * (list[name] ?? 0n);
  }
  return sum;
}

/** How much of the cost of input is context that left no trace, and how much a prompt cache would have saved: estimates from a sample. Pure. */
export function contextWaste(
  period: CostPeriod,
  calls: readonly SampledCall[],
  used: readonly UsedAtPrice[],
  prices: PricesById,
): ContextWaste {
  const { measured, sampled, withoutTexts } = measure(calls, prices);
  const line = (own: readonly Measured[], ownUsed: readonly UsedAtPrice[], without: number): z.infer<typeof Line> => {
    const inputPicoUsd = inputCostOf(ownUsed, prices);
    return {
      inputPicoUsd: inputPicoUsd.toString(),
      unread: estimate(own, inputPicoUsd, (call) => call.unreadCost, 'needs answers with text', without),
      resent: estimate(own, inputPicoUsd, (call) => call.resentCost, 'needs a price for cached input', without),
    };
  };
  const usedBy = Map.groupBy(used, ({ feature }) => feature);
  const measuredBy = Map.groupBy(measured, ({ feature }) => feature);
  const allWithout = [...withoutTexts.values()].reduce((sum, count) => sum + count, 0);
  const features = [...usedBy].map(([feature, own]) => ({
    feature,
    ...line(measuredBy.get(feature) ?? [], own, withoutTexts.get(feature) ?? 0),
  }));
  features.sort((a, b) => {
    const [left, right] = [BigInt(a.inputPicoUsd), BigInt(b.inputPicoUsd)];
    return left === right ? (a.feature < b.feature ? -1 : 1) : left > right ? -1 : 1;
  });
  return { ...period, sampledCalls: sampled, withoutTexts: allWithout, total: line(measured, used, allWithout), features };
}
