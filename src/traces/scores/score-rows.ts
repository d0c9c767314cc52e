import { PlimsollError } from '../../kernel/errors.ts';
import { contentHash } from '../../kernel/ids.ts';
import { type PicoUsd, picoUsdFromDecimal } from '../../kernel/money.ts';
import { nearest } from '../../kernel/suggest.ts';
import type { FeedbackDraft, OutcomeDraft, ScoreDraft } from './drafts.ts';
import { FEEDBACK_NAMES, type ScoreDataType } from './model.ts';
import type { ScoreRow } from './store.ts';

/** Who reports, and on which features. What OTLP intake knows of a sender fits. */
export interface ScoreCaller {
  readonly organisationId: string;
  readonly environment: string;
  /** Null = an operator. */
  readonly keyId: string | null;
  /** The feature of every score; null = each names its own, or its trace tells. */
  readonly feature: string | null;
  /** Names of the features that a score may belong to. */
  readonly features: Readonly<Record<string, unknown>>;
}

/** Clocks of others may be ahead by so much. */
const AHEAD_MS = 5 * 60_000;

type Target = Pick<ScoreDraft, 'id' | 'traceId' | 'spanId' | 'session' | 'externalId' | 'feature' | 'user' | 'at'>;
type Judgement = Pick<ScoreRow, 'kind' | 'name' | 'dataType' | 'number' | 'text' | 'source' | 'isWithdrawn'> &
  Partial<Pick<ScoreRow, 'evaluator' | 'evaluatorTraceId' | 'comment' | 'valuePicoUsd' | 'metadata'>>;

/**
 * One row. Its id comes from the caller's own, else from what it judges and who judges: one judge has one score of a name on one target, and the
 * later one holds.
 * @throws PlimsollError `invalid_argument`, `permission_denied`, `not_found` (feature)
 */
function scoreRow(caller: ScoreCaller, target: Target, judgement: Judgement, nowMs: number): ScoreRow {
  const { id, traceId, spanId, session, externalId, user } = target;
  const { kind, name, source, evaluator } = judgement;
  if (target.at !== undefined && target.at > nowMs + AHEAD_MS)
    throw new PlimsollError('invalid_argument', `"at" (${target.at}) lies in the future: now is ${nowMs}.`, { details: { param: 'at' } });
  const subject = [traceId ?? null, spanId ?? null, session ?? null, externalId ?? null];
  const identity = id === undefined ? [kind, name, ...subject, source, evaluator ?? null, user ?? null] : [kind, name, id];
  return {
    organisationId: caller.organisationId,
    environment: caller.environment,
    keyId: caller.keyId,
    scoreId: contentHash(JSON.stringify(identity)).slice(0, 32),
    atMs: target.at ?? nowMs,
    receivedAtMs: nowMs,
    feature: featureOf(caller, target),
    traceId: traceId ?? null,
    spanId: spanId ?? null,
    session: session ?? null,
    externalId: externalId ?? null,
    user: user ?? null,
    evaluator: null,
    evaluatorTraceId: null,
    comment: null,
    valuePicoUsd: null,
    metadata: {},
    ...judgement,
  };
}

function featureOf({ feature, features }: ScoreCaller, target: Target): string | null {
  const named = target.feature ?? null;
  if (feature !== null && named !== null && named !== feature)
    throw new PlimsollError('permission_denied', `The key belongs to the feature "${feature}", not to "${named}".`, {
      details: { param: 'feature' },
    });
  const name = feature ?? named;
  if (name === null) {
    if (target.traceId !== undefined) return null;
    throw new PlimsollError(
      'invalid_argument',
      'Without a trace id the feature must be known: name it in "feature" or x-plimsoll-feature, or use a key that is bound to it.',
      { details: { param: 'feature' } },
    );
  }
  if (Object.hasOwn(features, name)) return name;
  const close = nearest(name, Object.keys(features));
  throw new PlimsollError('not_found', `There is no feature "${name}".${close === null ? '' : ` Did you mean "${close}"?`}`, {
    details: { param: 'feature' },
  });
}

/** Up to three rows: thumbs, stars and the corrected answer stand apart, a comment stands with the first of them. */
export function feedbackRows(caller: ScoreCaller, draft: FeedbackDraft, nowMs: number): ScoreRow[] {
  const { thumbs, stars, correctedAnswer } = draft;
  const judgements: Judgement[] = [];
  const add = (name: string, dataType: ScoreDataType, value: Pick<Judgement, 'number' | 'text'>, isWithdrawn = false): void => {
    const comment = judgements.length === 0 ? (draft.comment ?? null) : null;
    judgements.push({ kind: 'feedback', name, dataType, source: 'user', ...value, comment, isWithdrawn });
  };
  if (thumbs !== undefined) add(FEEDBACK_NAMES.thumbs, 'boolean', { number: thumbs === 'up' ? 1 : 0, text: null }, thumbs === null);
  if (stars !== undefined) add(FEEDBACK_NAMES.stars, 'numeric', { number: stars, text: null }, stars === null);
  if (correctedAnswer !== undefined) add(FEEDBACK_NAMES.correctedAnswer, 'text', { number: null, text: correctedAnswer });
  if (judgements.length === 0) add(FEEDBACK_NAMES.comment, 'text', { number: null, text: draft.comment ?? '' });
  return judgements.map((judgement) => scoreRow(caller, draft, judgement, nowMs));
}

export function outcomeRow(caller: ScoreCaller, draft: OutcomeDraft, nowMs: number): ScoreRow {
  const { outcome: name, success, valueUsd, comment } = draft;
  const judgement: Judgement = {
    kind: 'outcome',
    name,
    dataType: 'boolean',
    number: success === true ? 1 : 0,
    text: null,
    source: 'code',
    comment: comment ?? null,
    valuePicoUsd: valueUsd === undefined ? null : amount(valueUsd),
    isWithdrawn: success === null,
  };
  return scoreRow(caller, draft, judgement, nowMs);
}

/** Dollars, exactly: of a number the shortest decimal that prints as it is taken. */
function amount(value: number | string): PicoUsd {
  return picoUsdFromDecimal(`${value}`);
}

export function scoreRowOf(caller: ScoreCaller, draft: ScoreDraft, nowMs: number): ScoreRow {
  const { value } = draft;
  const judgement: Judgement = {
    kind: 'score',
    name: draft.name,
    dataType: draft.dataType ?? (typeof value === 'number' ? 'numeric' : typeof value === 'boolean' ? 'boolean' : 'categorical'),
    number: typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : null,
    text: typeof value === 'string' ? value : null,
    source: draft.source,
    evaluator: draft.evaluator ?? null,
    evaluatorTraceId: draft.evaluatorTraceId ?? null,
    comment: draft.comment ?? null,
    metadata: draft.metadata ?? {},
    isWithdrawn: value === null,
  };
  return scoreRow(caller, draft, judgement, nowMs);
}
