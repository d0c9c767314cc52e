import { formatUsd } from '../../kernel/money.ts';
import { inputTokens, outputTokens } from '../../models/usage.ts';
import type { CallCacheRecord } from '../../traces/call-record.ts';
import type { FeatureHoldings } from './answer-cache.ts';
import type { Refusal } from './answer-policy.ts';
import type { CallCache } from './call-cache.ts';

type Outcome = CallCacheRecord['outcome'];

/** Of one feature, since the start of the process. */
export interface FeatureCounters {
  readonly outcomes: Record<Outcome, number>;
  /** Answers that were not kept, by reason. */
  readonly refused: Record<Refusal, number>;
  /** Semantic hits that were held against the model's own answer. */
  readonly shadow: Record<'same' | 'different', number>;
  kept: number;
  /** Calls whose question could not be compared: its vector was late, or there was none. */
  notCompared: number;
  savedPicoUsd: bigint;
  savedInputTokens: number;
  savedOutputTokens: number;
}

function zero(): FeatureCounters {
  return {
    outcomes: { hit: 0, 'near-hit': 0, 'semantic-hit': 0, miss: 0, bypass: 0 },
    refused: { empty: 0, tool_calls: 0, truncated: 0, refused: 0, incomplete: 0 },
    shadow: { same: 0, different: 0 },
    kept: 0,
    notCompared: 0,
    savedPicoUsd: 0n,
    savedInputTokens: 0,
    savedOutputTokens: 0,
  };
}

/** What the cache was good for. Features come from the snapshot only, so that clients cannot invent series. */
export class CacheCounters {
  readonly #features = new Map<string, FeatureCounters>();
  /** Reads and writes that the store failed or was too slow for. */
  storeFailures = 0;

  of(feature: string): FeatureCounters {
    let counters = this.#features.get(feature);
    if (counters === undefined) {
      counters = zero();
      this.#features.set(feature, counters);
    }
    return counters;
  }

  /** One call. A hit whose delivery failed saved nothing that anybody got. */
  add(feature: string, cache: CallCache, isAnswered: boolean): void {
    const counters = this.of(feature);
    counters.outcomes[cache.outcome]++;
    if (!cache.isHit || !isAnswered || cache.origin === null) return;
    const { costPicoUsd, usage } = cache.origin;
    if (costPicoUsd !== null) counters.savedPicoUsd += BigInt(costPicoUsd);
    if (usage === null) return;
    counters.savedInputTokens += inputTokens(usage);
    counters.savedOutputTokens += outputTokens(usage);
  }

  /** Prometheus text format 0.0.4; empty while no feature has used the cache. */
  text(holdings: ReadonlyMap<string, FeatureHoldings>, evictions: number): string {
    if (this.#features.size === 0) return '';
    const lines: string[] = [];
    const series = (name: string, type: 'counter' | 'gauge', help: string, rows: readonly (readonly [string, number | string])[]): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [labels, value] of rows) lines.push(`${name}${labels} ${value}`);
    };
    const features = [...this.#features];
    const byName = (of: (counters: FeatureCounters) => Readonly<Record<string, number>>, label: string) =>
      features.flatMap(([feature, counters]) =>
        Object.entries(of(counters)).map(([value, count]) => [`{feature="${feature}",${label}="${value}"}`, count] as const),
      );
    series(
      'plimsoll_cache_not_compared_total',
      'counter',
      'Calls that went on without a vector of their question: it was late, or there was none',
      features.map(([feature, { notCompared }]) => [`{feature="${feature}"}`, notCompared]),
    );
    series(
      'plimsoll_cache_requests_total',
      'counter',
      'Calls of features with a cache, by what it did for them',
      byName((c) => c.outcomes, 'outcome'),
    );
    series(
      'plimsoll_cache_kept_total',
      'counter',
      'Answers that were kept',
      features.map(([feature, { kept }]) => [`{feature="${feature}"}`, kept]),
    );
    series(
      'plimsoll_cache_refused_total',
      'counter',
      'Answers that were not kept, by reason',
      byName((c) => c.refused, 'reason'),
    );
    series(
      'plimsoll_cache_saved_usd_total',
      'counter',
      'What the answers cost when they were new, US dollars',
      features.map(([feature, { savedPicoUsd }]) => [`{feature="${feature}"}`, formatUsd(savedPicoUsd)]),
    );
    series(
      'plimsoll_cache_saved_tokens_total',
      'counter',
      'Tokens that were not used again',
      byName((c) => ({ input: c.savedInputTokens, output: c.savedOutputTokens }), 'token_type'),
    );
    series(
      'plimsoll_cache_shadow_total',
      'counter',
      'Semantic hits that were held against the answer of the model',
      byName((c) => c.shadow, 'verdict'),
    );
    const held = [...holdings];
    series(
      'plimsoll_cache_entries',
      'gauge',
      'Answers that are kept',
      held.map(([feature, { entries }]) => [`{feature="${feature}"}`, entries]),
    );
    series(
      'plimsoll_cache_bytes',
      'gauge',
      'Bytes of kept answers',
      held.map(([feature, { bytes }]) => [`{feature="${feature}"}`, bytes]),
    );
    series('plimsoll_cache_evictions_total', 'counter', 'Answers that made room for others', [['', evictions]]);
    series('plimsoll_cache_store_failures_total', 'counter', 'Reads and writes that the store failed or was too slow for', [
      ['', this.storeFailures],
    ]);
    return `${lines.join('\n')}\n`;
  }
}
