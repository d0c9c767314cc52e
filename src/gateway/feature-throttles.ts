import type { SnapshotFeatureSwitch } from './snapshot.ts';

/** Lets at most `count` calls into any window of `windowMs`. Keeps the times of the last `count` calls, so that the bound is exact. */
class SlidingWindow {
  readonly #windowMs: number;
  readonly #times: Float64Array;
  #next = 0;

  constructor(count: number, windowMs: number) {
    this.#windowMs = windowMs;
    this.#times = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  }

  /** @returns 0 when the call is let in, else milliseconds until one would be */
  take(nowMs: number): number {
    const freeAtMs = (this.#times[this.#next] ?? 0) + this.#windowMs;
    if (nowMs < freeAtMs) return freeAtMs - nowMs;
    this.#times[this.#next] = nowMs;
    this.#next = (this.#next + 1) % this.#times.length;
    return 0;
  }
}

/** Lets a share of the calls in, spread evenly: of n calls, never more than one off n × share. */
class Share {
  readonly #ratio: number;
  #credit = 0;

  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  take(): number {
    this.#credit += this.#ratio;
    if (this.#credit < 1 - 1e-9) return SHARE_RETRY_MS;
    this.#credit -= 1;
    return 0;
  }
}

/** Which of the next calls gets in is not a question of time; a client that must be told one waits this long. */
const SHARE_RETRY_MS = 1000;

interface Meter {
  readonly switchId: string;
  readonly workers: number;
  readonly gate: SlidingWindow | Share;
}

/**
 * The meters of throttled features in one gateway process. Each of n workers takes its n-th part of a rate: the bound holds on the machine
 * without a word between them, and connections that all land on one worker get less.
 */
export class FeatureThrottles {
  readonly #meters = new Map<string, Meter>();

  /**
   * @param nowMs monotonic milliseconds
   * @returns 0 when the call is let in, else milliseconds after which it may try again
   */
  take(feature: string, throttle: SnapshotFeatureSwitch, workers: number, nowMs: number): number {
    let meter = this.#meters.get(feature);
    if (meter === undefined || meter.switchId !== throttle.id || meter.workers !== workers) {
      meter = { switchId: throttle.id, workers, gate: openGate(throttle, workers) };
      this.#meters.set(feature, meter);
    }
    return meter.gate.take(nowMs);
  }
}

function openGate({ requestsPerSecond, shareRatio }: SnapshotFeatureSwitch, workers: number): SlidingWindow | Share {
  if (requestsPerSecond === null) return new Share(shareRatio ?? 1);
  const perSecond = requestsPerSecond / workers;
  // 2.5 a second = 2 in 800 ms; 0.2 a second = 1 in 5 s.
  const count = Math.max(1, Math.floor(perSecond));
  return new SlidingWindow(count, (count / perSecond) * 1000);
}
