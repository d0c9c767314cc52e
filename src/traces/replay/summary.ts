import { median } from '../../stats/robust.ts';
import type { ReplayItem, ReplaySummary } from './model.ts';

function medianOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : median(values);
}

function sum(values: readonly string[]): string {
  return values.reduce((total, value) => total + BigInt(value), 0n).toString();
}

/** What a call of the replay cost, tries that were cut off included; 0 while nothing is known. */
export function spentOn({ replayed, lostPicoUsd }: ReplayItem): bigint {
  return BigInt(lostPicoUsd) + BigInt(replayed?.costPicoUsd ?? 0);
}

export function summarise(items: readonly ReplayItem[]): ReplaySummary {
  const done = items.filter(({ state }) => state === 'done');
  const pairs = done.flatMap(({ recorded, replayed }) =>
    replayed !== null && recorded.status === 'ok' && replayed.status === 'ok' ? [{ recorded, replayed }] : [],
  );
  const priced = pairs.filter(({ recorded, replayed }) => recorded.costPicoUsd !== null && replayed.costPicoUsd !== null);
  const counted = pairs.filter(({ recorded, replayed }) => recorded.outputTokens !== null && replayed.outputTokens !== null);
  const compared = done.flatMap(({ comparison }) => (comparison === null ? [] : [comparison]));
  return {
    total: items.length,
    done: done.length,
    ok: done.filter(({ replayed }) => replayed?.status === 'ok').length,
    errors: done.filter(({ replayed }) => replayed?.status !== 'ok').length,
    failed: items.filter(({ state }) => state === 'failed').length,
    spentPicoUsd: items.reduce((total, item) => total + spentOn(item), 0n).toString(),
    unpricedCalls: done.filter(({ replayed }) => replayed?.costStatus === 'unpriced').length,
    cost: {
      n: priced.length,
      recordedPicoUsd: sum(priced.map(({ recorded }) => recorded.costPicoUsd ?? '0')),
      replayedPicoUsd: sum(priced.map(({ replayed }) => replayed.costPicoUsd ?? '0')),
    },
    medianDurationMs: {
      n: pairs.length,
      recorded: medianOf(pairs.map(({ recorded }) => recorded.durationMs)),
      replayed: medianOf(pairs.map(({ replayed }) => replayed.durationMs)),
    },
    medianOutputTokens: {
      n: counted.length,
      recorded: medianOf(counted.map(({ recorded }) => recorded.outputTokens ?? 0)),
      replayed: medianOf(counted.map(({ replayed }) => replayed.outputTokens ?? 0)),
    },
    sameText: { n: compared.length, count: compared.filter(({ isSameText }) => isSameText).length },
    medianWordOverlap: { n: compared.length, value: medianOf(compared.map(({ wordOverlap }) => wordOverlap)) },
    quality: 'unmeasured: needs an evaluation',
  };
}
