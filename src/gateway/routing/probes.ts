import type { Timer } from '../../kernel/clock.ts';
import type { Caller } from '../call.ts';
import type { CompiledSnapshot, CompiledTarget } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { startInternalCall } from '../internal-call.ts';
import type { ProbePolicy } from './policy.ts';
import type { TargetHealth } from './target-health.ts';

/** Under which probes stand in the ledger and the traces. */
export const PROBE_FEATURE = 'plimsoll-probe';

/** Nobody's key: probes are the gateway's own. */
const CALLER: Caller = {
  key: { id: 'plimsoll', name: 'plimsoll', hmac: '', feature: PROBE_FEATURE, team: null, models: null, expiresAtMs: null },
  feature: { name: PROBE_FEATURE, owner: null, costOwner: null, route: '', payloads: 'none' },
};

const REQUEST = { messages: [{ role: 'user', content: 'ping' }], max_tokens: 1 };
/** How often it is looked whether something is due, at most. */
const LEAST_TICK_MS = 250;

/**
 * Tries targets with a call of one token, off the path of requests: those that are out, so that they come back as soon as they can, and where the
 * operator wants it those that nobody called for a while. A probe teaches the health of its target like any other attempt.
 */
export class ProbeRunner {
  readonly #context: GatewayContext;
  readonly #snapshot: () => CompiledSnapshot | null;
  /** Monotonic time of the last probe. */
  readonly #probedMs = new WeakMap<TargetHealth, number>();
  readonly #running = new WeakSet<TargetHealth>();
  #policy: ProbePolicy | null = null;
  #timer: Timer | null = null;

  constructor(context: GatewayContext, snapshot: () => CompiledSnapshot | null) {
    this.#context = context;
    this.#snapshot = snapshot;
  }

  schedule(policy: ProbePolicy | null): void {
    this.#policy = policy;
    if (policy === null) this.stop();
    else this.#timer ??= this.#context.clock.setTimer(LEAST_TICK_MS, this.#tick);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  readonly #tick = (): void => {
    const policy = this.#policy;
    if (policy === null) return;
    this.#timer = this.#context.clock.setTimer(Math.max(LEAST_TICK_MS, policy.intervalMs / 8), this.#tick);
    const snapshot = this.#snapshot();
    if (snapshot === null || !this.#context.journal.canAccept()) return;
    const nowMs = this.#context.clock.monotonicMs();
    for (const { route, targets } of snapshot.destinations.values()) {
      const [target] = targets;
      // Every target has a destination of its own, under its alias.
      if (route === null && target !== undefined && this.#isDue(target.health, policy, nowMs)) this.#probe(target, snapshot, policy, nowMs);
    }
  };

  #isDue(health: TargetHealth, { intervalMs, idleAfterMs }: ProbePolicy, nowMs: number): boolean {
    if (this.#running.has(health) || nowMs - (this.#probedMs.get(health) ?? Number.NEGATIVE_INFINITY) < intervalMs) return false;
    const state = health.state(nowMs);
    if (state === 'ejected' || state === 'half_open') return true;
    return idleAfterMs !== null && state === 'healthy' && nowMs - health.lastCallMs >= idleAfterMs;
  }

  #probe(target: CompiledTarget, snapshot: CompiledSnapshot, policy: ProbePolicy, nowMs: number): void {
    const { health } = target;
    this.#probedMs.set(health, nowMs);
    this.#running.add(health);
    const request = { ...REQUEST, model: target.model };
    void startInternalCall(
      { purpose: 'probe', snapshot, caller: CALLER, parent: null, target, request, timeoutMs: policy.timeoutMs },
      this.#context,
    ).finished.then(() => this.#running.delete(health));
  }
}
