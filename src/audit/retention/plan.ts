import { inDays, type KeptDays, type RetentionConfig } from './config.ts';

export const DATA_CLASSES = ['messages', 'spans', 'scores', 'rollups', 'ledger'] as const;
export type DataClass = (typeof DATA_CLASSES)[number];

const DAY_MS = 86_400_000;

/** How long one feature's data of a class is kept, or that of all features without a rule of their own. */
export interface RetentionRule {
  /** Null = every feature that no other rule names. */
  readonly feature: string | null;
  /** Whole days; null = never deleted. */
  readonly days: number | null;
  /** What began before this moment (epoch ms, midnight UTC) goes; null = nothing. */
  readonly beforeMs: number | null;
  /** Place in the configuration. */
  readonly by: string;
}

export interface ClassPlan {
  readonly dataClass: DataClass;
  /** The rule of the class itself first; of features only those that differ. */
  readonly rules: readonly [RetentionRule, ...RetentionRule[]];
}

/**
 * Cuts fall on midnight UTC, so that what is kept for n days is kept for at least n and at most n + 1: a text that several days share stands once a
 * day in the store, and goes with its last day.
 */
function rule(feature: string | null, kept: KeptDays, by: string, nowMs: number): RetentionRule {
  const days = kept === 'never' ? null : kept;
  return { feature, days, beforeMs: days === null ? null : Math.floor(nowMs / DAY_MS) * DAY_MS - days * DAY_MS, by };
}

/** When something of this moment goes: the midnight after its last full day. Null = never. */
export function deletedAtMs(atMs: number, days: number | null): number | null {
  return days === null ? null : (Math.floor(atMs / DAY_MS) + days + 1) * DAY_MS;
}

function longest(values: readonly KeptDays[]): KeptDays {
  return values.reduce((longer, value) => (inDays(value) > inDays(longer) ? value : longer));
}

/** What is to go of each class now. Pure. */
export function planRetention(config: RetentionConfig, nowMs: number): ClassPlan[] {
  const features = Object.entries(config.features);
  const bySetting = (feature: string): string => `retention.features.${feature}.messages`;
  return DATA_CLASSES.map((dataClass): ClassPlan => {
    const own = rule(null, config[dataClass], `retention.${dataClass}`, nowMs);
    if (features.length === 0) return { dataClass, rules: [own] };
    if (dataClass === 'messages') {
      // Written by a version that did not note the feature: whose they are is not known, so that the longest rule holds.
      const unknown = rule('', longest([config.messages, ...features.map(([, { messages }]) => messages)]), own.by, nowMs);
      return {
        dataClass,
        rules: [own, ...features.map(([feature, { messages }]) => rule(feature, messages, bySetting(feature), nowMs)), unknown],
      };
    }
    // Messages are reached by their spans.
    const held = dataClass === 'spans' ? features.filter(([, { messages }]) => inDays(messages) > inDays(config.spans)) : [];
    const rules = held.map(([feature, { messages }]) => rule(feature, messages, bySetting(feature), nowMs));
    return {
      dataClass,
      rules:
        held.length === 0
          ? [own]
          : [own, ...rules, rule('', longest([config.spans, ...held.map(([, { messages }]) => messages)]), own.by, nowMs)],
    };
  });
}
