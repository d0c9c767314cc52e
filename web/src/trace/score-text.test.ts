import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Score } from '../api/schema.ts';
import { scoreJudge, scoreName, scoreState, scoreTarget, scoreValue } from './score-text.ts';

const SCORE: Score = {
  id: 'a',
  kind: 'score',
  at: 0,
  receivedAt: 0,
  feature: null,
  traceId: 'ab'.repeat(16),
  spanId: null,
  session: null,
  externalId: null,
  name: 'faithfulness',
  dataType: 'numeric',
  value: 0.123456,
  source: 'llm',
  evaluator: 'judge@3',
  evaluatorTraceId: null,
  user: null,
  comment: null,
  valuePicoUsd: null,
  metadata: {},
};

describe('a score in words', () => {
  it('says what, how much, by whom and of what', () => {
    assert.deepEqual(
      [scoreName(SCORE), scoreValue(SCORE), scoreJudge(SCORE), scoreTarget(SCORE), scoreState(SCORE)],
      ['faithfulness', '0.1235', 'model judge@3', null, 'neutral'],
    );
    const stars: Score = { ...SCORE, kind: 'feedback', name: 'csat', value: 2, source: 'user', evaluator: null, user: 'u-1' };
    assert.deepEqual([scoreName(stars), scoreValue(stars), scoreJudge(stars)], ['Satisfaction', '2 of 5 stars', 'user u-1']);
    const outcome: Score = {
      ...SCORE,
      kind: 'outcome',
      name: 'resolved',
      dataType: 'boolean',
      value: false,
      traceId: null,
      session: 's-1',
    };
    assert.deepEqual(
      [scoreName(outcome), scoreValue(outcome), scoreState(outcome), scoreTarget(outcome)],
      ['Resolved', 'no', 'warning', 'session s-1'],
    );
    assert.deepEqual(
      [scoreTarget({ ...outcome, session: null, externalId: 'ticket-1' }), scoreTarget({ ...SCORE, spanId: 'cdcdcdcdcdcdcdcd' })],
      ['ticket-1', 'span cdcdcdcd'],
    );
  });
});
