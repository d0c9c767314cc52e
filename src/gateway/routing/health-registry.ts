import type { PlimsollError } from '../../kernel/errors.ts';
import { successRateOutliers } from './outlier-detection.ts';
import type { HealthPolicy } from './policy.ts';
import { TargetHealth, verdictOf } from './target-health.ts';

/** One finished attempt. */
export interface AttemptResult {
  readonly error: PlimsollError | null;
  /** From `begin`. */
  readonly isTrial: boolean;
  readonly isStream: boolean;
  /** To the first content of a stream, or to the whole JSON answer; null when neither came. */
  readonly latencyMs: number | null;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  readonly monotonicMs: number;
  readonly retryAfterMs: number | null;
}

/** The health of every target that this worker has seen, by model alias. State of one worker, in memory. */
export class HealthRegistry {
  readonly #targets = new Map<string, TargetHealth>();
  #policy: HealthPolicy | null = null;
  #windowIndex = -1;

  get policy(): HealthPolicy | null {
    return this.#policy;
  }

  setPolicy(policy: HealthPolicy | null): void {
    this.#policy = policy;
  }

  /** The record of a target, kept for as long as alias, provider and upstream model stay together. */
  get(model: string, provider: string, upstreamModel: string): TargetHealth {
    const key = `${model}\u0000${provider}\u0000${upstreamModel}`;
    let health = this.#targets.get(key);
    if (health === undefined) {
      health = new TargetHealth(model, provider);
      this.#targets.set(key, health);
    }
    return health;
  }

  /** Forgets targets that no snapshot names any more. */
  retain(targets: ReadonlySet<TargetHealth>): void {
    for (const [key, health] of this.#targets) if (!targets.has(health) && health.inFlight === 0) this.#targets.delete(key);
  }

  all(): TargetHealth[] {
    return [...this.#targets.values()];
  }

  observe(health: TargetHealth, result: AttemptResult): void {
    const { error, monotonicMs, latencyMs } = result;
    health.end(verdictOf(error), result.isTrial, monotonicMs, result.retryAfterMs, this.#policy);
    if (latencyMs !== null) (result.isStream ? health.streams : health.answers).observe(latencyMs, monotonicMs);
    if (error !== null && error.code !== 'client_closed' && error.code !== 'superseded')
      health.lastError = { code: error.code, atMs: result.nowMs };
    if (this.#policy !== null) this.#compare(monotonicMs, this.#policy);
  }

  /** Once per window: ejects whose success rate is too far below that of the others. */
  #compare(nowMs: number, policy: HealthPolicy): void {
    const index = Math.floor(nowMs / policy.intervalMs);
    if (index === this.#windowIndex) return;
    this.#windowIndex = index;
    const targets = this.all();
    for (const target of targets) target.rotate(nowMs, policy.intervalMs);
    const windows = targets.map((target) => target.lastWindow);
    for (const position of successRateOutliers(windows, policy)) {
      const target = targets[position];
      if (target !== undefined && target.state(nowMs) !== 'ejected') target.eject(nowMs, policy, 'success_rate');
    }
  }
}
