/** What do the cache and routing by tiers save on one day of questions, and what do they get wrong? `node bench/savings.ts [--questions 3000] [--seed 1] [--smoke] [--json]` */
import { parseArgs } from 'node:util';
import { checkPairs, LEXICAL } from '../src/gateway/cache/check-pairs.ts';
import { guardForm } from '../src/gateway/cache/meaning-guards.ts';
import { nearForm, normaliseText } from '../src/gateway/cache/question-text.ts';
import type { FeatureCacheSettings } from '../src/gateway/cache/settings.ts';
import { cosine } from '../src/models/embedder.ts';
import { embedLexically } from '../src/models/lexical-embedder.ts';
import { wilsonInterval } from '../src/stats/intervals.ts';
import { makeDay, type Plant, type Question, seeded, topics } from './savings/day.ts';
import { type Day, labelledPairs, liveThrough, type Policy } from './savings/world.ts';

const { values: flags } = parseArgs({
  options: {
    questions: { type: 'string', default: '3000' },
    seed: { type: 'string', default: '1' },
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const count = flags.smoke ? 300 : Number(flags.questions);
const seed = Number(flags.seed);
const RESAMPLES = 1000;
const MAX_FALSE_HIT_RATIO = 0.02;

const exact: FeatureCacheSettings = {
  mode: 'exact',
  ttlMs: 12 * 3_600_000,
  maxTemperature: 0,
  replay: 'instant',
  keepsToolCalls: false,
  keepsTruncated: false,
  isolation: 'feature',
  semantic: null,
};

type Interval = readonly [number, number];

function print(row: Record<string, unknown>): void {
  if (flags.json) {
    console.log(JSON.stringify(row));
    return;
  }
  const { name, ratios, ...measures } = row;
  const texts = Object.entries({ ...measures, ...(ratios as Record<string, unknown>) }).map(([key, value]) => `${key} ${text(value)}`);
  console.log(`${String(name).padEnd(30)} ${texts.join(' · ')}`);
}

function text(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { ratio, interval, n } = value as { ratio: number; interval: Interval; n: number };
  const percent = (share: number): string => (share * 100).toFixed(1);
  return `${percent(ratio)} % [${percent(interval[0])} to ${percent(interval[1])}] of ${n}`;
}

function share(of: number, n: number): { ratio: number; interval: Interval; n: number } {
  return { ratio: n === 0 ? 0 : of / n, interval: wilsonInterval(of, n), n };
}

/** Share of the cost that is saved; percentile bootstrap over questions, the same ones on both days. */
function costSaved(day: Day, without: Day): { ratio: number; interval: Interval; n: number } {
  const costs = day.served.map((served, place) => [Number(served.costPicoUsd), Number(without.served[place]?.costPicoUsd ?? 0n)] as const);
  const ratioOf = (rows: readonly (readonly [number, number])[]): number => {
    let [own, other] = [0, 0];
    for (const [mine, theirs] of rows) {
      own += mine;
      other += theirs;
    }
    return 1 - own / (other || 1);
  };
  const random = seeded(seed + 99);
  const samples = Array.from({ length: RESAMPLES }, () =>
    ratioOf(costs.map(() => costs[Math.floor(random() * costs.length)] as (typeof costs)[number])),
  ).sort((a, b) => a - b);
  return {
    ratio: ratioOf(costs),
    interval: [samples[Math.floor(RESAMPLES * 0.025)] ?? 0, samples[Math.floor(RESAMPLES * 0.975)] ?? 0],
    n: costs.length,
  };
}

function usd(day: Day): number {
  return Number(day.served.reduce((sum, served) => sum + served.costPicoUsd, 0n)) / 1e12;
}

function rowOf(name: string, day: Day, without: Day): Record<string, unknown> {
  const n = day.served.length;
  const hits = (outcome: string): number => day.served.filter((served) => served.outcome === outcome).length;
  const allHits = day.served.filter((served) => served.outcome.endsWith('hit'));
  const right = (one: Day): number => one.served.filter((served) => served.isRight).length;
  // Answers that would have been right without the cache and were not with it.
  const gained = day.served.filter((served, place) => served.isRight && !(without.served[place]?.isRight ?? true)).length;
  const lost = day.served.filter((served, place) => !served.isRight && (without.served[place]?.isRight ?? false)).length;
  const last = day.standings.at(-1)?.standing;
  return {
    name,
    requests: n,
    providerCalls: day.providerCalls,
    exactHits: hits('hit'),
    nearHits: hits('near-hit'),
    semanticHits: hits('semantic-hit'),
    callsSaved: share(without.providerCalls - day.providerCalls, without.providerCalls),
    costUsd: usd(day).toFixed(4),
    costSaved: costSaved(day, without),
    falseHits: share(allHits.filter((served) => served.isFalseHit).length, allHits.length),
    quality: share(right(day), n),
    qualityLost: share(lost, n),
    qualityGained: share(gained, n),
    ...(last === undefined
      ? {}
      : {
          shadow: `${last.state} after ${day.standings.map(({ atMs, standing }) => `${standing.state}@${new Date(atMs).toISOString().slice(11, 16)}`).join(', ')}; ${last.reason}`,
        }),
    ratios: {
      cost: Number((usd(day) / (usd(without) || 1)).toFixed(3)),
      calls: Number((day.providerCalls / without.providerCalls).toFixed(3)),
    },
  };
}

/** Every two planted questions of a kind, as if they were asked one after the other: how many would share an answer? */
function planted(threshold: number): void {
  const all = topics(true);
  const kinds: Plant[] = ['numbers', 'negation', 'names', 'swapped names', 'opposites', 'plural'];
  for (const plant of kinds) {
    const own = all.filter((topic) => topic.plant === plant);
    let pairs = 0;
    const shared = { alone95: 0, alone: 0, near: 0, guarded: 0 };
    for (const [place, one] of own.entries()) {
      for (const other of own.slice(place + 1)) {
        pairs++;
        const similarity = cosine(embedLexically(normaliseText(one.text)), embedLexically(normaliseText(other.text)));
        if (similarity >= 0.95) shared.alone95++;
        if (similarity >= threshold) shared.alone++;
        if (nearForm(one.text) === nearForm(other.text)) shared.near++;
        if (similarity >= threshold && guardForm(one.text, 'lexical') === guardForm(other.text, 'lexical')) shared.guarded++;
      }
    }
    print({
      name: `planted: ${plant}`,
      'similarity alone ≥ 0.95': share(shared.alone95, pairs),
      [`similarity alone ≥ ${threshold}`]: share(shared.alone, pairs),
      near: share(shared.near, pairs),
      [`semantic ≥ ${threshold}`]: share(shared.guarded, pairs),
      ratios: {},
    });
  }
}

/** The check that an operator would run before, on pairs of another day. */
const check = checkPairs(labelledPairs(seed + 1, topics(false), flags.smoke ? 600 : 2000), LEXICAL, MAX_FALSE_HIT_RATIO);
const threshold = check.recommendedThreshold ?? 0.95;
print({
  name: 'cache check',
  verdict: check.verdict,
  recommendedThreshold: threshold,
  same: check.same,
  different: check.different,
  ratios: {},
});
if (!flags.json) console.log(`  ${check.reason}`);
planted(threshold);

const semantic: Policy = {
  ...exact,
  mode: 'semantic',
  semantic: {
    embedder: 'lexical',
    threshold,
    maxFalseHitRatio: MAX_FALSE_HIT_RATIO,
    shadowRatio: 0.05,
    sameAnswerSimilarity: 1,
    maxEntries: 10_000,
    state: 'shadow',
    checkId: 'bench',
  },
};
const served: Policy = { ...semantic, semantic: semantic.semantic && { ...semantic.semantic, state: 'live' } };
const day = makeDay(seed, count, topics(false));
const misleading = makeDay(seed, count, topics(true));
const cases: readonly (readonly [string, readonly Question[], Policy, 'best' | 'tiers'])[] = [
  ['no cache', day, null, 'best'],
  ['exact', day, exact, 'best'],
  ['exact + near', day, { ...exact, mode: 'near' }, 'best'],
  ['exact + near + semantic', day, semantic, 'best'],
  ['tiers', day, null, 'tiers'],
  ['tiers + exact + near', day, { ...exact, mode: 'near' }, 'tiers'],
  ['no cache, misleading day', misleading, null, 'best'],
  ['semantic, misleading day', misleading, semantic, 'best'],
  // What the measurement in shadow is for: the same day as if the check alone had been enough.
  ['semantic served at once', misleading, served, 'best'],
];
const baselines = new Map<readonly Question[], Day>();
for (const [name, questions, policy, route] of cases) {
  const lived = await liveThrough(questions, policy, route);
  const without = baselines.get(questions) ?? lived;
  baselines.set(questions, without);
  print(rowOf(name, lived, without));
}
