import type { RouteView, RoutingDecision, TargetRow } from '../api/schema.ts';
import { formatDuration, formatPercent } from '../format/number.ts';

const STRATEGIES: Readonly<Record<RouteView['strategy'], string>> = {
  priority: 'targets in their order',
  weight: 'at random, by weight',
  latency: 'the faster of two at random',
  cost: 'the cheapest first',
  complexity: 'by how difficult the request is',
  condition: 'the first whose condition holds',
  sticky: 'the same target again',
};

export function strategyText({
  strategy,
  stickyBy,
  classifierModel,
}: Pick<RouteView, 'strategy' | 'stickyBy' | 'classifierModel'>): string {
  const by = stickyBy === null ? '' : ` for a ${stickyBy}`;
  return `${STRATEGIES[strategy]}${by}${classifierModel === null ? '' : `, judged by ${classifierModel}`}`;
}

/** Rules of a route beyond its order, a few words each. */
export function policyTexts({ retries, hedge, shadow, onContentFilter }: RouteView): string[] {
  const texts: string[] = [];
  if (retries !== null && retries.maxAttempts > 1)
    texts.push(`up to ${retries.maxAttempts} tries a target, at most ${formatPercent(retries.budgetRatio)} of calls retried`);
  if (retries !== null && retries.maxAttempts === 1) texts.push('no retries');
  if (hedge !== null)
    texts.push(
      `hedged after ${hedge.delayMs === null ? 'the measured P95' : formatDuration(hedge.delayMs)}, at most ${formatPercent(hedge.maxRatio)} of calls`,
    );
  if (shadow !== null) texts.push(`${formatPercent(shadow.ratio)} mirrored to ${shadow.model}, at most $${shadow.maxUsdPerDay} a day`);
  if (onContentFilter === 'next') texts.push('next target when a content filter refuses');
  return texts;
}

export interface TargetShare {
  readonly model: string;
  readonly provider: string;
  readonly weight: number | null;
  readonly tier: string | null;
  readonly when: string | null;
  /** False: it had traffic in the range and is not in the configuration any more. */
  readonly isConfigured: boolean;
  /** Null = no attempt in the range; undefined = not read yet. */
  readonly row: TargetRow | null | undefined;
  /** Of the answers of the route; null without any. */
  readonly share: number | null;
}

/** Targets of a route in its order, and those that had traffic and are gone, each with its share of the answers. */
export function targetShares(route: RouteView, rows: readonly TargetRow[] | undefined): TargetShare[] {
  const own = rows?.filter((row) => row.route === route.name);
  const answered = own?.reduce((sum, row) => sum + row.answered, 0) ?? 0;
  const shareOf = (row: TargetRow | null | undefined): number | null =>
    answered === 0 || row === undefined ? null : (row?.answered ?? 0) / answered;
  // A model may stand in a route more than once, under several conditions: its traffic is counted once.
  const seen = new Set<string>();
  const configured = route.targets.map((target): TargetShare => {
    const isFirst = !seen.has(target.model);
    seen.add(target.model);
    const row = own && ((isFirst ? own.find((each) => each.target === target.model) : undefined) ?? null);
    return { ...target, weight: target.weight, isConfigured: true, row, share: shareOf(row) };
  });
  const gone = (own ?? []).filter((row) => row.target !== null && !seen.has(row.target));
  return [
    ...configured,
    ...gone.map((row) => ({
      model: row.target ?? '',
      provider: row.provider,
      weight: null,
      tier: null,
      when: null,
      isConfigured: false,
      row,
      share: shareOf(row),
    })),
  ];
}

const ROLES: Readonly<Record<RoutingDecision['attempts'][number]['role'], string>> = {
  first: '',
  retry: 'again ',
  fallback: 'then ',
  hedge: 'beside it ',
  restart: 'anew ',
  repair: 'repair ',
};

/** One attempt of a decision as it is said in a row of them: `then small`. */
export function attemptText({ target, role, purpose }: RoutingDecision['attempts'][number]): string {
  return purpose === null ? `${ROLES[role]}${target}` : `${purpose} ${target}`;
}
