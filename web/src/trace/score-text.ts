import type { Score } from '../api/schema.ts';

const NAMES: Readonly<Record<string, string>> = {
  'feedback/thumbs': 'Thumbs',
  'feedback/csat': 'Satisfaction',
  'feedback/comment': 'Comment',
  'feedback/correction': 'Corrected answer',
  'score/thumbs': 'Thumbs',
  'outcome/resolved': 'Resolved',
  'outcome/converted': 'Converted',
  'outcome/task_done': 'Task done',
};

const SOURCES: Readonly<Record<Score['source'], string>> = { human: 'reviewer', llm: 'model', code: 'program', user: 'user' };

export function scoreName({ kind, name }: Pick<Score, 'kind' | 'name'>): string {
  return NAMES[`${kind}/${name}`] ?? name;
}

/** Value in words; a text as it is. */
export function scoreValue({ kind, name, dataType, value }: Score): string {
  if (name === 'thumbs' && dataType === 'boolean') return value === true ? 'up' : 'down';
  if (dataType === 'boolean') return value === true ? 'yes' : 'no';
  if (kind === 'feedback' && name === 'csat') return `${value} of 5 stars`;
  return typeof value === 'number' ? String(Math.round(value * 1e4) / 1e4) : String(value);
}

export function scoreState({ name, dataType, value, kind }: Score): 'ok' | 'warning' | 'neutral' {
  if (dataType === 'boolean' && (name === 'thumbs' || kind === 'outcome')) return value === true ? 'ok' : 'warning';
  return 'neutral';
}

/** Who judged: the source, and by name where there is one. */
export function scoreJudge({ source, evaluator, user }: Score): string {
  const who = evaluator ?? user;
  return who === null ? SOURCES[source] : `${SOURCES[source]} ${who}`;
}

/** What the score is about when it is not the trace itself. */
export function scoreTarget({ traceId, spanId, session, externalId }: Score): string | null {
  if (spanId !== null) return `span ${spanId.slice(0, 8)}`;
  if (traceId !== null) return null;
  return session !== null ? `session ${session}` : `${externalId}`;
}
