import { z } from 'zod';

/** What an operator throws in an incident: a feature takes no calls, or fewer. At most one per feature is in force. */
export interface FeatureSwitch {
  /** UUIDv7. */
  readonly id: string;
  readonly feature: string;
  readonly kind: 'pause' | 'throttle';
  /** Of a throttle, one of the two; null for a pause. */
  readonly requestsPerSecond: number | null;
  /** Part of the calls that is let through, in (0, 1). */
  readonly shareRatio: number | null;
  readonly reason: string;
  readonly setBy: SwitchActor;
  readonly setAtMs: number;
  /** Null = until somebody ends it. */
  readonly expiresAtMs: number | null;
  /** When it was ended or replaced, or when it expired and that was noticed; null while it is open. */
  readonly endedAtMs: number | null;
  /** Name of who ended it; null when it expired. */
  readonly endedBy: string | null;
  readonly endReason: string | null;
}

export interface SwitchActor {
  readonly kind: string;
  readonly id: string;
  /** For people. */
  readonly name: string;
}

/** Whether the switch acts at this moment. Gateways ask the same of their snapshot, so that an expiry needs no control. */
export function isInForce({ expiresAtMs, endedAtMs }: Pick<FeatureSwitch, 'expiresAtMs' | 'endedAtMs'>, nowMs: number): boolean {
  return endedAtMs === null && (expiresAtMs === null || expiresAtMs > nowMs);
}

const epochMs = z.int().min(0).max(8_640_000_000_000_000);
const LONGEST_MS = 90 * 86_400_000;

export const FeatureSwitchView = z
  .object({
    id: z.string(),
    feature: z.string(),
    kind: z.enum(['pause', 'throttle']).describe('pause: no call is taken; throttle: some are'),
    requestsPerSecond: z.number().nullable().describe('Of a throttle: calls per second on one machine, over all its workers'),
    shareRatio: z.number().nullable().describe('Of a throttle: the part of the calls that is let through'),
    reason: z.string(),
    setBy: z.string().describe('Who set it'),
    setAt: epochMs.describe('Epoch ms'),
    expiresAt: epochMs.nullable().describe('Epoch ms at which it ends by itself; null = never'),
    isInForce: z.boolean(),
    endedAt: epochMs.nullable(),
    endedBy: z.string().nullable().describe('Who ended or replaced it; null while it is open, and when it expired'),
    endReason: z.string().nullable(),
  })
  .meta({ id: 'FeatureSwitch' });
export type FeatureSwitchView = z.infer<typeof FeatureSwitchView>;

export const FeatureSwitchPage = z
  .object({ switches: z.array(FeatureSwitchView), nextCursor: z.string().nullable() })
  .meta({ id: 'FeatureSwitchPage' });

export const FeatureSwitchDraft = z
  .strictObject({
    kind: z.enum(['pause', 'throttle']).describe('pause: no call is taken; throttle: some are'),
    reason: z.string().trim().min(1).max(500).describe('Why; callers, the audit log and the dashboard show it'),
    forMs: z.int().min(1_000).max(LONGEST_MS).optional().describe('Ends by itself after so many ms; left out = with expiresAt, or never'),
    expiresAt: epochMs.optional().describe('Ends by itself at this time, epoch ms; left out = with forMs, or never'),
    requestsPerSecond: z
      .number()
      .min(0.01)
      .max(10_000)
      .optional()
      .describe('Of a throttle: calls per second on one machine, over all its workers'),
    shareRatio: z.number().gt(0).lt(1).optional().describe('Of a throttle: the part of the calls that is let through, e.g. 0.2'),
  })
  .superRefine((draft, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const given = [draft.requestsPerSecond, draft.shareRatio].filter((value) => value !== undefined).length;
    if (draft.kind === 'throttle' && given !== 1) issue('kind', 'a throttle needs either requestsPerSecond or shareRatio');
    if (draft.kind === 'pause' && given > 0) issue('kind', 'a pause takes neither requestsPerSecond nor shareRatio');
    if (draft.forMs !== undefined && draft.expiresAt !== undefined) issue('forMs', 'give forMs or expiresAt, not both');
  })
  .meta({ id: 'FeatureSwitchDraft' });
export type FeatureSwitchDraft = z.infer<typeof FeatureSwitchDraft>;

export function toSwitchView(value: FeatureSwitch, nowMs: number): FeatureSwitchView {
  return {
    id: value.id,
    feature: value.feature,
    kind: value.kind,
    requestsPerSecond: value.requestsPerSecond,
    shareRatio: value.shareRatio,
    reason: value.reason,
    setBy: value.setBy.name,
    setAt: value.setAtMs,
    expiresAt: value.expiresAtMs,
    isInForce: isInForce(value, nowMs),
    endedAt: value.endedAtMs,
    endedBy: value.endedBy,
    endReason: value.endReason,
  };
}

/** `at most 5 calls per second` or `20 % of the calls`, for messages. */
export function describeThrottle({ requestsPerSecond, shareRatio }: Pick<FeatureSwitch, 'requestsPerSecond' | 'shareRatio'>): string {
  if (requestsPerSecond !== null) return `at most ${requestsPerSecond} ${requestsPerSecond === 1 ? 'call' : 'calls'} per second`;
  return `${Math.round((shareRatio ?? 0) * 1000) / 10} % of the calls`;
}
