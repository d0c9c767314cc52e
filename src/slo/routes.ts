import { z } from 'zod';
import type { FeatureService } from '../features/service.ts';
import { DEFAULT_SLO, type SloConfig } from '../features/slo-config.ts';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { defineRoute } from '../kernel/routes.ts';
import type { Scope } from '../kernel/scope.ts';
import type { ScoreStore } from '../traces/scores/store.ts';
import { loadLines } from './load-lines.ts';
import { LoadLines } from './model.ts';
import type { SliPeriod, SliStore } from './store.ts';

export interface SloServices {
  readonly slis: SliStore;
  readonly scores: ScoreStore;
  readonly features: FeatureService;
  /** Load lines of the configured features. */
  readonly slos: () => ReadonlyMap<string, SloConfig>;
  readonly clock: Clock;
}

const route = defineRoute<SloServices>();
const DAY_MS = 86_400_000;
/** Within this time the same question counts as asked again. */
const REPEAT_WINDOW_MS = 30 * 60_000;
/** Calls that texts are read of: enough for an interval of ± 0.3 % at a rate of 1 %. */
const SAMPLE_CALLS = 20_000;
/** A line that is not drawn counts nothing. */
const NEVER_MS = 1e12;

function latencyLines({ ttftP95Ms, durationP50Ms, durationP99Ms }: SloConfig) {
  return { ttftP95Ms: ttftP95Ms ?? NEVER_MS, durationP50Ms: durationP50Ms ?? NEVER_MS, durationP99Ms: durationP99Ms ?? NEVER_MS };
}

/** Lines of every configured feature and of those that only calls name. */
export async function readLoadLines(services: SloServices, scope: Scope, period: SliPeriod): Promise<LoadLines> {
  const slos = services.slos();
  const lines = [...slos].map(([feature, slo]) => ({ feature, ...latencyLines(slo) }));
  const [features, calls, scores] = await Promise.all([
    services.features.list(scope),
    services.slis.callCounts(scope, period, lines, latencyLines(DEFAULT_SLO)),
    services.scores.scoreTotals(scope, period),
  ]);
  const every = Math.max(1, Math.round(calls.reduce((sum, each) => sum + each.calls, 0) / SAMPLE_CALLS));
  const [answers, repeats] = await Promise.all([
    services.slis.answerCounts(scope, period, every),
    services.slis.repeatCounts(scope, period, REPEAT_WINDOW_MS, every),
  ]);
  const names = new Set([...features.map(({ name }) => name), ...calls.map(({ feature }) => feature).filter((name) => name !== '')]);
  const wanted = [...names].filter((name) => period.feature === undefined || name === period.feature).sort();
  return {
    from: period.from,
    to: period.to,
    features: wanted.map((name) => ({
      feature: name,
      lines: loadLines(slos.get(name) ?? DEFAULT_SLO, {
        calls: calls.find(({ feature }) => feature === name) ?? null,
        answers: answers.find(({ feature }) => feature === name) ?? null,
        repeats: repeats.find(({ feature }) => feature === name) ?? null,
        scores: scores.filter(({ feature }) => feature === name),
        keepsTexts: features.find((each) => each.name === name)?.payloads !== 'none',
      }),
    })),
  };
}

const epochMs = z.coerce.number().int();

export const sloRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/load-lines',
    summary: 'Where every feature stands against its load lines: value, interval, count and verdict, or why it is unmeasured',
    permission: 'traces:read',
    query: z.strictObject({
      from: epochMs.optional().describe('Epoch ms, inclusive; 24 hours before `to` when absent'),
      to: epochMs.optional().describe('Epoch ms, exclusive; now when absent'),
      feature: z.string().min(1).max(128).optional().describe('Only of this feature'),
    }),
    response: LoadLines,
    handler({ scope, query, services }) {
      const to = query.to ?? services.clock.nowMs();
      const from = query.from ?? to - DAY_MS;
      if (from >= to)
        throw new PlimsollError('invalid_argument', `"from" (${from}) must be before "to" (${to}).`, { details: { param: 'from' } });
      return readLoadLines(services, scope, { from, to, feature: query.feature });
    },
  }),
];
