import type { ErrorCode, PlimsollError } from '../../kernel/errors.ts';
import { LatencyTrack } from './latency-track.ts';
import { type Blockable, ejectionMs, exceedsFailureRatio, rememberedEjections, type WindowCounts } from './outlier-detection.ts';
import type { HealthPolicy } from './policy.ts';

/** A rate-limited target is left alone for this long when it does not say how long. */
const DEFAULT_COOL_DOWN_MS = 1_000;
/** And never longer than this, whatever it says: limits are often lifted sooner. */
const MAX_COOL_DOWN_MS = 60_000;

/** What an attempt says of its target. `neutral`: nothing (the client left, another attempt was faster). */
export type Verdict = 'ok' | 'failed' | 'rate_limited' | 'neutral';

/** @param error null = answered */
export function verdictOf(error: PlimsollError | null): Verdict {
  switch (error?.code) {
    case undefined:
    // The target works; it is the request that it does not take.
    case 'provider_rejected':
    case 'context_length_exceeded':
    case 'content_filtered':
      return 'ok';
    case 'provider_unavailable':
    case 'provider_timeout':
    case 'provider_bad_response':
    case 'provider_stream_cut':
    case 'provider_auth_failed':
      return 'failed';
    case 'provider_rate_limited':
      return 'rate_limited';
    default:
      return 'neutral';
  }
}

/** Why a target was taken out: failures in a row, share of failures in a window, success rate below the others', or the call that tried it failed. */
export const EJECTION_REASONS = ['consecutive_failures', 'failure_ratio', 'success_rate', 'trial_failed'] as const;
export type EjectionReason = (typeof EJECTION_REASONS)[number];

export type TargetState = 'healthy' | 'cooling' | 'ejected' | 'half_open';

/**
 * What one gateway worker knows of a target: how it fared lately, whether it is out, and when it may come back. Outlives snapshots.
 * States: healthy → (failures) ejected → (time) half-open: one call tries it → healthy, or ejected for longer.
 */
export class TargetHealth implements Blockable {
  readonly model: string;
  readonly provider: string;
  /** False nearly always: then nothing else has to be looked at. */
  isSuspect = false;
  inFlight = 0;
  calls = 0;
  failures = 0;
  /** Ejections since the start. */
  ejections = 0;
  consecutiveFailures = 0;
  lastError: { readonly code: ErrorCode; readonly atMs: number } | null = null;
  /** Monotonic; -Infinity = never called. */
  lastCallMs = Number.NEGATIVE_INFINITY;
  /** Of streams: time to first content. */
  readonly streams = new LatencyTrack();
  /** Of JSON answers: time to the whole answer. */
  readonly answers = new LatencyTrack();
  /** Of the newest ejection. */
  ejectionReason: EjectionReason | null = null;
  #ejectedAtMs: number | null = null;
  #ejectedUntilMs = 0;
  /** Ejections in a row that still count for how long the next one lasts. */
  #remembered = 0;
  #returnedAtMs = 0;
  #isTrialRunning = false;
  #coolSinceMs = 0;
  #coolUntilMs = 0;
  #windowIndex = -1;
  #ok = 0;
  #failed = 0;
  #previous: WindowCounts = { ok: 0, failed: 0 };

  constructor(model: string, provider: string) {
    this.model = model;
    this.provider = provider;
  }

  blockedSinceMs(nowMs: number): number | null {
    if (!this.isSuspect) return null;
    if (this.#ejectedAtMs !== null) return nowMs < this.#ejectedUntilMs || this.#isTrialRunning ? this.#ejectedAtMs : null;
    if (nowMs < this.#coolUntilMs) return this.#coolSinceMs;
    this.isSuspect = false;
    return null;
  }

  /** Monotonic milliseconds since when it is in its state; null = healthy. */
  sinceMs(nowMs: number): number | null {
    if (this.#ejectedAtMs !== null) return this.#ejectedAtMs;
    return nowMs < this.#coolUntilMs ? this.#coolSinceMs : null;
  }

  state(nowMs: number): TargetState {
    if (this.#ejectedAtMs !== null) return nowMs < this.#ejectedUntilMs ? 'ejected' : 'half_open';
    return nowMs < this.#coolUntilMs ? 'cooling' : 'healthy';
  }

  /** Milliseconds until it may be asked again; 0 when it may now. */
  blockedForMs(nowMs: number): number {
    if (!this.isSuspect) return 0;
    return Math.max(0, (this.#ejectedAtMs === null ? this.#coolUntilMs : this.#ejectedUntilMs) - nowMs);
  }

  /** Counts of the last whole window. */
  get lastWindow(): WindowCounts {
    return this.#previous;
  }

  /** An attempt starts. @returns true when it is the one that tries an ejected target; tell `end` */
  begin(nowMs: number): boolean {
    this.inFlight++;
    this.calls++;
    this.lastCallMs = nowMs;
    if (!this.isSuspect || this.#ejectedAtMs === null || this.#isTrialRunning || nowMs < this.#ejectedUntilMs) return false;
    this.#isTrialRunning = true;
    return true;
  }

  /**
   * An attempt is over.
   * @param nowMs monotonic @param coolDownMs what a rate-limited target asked to wait @param policy null = nothing is ever ejected
   */
  end(verdict: Verdict, isTrial: boolean, nowMs: number, coolDownMs: number | null, policy: HealthPolicy | null): void {
    this.inFlight--;
    if (isTrial) this.#isTrialRunning = false;
    if (policy !== null) this.rotate(nowMs, policy.intervalMs);
    switch (verdict) {
      case 'ok':
        this.#ok++;
        this.consecutiveFailures = 0;
        // Also without a trial: where every target of a route is out, calls still go to one of them.
        if (this.#ejectedAtMs !== null) this.#return(nowMs);
        return;
      case 'failed':
        this.#failed++;
        this.failures++;
        this.consecutiveFailures++;
        if (policy !== null) this.#judge(isTrial, nowMs, policy);
        return;
      case 'rate_limited':
        if (policy === null) return;
        if (nowMs >= this.#coolUntilMs) this.#coolSinceMs = nowMs;
        this.#coolUntilMs = Math.max(this.#coolUntilMs, nowMs + Math.min(coolDownMs ?? DEFAULT_COOL_DOWN_MS, MAX_COOL_DOWN_MS));
        this.isSuspect = true;
        return;
      case 'neutral':
        return;
      default:
        verdict satisfies never;
    }
  }

  /** Starts a new window when the time of the last one is over. */
  rotate(nowMs: number, intervalMs: number): void {
    const index = Math.floor(nowMs / intervalMs);
    if (index === this.#windowIndex) return;
    this.#previous = index === this.#windowIndex + 1 ? { ok: this.#ok, failed: this.#failed } : { ok: 0, failed: 0 };
    this.#windowIndex = index;
    this.#ok = 0;
    this.#failed = 0;
  }

  #judge(isTrial: boolean, nowMs: number, policy: HealthPolicy): void {
    if (this.#ejectedAtMs !== null) {
      // Failures of calls that were still on their way when it was ejected do not make it longer; that of a trial does.
      if (isTrial) this.eject(nowMs, policy, 'trial_failed');
      return;
    }
    if (this.consecutiveFailures >= policy.consecutiveFailures) this.eject(nowMs, policy, 'consecutive_failures');
    else if (exceedsFailureRatio({ ok: this.#ok, failed: this.#failed }, policy)) this.eject(nowMs, policy, 'failure_ratio');
  }

  eject(nowMs: number, policy: HealthPolicy, reason: EjectionReason): void {
    this.ejectionReason = reason;
    if (this.#ejectedAtMs === null) this.#remembered = rememberedEjections(this.#remembered, nowMs - this.#returnedAtMs, policy.intervalMs);
    this.#remembered++;
    this.ejections++;
    this.#ejectedAtMs ??= nowMs;
    this.#ejectedUntilMs = nowMs + ejectionMs(this.#remembered, policy);
    this.isSuspect = true;
  }

  #return(nowMs: number): void {
    this.#ejectedAtMs = null;
    this.#returnedAtMs = nowMs;
    this.consecutiveFailures = 0;
    // The window that led to the ejection must not lead to the next one.
    this.#ok = 0;
    this.#failed = 0;
  }
}
