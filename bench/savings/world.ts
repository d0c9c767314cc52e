/** The gateway itself, in process, before a provider that knows the right answers; time is a fake clock's. */
import type { CachePair } from '../../src/gateway/cache/model.ts';
import { advanceStanding, type SemanticStanding, UNMEASURED } from '../../src/gateway/cache/semantic-standing.ts';
import type { FeatureCacheSettings, SemanticState } from '../../src/gateway/cache/settings.ts';
import type { Snapshot } from '../../src/gateway/snapshot.ts';
import {
  completion,
  sendJson,
  startGateway,
  startUpstream,
  TEST_KEY,
  testFeature,
  testKey,
  testModel,
  testRoute,
  testSnapshot,
  until,
} from '../../src/gateway/testing.ts';
import { FakeClock } from '../../src/kernel/clock.ts';
import { type Difficulty, pick, type Question, seeded, type Topic, wordings } from './day.ts';

const SYSTEM = 'You answer questions of customers of a shop. Be short and exact.';
/** How often a model is right, by how hard the question is: what is known of this world. */
const RIGHT: Readonly<Record<string, Readonly<Record<Difficulty, number>>>> = {
  large: { simple: 0.99, medium: 0.97, complex: 0.93 },
  middle: { simple: 0.99, medium: 0.96, complex: 0.75 },
  small: { simple: 0.985, medium: 0.85, complex: 0.5 },
};

/** Pico-dollars per token, in and out. */
const PRICES: Readonly<Record<string, readonly [string, string]>> = {
  large: ['2500000', '10000000'],
  middle: ['800000', '3200000'],
  small: ['150000', '600000'],
};
const MODELS = Object.entries(PRICES).map(([name, [inputUncachedTokens, outputTextTokens]]) =>
  testModel(name, { price: { priceId: name, perToken: { inputUncachedTokens, outputTextTokens }, perRequest: null, tiers: [] } }),
);
/** How the feature's route chooses: the best model for everything, or a tier by the complexity of the request. */
const ROUTES = {
  best: testRoute({ large: {} }),
  tiers: testRoute({ small: { tier: 'simple' }, middle: { tier: 'medium' }, large: { tier: 'complex' } }, { strategy: 'complexity' }),
};

/** What one client got. */
export interface Served {
  readonly question: Question;
  readonly outcome: string;
  readonly isRight: boolean;
  /** It was given an answer that another question has; what the model itself got wrong does not count. */
  readonly isFalseHit: boolean;
  readonly costPicoUsd: bigint;
}

export interface Day {
  readonly served: readonly Served[];
  readonly providerCalls: number;
  /** Where the semantic cache stood, in order; empty without one. */
  readonly standings: readonly { readonly atMs: number; readonly standing: SemanticStanding }[];
}

/** A policy of the feature; null = no cache. */
export type Policy = FeatureCacheSettings | null;

const STUMBLES = 0.001;

/** How often comparisons reach control: there it is each second, here every so many questions. */
const REPORT_EVERY = 10;

function hash(text: string): number {
  let value = 2166136261;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 16777619);
  return (value >>> 0) / 4294967296;
}

/**
 * What is asked again and again stands in the shop's documents: every model knows it, but now and then one stumbles over a wording. Of questions
 * that are asked once, a question that is too hard for a model is too hard for every weaker one.
 */
function isRightOn(model: string, { answerId, difficulty, text, wording }: Question): boolean {
  if (hash(`stumbles ${model} ${text}`) < STUMBLES) return false;
  return wording !== 'unique' || hash(answerId) < (RIGHT[model]?.[difficulty] ?? 0);
}

/** Wording of the provider: the sentence is long enough for a comparison that is not literal. */
function answerText(answerId: string, isRight: boolean): string {
  return isRight ? `Answer to <${answerId}>. Please follow the steps in the account.` : `<wrong> about ${answerId}.`;
}

function tokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** Runs the questions of a day, one after the other but for copies, through the gateway. */
export async function liveThrough(questions: readonly Question[], policy: Policy, route: keyof typeof ROUTES = 'best'): Promise<Day> {
  const clock = new FakeClock(Date.UTC(2026, 5, 1));
  const answers = new Map(questions.map((question) => [question.text, question]));
  const upstream = await startUpstream(({ json }, response) => {
    const text = String((json.messages as { content: string }[]).at(-1)?.content);
    const question = answers.get(text);
    const model = String(json.model).replace(/-2026.*/, '');
    const isRight = question !== undefined && isRightOn(model, question);
    const content = answerText(question?.answerId ?? '?', isRight);
    const usage = { prompt_tokens: tokens(SYSTEM) + tokens(text), completion_tokens: tokens(content) * 4, total_tokens: 0 };
    sendJson(response, completion(content, { usage }));
  });
  let state: SemanticState = policy?.semantic?.state ?? 'shadow';
  const snapshotOf = (): Snapshot => {
    const semantic = policy?.semantic ?? null;
    return testSnapshot(upstream.baseUrl, {
      models: MODELS,
      routes: [ROUTES[route]],
      features: [
        testFeature('support', {
          payloads: 'none',
          cache: policy === null ? null : { ...policy, semantic: semantic && { ...semantic, state } },
        }),
      ],
      keys: [testKey(TEST_KEY)],
    });
  };
  const running = await startGateway(snapshotOf(), clock);
  const standings: { atMs: number; standing: SemanticStanding }[] = [];
  let standing: SemanticStanding = { ...UNMEASURED, state };
  const served: Served[] = [];

  async function ask(question: Question): Promise<void> {
    const answer = await fetch(`${running.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'main',
        messages: [
          { role: 'system', content: SYSTEM },
          { role: 'user', content: question.text },
        ],
      }),
    });
    const body = (await answer.json()) as { choices: { message: { content: string } }[] };
    const content = body.choices[0]?.message.content ?? '';
    const outcome = answer.headers.get('x-plimsoll-cache') ?? 'none';
    const isOwn = content.includes(`<${question.answerId}>`) || content === answerText(question.answerId, false);
    served.push({
      question,
      outcome,
      isRight: content === answerText(question.answerId, true),
      isFalseHit: outcome.endsWith('hit') && !isOwn,
      costPicoUsd: costOf(answer.headers.get('x-plimsoll-cost-usd')),
    });
  }

  /** Control's part: adds comparisons up and puts what follows into the next snapshot. */
  function report(): void {
    const semantic = policy?.semantic;
    if (!semantic) return;
    for (const more of running.gateway.cacheReport().shadow) {
      const next = advanceStanding(standing, more, semantic.maxFalseHitRatio);
      if (next.state !== standing.state) standings.push({ atMs: clock.nowMs(), standing: next });
      standing = next;
    }
    if (standing.state === state) return;
    state = standing.state;
    running.snapshot = snapshotOf();
  }

  try {
    let nowMs = 0;
    for (const [place, question] of questions.entries()) {
      await clock.advance(question.atMs - nowMs);
      nowMs = question.atMs;
      await Promise.all(Array.from({ length: question.copies }, () => ask(question)));
      await until(() => running.gateway.stats.activeCalls === 0, 'the calls are over');
      if (place % REPORT_EVERY === 0) report();
    }
    report();
    if (policy?.semantic) standings.push({ atMs: clock.nowMs(), standing });
  } finally {
    await running.close();
    await upstream.close();
  }
  return { served, providerCalls: upstream.requests.length, standings };
}

function costOf(header: string | null): bigint {
  const [whole = '0', fraction = ''] = (header ?? '0').split('.');
  return BigInt(whole) * 1_000_000_000_000n + BigInt(fraction.padEnd(12, '0'));
}

/** What an operator would label: two wordings of one topic, and two topics that look alike. */
export function labelledPairs(seed: number, all: readonly Topic[], count: number): CachePair[] {
  const random = seeded(seed);
  const planted = all.filter((topic) => topic.plant !== null);
  return Array.from({ length: count }, (_, place) => {
    const isSame = place % 2 === 0;
    const one = isSame ? pick(random, all) : pick(random, planted);
    const alike = planted.filter((topic) => topic.plant === one.plant && topic !== one);
    const other = isSame ? one : pick(random, alike.length > 0 ? alike : planted.filter((topic) => topic !== one));
    return { a: wordings(random, one).text, b: wordings(random, other).text, same: isSame };
  });
}
