import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { traceScoresQuery } from '../api/queries.ts';
import type { Score } from '../api/schema.ts';
import { formatMoment } from '../format/time.ts';
import { QueryState } from '../ui/query-state.tsx';
import { StateShape } from '../ui/state-mark.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { scoreJudge, scoreName, scoreState, scoreTarget, scoreValue } from './score-text.ts';

/** A review goes through the journal: how often the list is asked until it is there. */
const ASK_AGAIN_MS = 400;

/** What users, reviewers, models and programs said of a trace, and a place to say it. */
export function ScoresPanel({ traceId }: { traceId: string }): ReactNode {
  const [awaited, setAwaited] = useState<Sent | null>(null);
  const isThere = (scores: readonly Score[] | undefined): boolean => {
    if (awaited === null) return true;
    const found = scores?.find(({ id }) => id === awaited.id);
    return awaited.isTakenBack ? found === undefined : found !== undefined && found.receivedAt > awaited.after;
  };
  const scores = useQuery({ ...traceScoresQuery(traceId), refetchInterval: ({ state }) => (isThere(state.data) ? false : ASK_AGAIN_MS) });
  return (
    <section className="panel flex min-w-0 flex-col gap-2 px-4 py-2.5" aria-label="Scores and feedback">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 className="label">Scores and feedback</h2>
        <Review traceId={traceId} mine={scores.data?.find(isReview) ?? null} isSaving={!isThere(scores.data)} onSent={setAwaited} />
      </div>
      <QueryState query={scores} skeleton={<div className="h-5" />}>
        {(found) => (found.length === 0 ? <p className="text-ink-3">Nobody has judged this trace yet.</p> : <ScoreList scores={found} />)}
      </QueryState>
    </section>
  );
}

/** A review on its way into the store. */
interface Sent {
  readonly id: string;
  /** When the one before it was received, epoch ms of the server. */
  readonly after: number;
  readonly isTakenBack: boolean;
}

function isReview({ kind, name, source, spanId, evaluator }: Score): boolean {
  return kind === 'score' && name === 'thumbs' && source === 'human' && spanId === null && evaluator === null;
}

interface ReviewProps {
  readonly traceId: string;
  /** The review that is in force. */
  readonly mine: Score | null;
  readonly isSaving: boolean;
  readonly onSent: (sent: Sent) => void;
}

/** Thumbs and a comment of the team: a score of source "human", apart from what users say. */
function Review({ traceId, mine, isSaving, onSent }: ReviewProps): ReactNode {
  const [comment, setComment] = useState<string | null>(null);
  const words = comment ?? mine?.comment ?? '';
  const review = useMutation({
    mutationFn: async (isUp: boolean | null): Promise<Sent> => {
      const why = words.trim() === '' ? {} : { comment: words.trim() };
      const body = { traceId, name: 'thumbs', value: isUp, dataType: 'boolean' as const, source: 'human' as const, ...why };
      const { ids } = await unwrap<{ ids: readonly string[] }>(api.POST('/api/v1/scores', { body }));
      return { id: ids[0] ?? '', after: mine?.receivedAt ?? 0, isTakenBack: isUp === null };
    },
    onSuccess: (sent) => {
      onSent(sent);
      setComment(null);
    },
  });
  const value = mine === null ? null : mine.value === true;
  const error = review.error ? asApiError(review.error) : null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (value !== null) review.mutate(value);
  };
  return (
    <form className="flex min-w-0 flex-wrap items-center gap-2" onSubmit={submit}>
      <fieldset className="flex gap-1" aria-label="Your team’s verdict">
        {([true, false] as const).map((isUp) => (
          <button
            key={String(isUp)}
            type="button"
            className={`button button-small ${value === isUp ? 'button-primary' : ''}`}
            aria-pressed={value === isUp}
            disabled={review.isPending}
            onClick={() => review.mutate(value === isUp ? null : isUp)}
            data-tip={value === isUp ? 'Press again to take it back' : undefined}
          >
            <Thumb isUp={isUp} />
            {isUp ? 'Good' : 'Bad'}
          </button>
        ))}
      </fieldset>
      <input
        className="field h-7 w-56 min-w-0"
        aria-label="Comment of the reviewer"
        placeholder="Why?"
        maxLength={4000}
        value={words}
        onChange={(event) => setComment(event.target.value)}
      />
      {comment !== null && value !== null && (
        <button type="submit" className="button button-small" disabled={review.isPending}>
          Save comment
        </button>
      )}
      <span role="status" className="text-xs text-ink-3">
        {review.isPending || isSaving ? 'Saving …' : ''}
      </span>
      {error !== null && (
        <span role="alert" className="text-critical">
          {error.message}
        </span>
      )}
    </form>
  );
}

function Thumb({ isUp }: { isUp: boolean }): ReactNode {
  return (
    <svg
      viewBox="0 0 16 16"
      className={`size-3.5 ${isUp ? '' : 'rotate-180'}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      aria-hidden="true"
    >
      <path
        d="M2 7.5h2.6v6H2zM4.6 8 7.4 2c1.3 0 1.9.9 1.7 2l-.4 2.5h3.8c.9 0 1.5.8 1.3 1.7l-1 4.2c-.2.7-.7 1.1-1.4 1.1H4.6"
        strokeLinejoin="round"
      />
    </svg>
  );
}

function ScoreList({ scores }: { scores: readonly Score[] }): ReactNode {
  return (
    <ul className="flex flex-col divide-y">
      {scores.map((score) => {
        const target = scoreTarget(score);
        return (
          <li key={`${score.id} ${score.name}`} className="flex min-w-0 flex-wrap items-baseline gap-x-3 gap-y-0.5 py-1.5">
            <span className="inline-flex min-w-0 items-baseline gap-1.5">
              <StateShape state={scoreState(score)} />
              <span className="text-ink-2">{scoreName(score)}</span>
              <bdi className="tabular line-clamp-3 max-w-prose font-medium [overflow-wrap:anywhere]">{scoreValue(score)}</bdi>
            </span>
            {score.comment !== null && <bdi className="min-w-0 [overflow-wrap:anywhere]">“{score.comment}”</bdi>}
            <span className="ml-auto text-xs text-ink-3">
              <bdi>{scoreJudge(score)}</bdi>
              {target !== null && (
                <>
                  {' · '}
                  <bdi>{target}</bdi>
                </>
              )}
              {' · '}
              <TimeText at={score.at} format={formatMoment} />
            </span>
          </li>
        );
      })}
    </ul>
  );
}
