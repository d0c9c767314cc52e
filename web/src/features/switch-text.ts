import type { FeatureSwitch, FeatureSwitchDraft } from '../api/schema.ts';
import { formatDuration } from '../format/number.ts';

/** `paused`, `5 calls/s`, `20 % of calls`: what the switch does, in as few words as a table cell holds. */
export function switchWord({
  kind,
  requestsPerSecond,
  shareRatio,
}: Pick<FeatureSwitch, 'kind' | 'requestsPerSecond' | 'shareRatio'>): string {
  if (kind === 'pause') return 'paused';
  if (requestsPerSecond !== null) return `${requestsPerSecond} ${requestsPerSecond === 1 ? 'call' : 'calls'}/s`;
  return `${Math.round((shareRatio ?? 0) * 1000) / 10} % of calls`;
}

/** How long until it ends by itself, as it is said in a sentence. */
export function remainingText(expiresAt: number | null, nowMs: number): string {
  if (expiresAt === null) return 'until somebody resumes it';
  return `for another ${formatDuration(Math.max(0, expiresAt - nowMs))}`;
}

/** What the form of a pause or a throttle says. */
export interface SwitchForm {
  readonly kind: 'pause' | 'throttle';
  readonly reason: string;
  /** Minutes; empty = until somebody resumes it. */
  readonly forMinutes: string;
  readonly unit: 'share' | 'rps';
  /** Percent of the calls, or calls per second. */
  readonly amount: string;
}

export function draftOf({ kind, reason, forMinutes, unit, amount }: SwitchForm): FeatureSwitchDraft {
  const end = forMinutes === '' ? {} : { forMs: Math.round(Number(forMinutes) * 60_000) };
  const draft = { kind, reason: reason.trim(), ...end };
  if (kind === 'pause') return draft;
  return unit === 'rps' ? { ...draft, requestsPerSecond: Number(amount) } : { ...draft, shareRatio: Number(amount) / 100 };
}

/** The order that puts an earlier switch back in force; null when it would be over by now. */
export function restoreDraftOf(value: FeatureSwitch, nowMs: number): FeatureSwitchDraft | null {
  const { kind, reason, requestsPerSecond, shareRatio, expiresAt } = value;
  if (expiresAt !== null && expiresAt <= nowMs) return null;
  return {
    kind,
    reason,
    ...(requestsPerSecond === null ? {} : { requestsPerSecond }),
    ...(shareRatio === null ? {} : { shareRatio }),
    ...(expiresAt === null ? {} : { expiresAt }),
  };
}
