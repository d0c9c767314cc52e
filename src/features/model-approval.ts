import { z } from 'zod';
import { dayText, parseDay } from '../kernel/config/day.ts';

const word = z.string().trim().min(1).max(200);

export const ModelApprovalConfig = z.strictObject({
  model: word.describe('Model alias'),
  status: z
    .enum(['approved', 'trial', 'deprecated', 'blocked'])
    .describe('approved and trial: may be used; deprecated: may be used, with a warning; blocked: is never used'),
  approvedBy: word.optional().describe('Person or board that decided'),
  evaluation: word.optional().describe('Evaluation that the decision rests on: an id, a link or a sentence'),
  expires: dayText('Date (UTC) from which the approval no longer holds, e.g. 2026-12-01').optional(),
});

export const ModelPolicyConfig = z.strictObject({
  unlisted: z.enum(['allow', 'warn', 'refuse']).default('warn').describe('A model that the list does not name'),
  expired: z.enum(['warn', 'refuse']).default('warn').describe('A model whose approval has expired'),
});

/** What somebody decided about a model for one feature. */
export interface ModelApproval {
  readonly model: string;
  readonly status: 'approved' | 'trial' | 'deprecated' | 'blocked';
  readonly approvedBy: string | null;
  readonly evaluation: string | null;
  readonly expiresAtMs: number | null;
}

export interface ModelApprovals {
  readonly entries: readonly ModelApproval[];
  readonly unlisted: 'allow' | 'warn' | 'refuse';
  readonly expired: 'warn' | 'refuse';
}

/** Null = the feature has no list: every model is as good as another. */
export function approvalsOf(
  entries: readonly z.output<typeof ModelApprovalConfig>[] | undefined,
  policy: z.output<typeof ModelPolicyConfig> = ModelPolicyConfig.parse({}),
): ModelApprovals | null {
  if (entries === undefined) return null;
  return {
    ...policy,
    entries: entries.map(({ model, status, approvedBy, evaluation, expires }) => ({
      model,
      status,
      approvedBy: approvedBy ?? null,
      evaluation: evaluation ?? null,
      expiresAtMs: expires === undefined ? null : parseDay(expires),
    })),
  };
}

export interface ModelVerdict {
  /** Why the model may not be used; null when it may. */
  readonly refusal: string | null;
  /** What its users should know; null = nothing. */
  readonly warning: string | null;
}

const FINE: ModelVerdict = Object.freeze({ refusal: null, warning: null });

/** Whether a feature may use a model now. Pure. */
export function judgeModel({ entries, unlisted, expired }: ModelApprovals, model: string, nowMs: number): ModelVerdict {
  const entry = entries.find((candidate) => candidate.model === model);
  if (entry === undefined) {
    switch (unlisted) {
      case 'allow':
        return FINE;
      case 'warn':
        return { ...FINE, warning: 'not on the list of approved models' };
      case 'refuse':
        return { ...FINE, refusal: 'not on the list of approved models' };
    }
  }
  const { status, expiresAtMs } = entry;
  if (status === 'blocked') return { ...FINE, refusal: 'blocked' };
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    const text = `approval expired on ${dayOf(expiresAtMs)}`;
    return expired === 'refuse' ? { ...FINE, refusal: text } : { ...FINE, warning: text };
  }
  return { refusal: null, warning: status === 'deprecated' ? 'deprecated for this feature' : null };
}

/** `2026-12-01`, UTC. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
