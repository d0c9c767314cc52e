import { createHash } from 'node:crypto';
import { z } from 'zod';
import { clusterOf, type EvalCase } from './model.ts';
import type { CasePart } from './source.ts';

const seed = z.string().min(1).max(64).default('1').describe('Another seed gives another split');
const devRatio = z.number().min(0).max(0.9).default(0).describe('Share of clusters that go to dev');

/** How the cases of a dataset are divided. A cluster is never in two parts. */
export const SplitPlan = z
  .discriminatedUnion('by', [
    z.strictObject({
      by: z.literal('cluster'),
      seed,
      devRatio,
      holdoutRatio: z.number().min(0).max(0.9).default(0.2).describe('Share of clusters that are sealed'),
    }),
    z.strictObject({
      by: z.literal('time'),
      seed,
      devRatio,
      holdoutFrom: z.int().describe('Cases from here on are sealed, epoch ms; of a cluster that stands on both sides they are in no part'),
    }),
  ])
  .refine((plan) => plan.by === 'time' || plan.devRatio + plan.holdoutRatio < 1, 'dev and holdout together must leave something to train')
  .meta({ id: 'DatasetSplit' });
export type SplitPlan = z.infer<typeof SplitPlan>;

/** Uniform in [0, 1), by seed and cluster alone: cases that come later move nothing. */
export function clusterPoint(seedText: string, cluster: string): number {
  const digest = createHash('sha256').update(`${seedText.length}:${seedText}${cluster}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/**
 * Part of each case, by its hash. By cluster it depends on that cluster and the seed only, so that it holds whatever is added.
 * By time a case without a time is in no part (`excluded`), and so is a late case of a cluster that began before the boundary: it would tell of
 * what the early ones have shown.
 * @param plan null = all is train
 */
export function splitCases(cases: readonly Pick<EvalCase, 'hash' | 'cluster' | 'at'>[], plan: SplitPlan | null): Map<string, CasePart> {
  if (plan === null) return new Map(cases.map(({ hash }) => [hash, 'train']));
  const openPart = (cluster: string, sealed: number): CasePart => {
    const point = clusterPoint(plan.seed, cluster);
    return point < sealed ? 'holdout' : point < sealed + plan.devRatio ? 'dev' : 'train';
  };
  if (plan.by === 'cluster') return new Map(cases.map((each) => [each.hash, openPart(clusterOf(each), plan.holdoutRatio)]));
  const begins = new Map<string, number>();
  for (const each of cases) {
    const cluster = clusterOf(each);
    if (each.at !== null) begins.set(cluster, Math.min(begins.get(cluster) ?? Number.POSITIVE_INFINITY, each.at));
  }
  const partOf = (each: Pick<EvalCase, 'hash' | 'cluster' | 'at'>): CasePart => {
    if (each.at === null) return 'excluded';
    const cluster = clusterOf(each);
    const isLateCluster = (begins.get(cluster) ?? each.at) >= plan.holdoutFrom;
    if (each.at >= plan.holdoutFrom) return isLateCluster ? 'holdout' : 'excluded';
    return openPart(cluster, 0);
  };
  return new Map(cases.map((each) => [each.hash, partOf(each)]));
}
