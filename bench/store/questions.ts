import type { TraceQuery } from '../../src/traces/model.ts';
import { FEATURES } from './corpus.ts';

const DAY_MS = 86_400_000;

interface Range {
  /** Epoch ms, [from, to). */
  readonly from: number;
  readonly to: number;
}

/** What a page or a person asks of the store. */
export type Question =
  | (Range & { readonly kind: 'overview' })
  | (Range & { readonly kind: 'by model' })
  | (Range & { readonly kind: 'series of a feature'; readonly feature: string })
  | { readonly kind: 'list'; readonly query: TraceQuery }
  | (Range & { readonly kind: 'users by cost' | 'tools by hour' | 'attribute'; readonly round: number })
  | { readonly kind: 'trace of the newest page'; readonly to: number }
  | { readonly kind: 'trace'; readonly traceId: string; readonly texts: 'always' | 'of_small_traces' };

export interface Case {
  readonly name: string;
  /** p95; null = none is set. */
  readonly goalMs: number | null;
  /** Costly ones are asked less often. */
  readonly isCostly?: boolean;
  ask(round: number): Question;
}

/** Every round asks for another range or another word: nothing is answered from a cache of results. `words` come by falling frequency. */
export function casesOf(endMs: number, longTrace: { readonly traceId: string; readonly spans: number }, words: readonly string[]): Case[] {
  const to = (round: number): number => endMs - round * 61_777;
  const days = (round: number, count: number): Range => ({ from: to(round) - count * DAY_MS, to: to(round) });
  const word = (rank: number): string => words[rank] ?? words.at(-1) ?? '';
  const list = (query: Partial<TraceQuery>): Question => ({ kind: 'list', query: { limit: 50, ...query } });
  const trace = (texts: 'always' | 'of_small_traces') => (): Question => ({ kind: 'trace', traceId: longTrace.traceId, texts });
  return [
    { name: 'dashboard: overview 24 h', goalMs: 150, ask: (round) => ({ kind: 'overview', ...days(round, 1) }) },
    { name: 'dashboard: overview 7 days', goalMs: 150, ask: (round) => ({ kind: 'overview', ...days(round, 7) }) },
    { name: 'dashboard: overview 30 days', goalMs: 150, ask: (round) => ({ kind: 'overview', ...days(round, 30) }) },
    { name: 'dashboard: by model, 30 days', goalMs: 150, ask: (round) => ({ kind: 'by model', ...days(round, 30) }) },
    {
      name: 'dashboard: one feature, 30 days',
      goalMs: 150,
      ask: (round) => ({ kind: 'series of a feature', ...days(round, 30), feature: FEATURES[round % FEATURES.length] ?? FEATURES[0] }),
    },
    { name: 'list: newest', goalMs: 150, ask: () => list({}) },
    { name: 'list: a page in the middle', goalMs: 150, ask: (round) => list({ to: to(round) - 15 * DAY_MS }) },
    { name: 'list: feature and errors', goalMs: 150, ask: (round) => list({ feature: 'triage', status: 'error', to: to(round) }) },
    { name: 'list: model, slower than 2 s', goalMs: 150, ask: (round) => list({ model: 'gpt-4o', minDurationMs: 2_000, to: to(round) }) },
    { name: 'list: one user, 30 days', goalMs: 150, ask: (round) => list({ user: `user-${round * 7}` }) },
    { name: 'list: one user that is not there', goalMs: 150, ask: (round) => list({ user: `nobody-${round}` }) },
    { name: 'text: rare word', goalMs: 400, ask: (round) => list({ q: `rare${round}x${(round * 3) % 70}` }) },
    { name: 'text: common word', goalMs: 400, ask: (round) => list({ q: word(round % 20) }) },
    { name: 'text: two words', goalMs: 400, ask: (round) => list({ q: `${word(round % 20)} ${word(200 + round)}` }) },
    { name: 'text: phrase', goalMs: 400, ask: (round) => list({ q: `"${word(round % 20)} ${word(30 + round)}"` }) },
    {
      name: 'text: word and feature, errors',
      goalMs: 400,
      ask: (round) => list({ q: word(100 + round), feature: 'triage', status: 'error' }),
    },
    { name: 'text: no such word', goalMs: 400, ask: (round) => list({ q: `nosuchword${round}` }) },
    {
      name: 'ad hoc: users by cost, slow errors and retries',
      goalMs: 1_000,
      isCostly: true,
      ask: (round) => ({ kind: 'users by cost', ...days(round, 31), round }),
    },
    {
      name: 'ad hoc: tools by hour of day, all spans',
      goalMs: 1_000,
      isCostly: true,
      ask: (round) => ({ kind: 'tools by hour', ...days(round, 31), round }),
    },
    {
      name: 'ad hoc: free filter on an attribute, 7 days',
      goalMs: 1_000,
      isCostly: true,
      ask: (round) => ({ kind: 'attribute', ...days(round, 7), round }),
    },
    { name: 'trace of a few spans', goalMs: null, ask: (round) => ({ kind: 'trace of the newest page', to: to(round) }) },
    { name: `trace of ${longTrace.spans} spans, as its page opens`, goalMs: 800, isCostly: true, ask: trace('of_small_traces') },
    { name: `trace of ${longTrace.spans} spans with all texts`, goalMs: null, isCostly: true, ask: trace('always') },
  ];
}
