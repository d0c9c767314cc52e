import type { CallSettled } from '../traces/call-record.ts';
import { feedbackRows, outcomeRow, type ScoreCaller, scoreRowOf } from '../traces/scores/score-rows.ts';
import type { ScoreRow } from '../traces/scores/store.ts';
import { seededRandom } from './seeded-random.ts';

/** What simulated users say of answers, and what becomes of their matters. Shares of calls (stars, thumbs, judged) and of sessions (outcomes). */
interface Mood {
  readonly starsRatio: number;
  readonly thumbsRatio: number;
  readonly judgedRatio: number;
  /** Weights of one to five stars. */
  readonly stars: readonly [number, number, number, number, number];
  readonly hallucinationRatio: number;
  readonly outcome: string | null;
  readonly successRatio: number;
  /** Dollars of a success; null = nobody says. */
  readonly valueUsd: number | null;
}

const USUAL: Mood = {
  starsRatio: 0.02,
  thumbsRatio: 0.04,
  judgedRatio: 0.05,
  stars: [2, 3, 10, 40, 45],
  hallucinationRatio: 0.01,
  outcome: null,
  successRatio: 0,
  valueUsd: null,
};
const MOODS: Readonly<Record<string, Partial<Mood>>> = {
  'customer-support': { starsRatio: 0.06, outcome: 'resolved', successRatio: 0.74, valueUsd: 4.2 },
  'contract-summary': { stars: [6, 8, 20, 40, 26], hallucinationRatio: 0.045, outcome: 'task_done', successRatio: 0.81 },
  'sales-email': { outcome: 'converted', successRatio: 0.06, valueUsd: 140 },
  'code-review': { thumbsRatio: 0.12 },
};
/** How long after its call somebody says something, on average. */
const SAID_AFTER_MS = 4 * 60_000;

/** One to five, by the weights. */
function starsOf(weights: Mood['stars'], place: number): number {
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  let left = place * whole;
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index + 1;
  }
  return weights.length;
}

/**
 * Feedback, judgements and outcomes on one simulated call, marked as simulated. The same call has the same ones; a session has one outcome,
 * whichever of its calls is asked.
 * @param nowMs epoch ms; nothing is said after it
 */
export function scoresOfCall(call: CallSettled, seed: number, nowMs: number): ScoreRow[] {
  const { organisationId, environment, feature, keyId, traceId, session, user, status } = call;
  if (status !== 'ok' || session === null) return [];
  const mood: Mood = { ...USUAL, ...(Object.hasOwn(MOODS, feature) ? MOODS[feature] : {}) };
  const caller: ScoreCaller = { organisationId, environment, keyId, feature, features: { [feature]: true } };
  const random = seededRandom(seed, 'scores', call.callId);
  const at = Math.min(nowMs, Math.trunc(call.startedAtMs + call.durationMs + random.exponential(SAID_AFTER_MS)));
  const about = { traceId, at, ...(user === null ? {} : { user }) };
  const rows: ScoreRow[] = [];
  if (random.chance(mood.starsRatio)) rows.push(...feedbackRows(caller, { ...about, stars: starsOf(mood.stars, random.next()) }, at));
  if (random.chance(mood.thumbsRatio)) {
    const isUp = random.chance((mood.stars[3] + mood.stars[4]) / 100);
    rows.push(...feedbackRows(caller, { ...about, thumbs: isUp ? 'up' : 'down' }, at));
  }
  if (random.chance(mood.judgedRatio)) {
    const value = random.chance(mood.hallucinationRatio);
    rows.push(scoreRowOf(caller, { traceId, at, name: 'hallucination', value, source: 'llm', evaluator: 'sim-judge@1' }, at));
  }
  if (mood.outcome !== null) {
    const ofSession = seededRandom(seed, 'outcome', session);
    const success = ofSession.chance(mood.successRatio);
    const valueUsd = mood.valueUsd === null || !success ? {} : { valueUsd: mood.valueUsd };
    // Always the same instant for a session would need its end: the last call's holds, since the later one does.
    rows.push(outcomeRow(caller, { session, at, outcome: mood.outcome, success, ...valueUsd }, at));
  }
  return rows.map((row) => ({ ...row, metadata: { simulated: true } }));
}
