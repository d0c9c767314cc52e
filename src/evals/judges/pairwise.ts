import { z } from 'zod';
import { wilsonInterval } from '../../stats/intervals.ts';
import type { ScoringTools } from '../scorer.ts';
import { askJudge } from './ask.ts';
import { customMessages, type JudgePrompt, promptMessages } from './prompt.ts';
import { jsonReader, ReasonField, type ReplyReader } from './read-reply.ts';

export const COMPARE: JudgePrompt = {
  instructions: `You compare two outputs by criteria. Their order says nothing, and neither does their length. Say which of the two meets the criteria better, or "tie" when neither does.
Answer with one JSON object and nothing else: {"reason": "one or two sentences", "better": "first", "second" or "tie"}.`,
  sections: ['criteria', 'first', 'second'],
};

export type Winner = 'first' | 'second' | 'tie';

const Better = z
  .union([z.string(), z.number()])
  .transform((value) => String(value).trim().toLowerCase())
  .pipe(z.enum(['first', 'second', 'tie', '1', '2']))
  .transform((better): Winner => (better === '1' ? 'first' : better === '2' ? 'second' : better));
const Reply = z.object({ better: Better, reason: ReasonField });
const readBetter: ReplyReader<{ readonly better: Winner; readonly reason: string }> = jsonReader(Reply, Reply);

export interface PairJudgement {
  /** Of the two as they were given; a disagreement of the two orders is a tie. */
  readonly winner: Winner;
  /** Whether the judge changed its mind when the order did: its place decided, not the output. */
  readonly isFlipped: boolean;
  readonly reasons: readonly [string, string];
}

/** Asks in both orders. @throws PlimsollError `judge_unreadable` */
export async function comparePair(
  tools: ScoringTools,
  criteria: string,
  first: string,
  second: string,
  rubricPrompt?: string,
): Promise<PairJudgement> {
  const ask = (one: string, other: string) => {
    const values = { criteria, first: one, second: other };
    const messages = rubricPrompt === undefined ? promptMessages(COMPARE, values) : customMessages(rubricPrompt, values);
    return askJudge(tools, { messages, read: readBetter });
  };
  const [asGiven, swapped] = await Promise.all([ask(first, second), ask(second, first)]);
  return { ...mergeOrders(asGiven.value.better, swapped.value.better), reasons: [asGiven.value.reason, swapped.value.reason] };
}

/** @param swapped what was better when the second output stood first */
export function mergeOrders(asGiven: Winner, swapped: Winner): { readonly winner: Winner; readonly isFlipped: boolean } {
  const turned: Winner = swapped === 'tie' ? 'tie' : swapped === 'first' ? 'second' : 'first';
  return asGiven === turned ? { winner: asGiven, isFlipped: false } : { winner: 'tie', isFlipped: asGiven !== 'tie' && turned !== 'tie' };
}

export interface PairwiseTally {
  readonly pairs: number;
  readonly first: number;
  readonly second: number;
  readonly ties: number;
  /** Share of pairs in which the judge's choice followed the place; null of none. */
  readonly flipRate: number | null;
  /** 95 %. */
  readonly flipInterval: readonly [number, number];
}

export function tallyPairs(judgements: readonly { readonly winner: Winner; readonly isFlipped: boolean }[]): PairwiseTally {
  const count = (winner: Winner): number => judgements.filter((judgement) => judgement.winner === winner).length;
  const flips = judgements.filter(({ isFlipped }) => isFlipped).length;
  return {
    pairs: judgements.length,
    first: count('first'),
    second: count('second'),
    ties: count('tie'),
    flipRate: judgements.length === 0 ? null : flips / judgements.length,
    flipInterval: wilsonInterval(flips, judgements.length),
  };
}

export interface VoteResult<T> {
  /** Null when two choices have most votes: the judge does not know. */
  readonly choice: T | null;
  /** Share of the votes for the choice that has most. */
  readonly consistency: number;
  readonly votes: number;
}

/** Self-consistency: the choice of most of several samples of one judge. Null without votes. */
export function majorityVote<T extends string | number | boolean>(votes: readonly T[]): VoteResult<T> | null {
  if (votes.length === 0) return null;
  const counts = new Map<T, number>();
  for (const vote of votes) counts.set(vote, (counts.get(vote) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const leaders = [...counts].filter(([, count]) => count === most).map(([vote]) => vote);
  return { choice: leaders.length === 1 ? (leaders[0] ?? null) : null, consistency: most / votes.length, votes: votes.length };
}
