import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { defineRoute, type RouteRequest } from '../../kernel/routes.ts';
import type { Actor, Scope } from '../../kernel/scope.ts';
import { FeedbackBatch, FeedbackDraft, OutcomeBatch, OutcomeDraft, ScoreBatch, ScoreDraft, ScoresAccepted } from './drafts.ts';
import { Score, ScorePage, ScoreQuery, ScoreSummary } from './model.ts';
import { feedbackRows, outcomeRow, type ScoreCaller, scoreRowOf } from './score-rows.ts';
import type { ScoreRow, ScoreStore } from './store.ts';
import { summaryRow } from './summary.ts';

/** Where scores go before they are in the store. */
export interface ScoreIntake {
  /**
   * Resolves once the rows are on disk: no crash loses them then. Rows of one score may come again, in any order.
   * @throws PlimsollError `journal_full`, `store_unavailable` (too much waits)
   */
  accept(rows: readonly ScoreRow[]): Promise<void>;
  /** @throws PlimsollError `unauthenticated`, `permission_denied`, `not_found` (feature), `not_ready` */
  callerOf(actor: Actor, scope: Scope, headers: Readonly<Record<string, string | string[] | undefined>>): ScoreCaller;
}

export interface ScoreServices {
  readonly scores: ScoreStore;
  readonly scoreIntake: ScoreIntake;
  readonly clock: Clock;
}

const route = defineRoute<ScoreServices>();
const DAY_MS = 86_400_000;
const epochMs = z.coerce.number().int();

/** Virtual keys have it; what they report is journaled and never read back by them. */
export const REPORT_PERMISSION = 'feedback:write';

type Request = RouteRequest<unknown, unknown, unknown, ScoreServices>;

/** All of a batch is taken, or nothing of it. */
async function take(
  { actor, scope, headers, services }: Request,
  rowsOf: (caller: ScoreCaller, nowMs: number) => ScoreRow[],
): Promise<ScoresAccepted> {
  const rows = rowsOf(services.scoreIntake.callerOf(actor, scope, headers), services.clock.nowMs());
  await services.scoreIntake.accept(rows);
  return { ids: rows.map(({ scoreId }) => scoreId) };
}

const journaled = { method: 'POST', permission: REPORT_PERMISSION, isJournaled: true, status: 202, response: ScoresAccepted } as const;

export const scoreRoutes = [
  route({
    ...journaled,
    path: '/api/v1/feedback',
    summary: 'Report what a user said of an answer: thumbs, stars, a comment, a corrected answer',
    body: FeedbackDraft,
    handler: (request) => take(request, (caller, nowMs) => feedbackRows(caller, request.body, nowMs)),
  }),
  route({
    ...journaled,
    path: '/api/v1/feedback/batch',
    summary: 'Report feedback of many, all or nothing',
    body: FeedbackBatch,
    handler: (request) => take(request, (caller, nowMs) => request.body.batch.flatMap((draft) => feedbackRows(caller, draft, nowMs))),
  }),
  route({
    ...journaled,
    path: '/api/v1/outcomes',
    summary: 'Report what became of it: resolved, converted, task_done or an outcome of your own, and what it was worth',
    body: OutcomeDraft,
    handler: (request) => take(request, (caller, nowMs) => [outcomeRow(caller, request.body, nowMs)]),
  }),
  route({
    ...journaled,
    path: '/api/v1/outcomes/batch',
    summary: 'Report many outcomes, all or nothing',
    body: OutcomeBatch,
    handler: (request) => take(request, (caller, nowMs) => request.body.batch.map((draft) => outcomeRow(caller, draft, nowMs))),
  }),
  route({
    ...journaled,
    path: '/api/v1/scores',
    summary: 'Report a judgement of an answer: a number, a truth value, a category or a text',
    body: ScoreDraft,
    handler: (request) => take(request, (caller, nowMs) => [scoreRowOf(caller, request.body, nowMs)]),
  }),
  route({
    ...journaled,
    path: '/api/v1/scores/batch',
    summary: 'Report many judgements, all or nothing',
    body: ScoreBatch,
    handler: (request) => take(request, (caller, nowMs) => request.body.batch.map((draft) => scoreRowOf(caller, draft, nowMs))),
  }),
  route({
    method: 'GET',
    path: '/api/v1/scores',
    summary: 'List scores, feedback and outcomes, newest first',
    permission: 'traces:read',
    query: ScoreQuery,
    response: ScorePage,
    handler: ({ scope, query, services }) => services.scores.listScores(scope, query),
  }),
  route({
    method: 'GET',
    path: '/api/v1/scores/summary',
    summary: 'Scores by feature and name: how many, their mean with its interval, their categories',
    permission: 'traces:read',
    query: z.strictObject({
      from: epochMs.optional().describe('Given at or after, epoch ms; 30 days before `to` when absent'),
      to: epochMs.optional().describe('Given before, epoch ms; now when absent'),
      feature: z.string().min(1).max(512).optional(),
    }),
    response: ScoreSummary,
    async handler({ scope, query, services }) {
      const to = query.to ?? services.clock.nowMs();
      const from = query.from ?? to - 30 * DAY_MS;
      if (from >= to)
        throw new PlimsollError('invalid_argument', `"from" (${from}) must be before "to" (${to}).`, { details: { param: 'from' } });
      const totals = await services.scores.scoreTotals(scope, { from, to, feature: query.feature });
      return { from, to, scores: totals.map(summaryRow) };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/traces/:traceId/scores',
    summary: 'What was said of a trace: of itself, its spans, its sessions and the matters that its calls name',
    permission: 'traces:read',
    params: z.strictObject({ traceId: z.string().regex(/^[0-9a-fA-F]{32}$/, 'A trace id has 32 hexadecimal digits') }),
    response: z.object({ scores: z.array(Score) }).meta({ id: 'TraceScores' }),
    handler: async ({ scope, params, services }) => ({ scores: await services.scores.scoresOfTrace(scope, params.traceId.toLowerCase()) }),
  }),
];
