import { RatioBudget } from './ratio-budget.ts';

const DAY_MS = 86_400_000;
/** Retries that are always there, so that a quiet route can retry too. */
const RETRY_RESERVE = 10;
const HEDGE_RESERVE = 10;

/** What one worker remembers of a route. Outlives snapshots, by the route's name. */
export class RouteState {
  readonly name: string;
  calls = 0;
  /** By reason class, e.g. `complexity:simple`: a closed set per route. */
  readonly decisions = new Map<string, number>();
  readonly retries = new RatioBudget(RETRY_RESERVE, RETRY_RESERVE);
  /** Starts empty, so that hedges never exceed their share of the calls. */
  readonly hedges = new RatioBudget(HEDGE_RESERVE, 0);
  hedgesWon = 0;
  readonly shadow = { running: 0, calls: 0, skipped: 0 };
  #shadowDay = -1;
  #shadowPicoUsd = 0n;

  constructor(name: string) {
    this.name = name;
  }

  count(reasonClass: string): void {
    this.decisions.set(reasonClass, (this.decisions.get(reasonClass) ?? 0) + 1);
  }

  /** What mirrored calls cost today (UTC). */
  shadowSpentPicoUsd(nowMs: number): bigint {
    const day = Math.floor(nowMs / DAY_MS);
    if (day !== this.#shadowDay) {
      this.#shadowDay = day;
      this.#shadowPicoUsd = 0n;
    }
    return this.#shadowPicoUsd;
  }

  /** Books what a mirrored call may cost, or corrects it (negative) once it is known. */
  bookShadow(picoUsd: bigint, nowMs: number): void {
    this.#shadowPicoUsd = this.shadowSpentPicoUsd(nowMs) + picoUsd;
  }
}
