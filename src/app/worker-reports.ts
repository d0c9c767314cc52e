import type { WorkerPresence } from '../gateway/worker-presence.ts';

/** A worker that has not reported for this long is not counted. */
export const PRESENT_MS = 15_000;
/** And after this long it is taken for removed, and not named any more. */
const REMEMBERED_MS = 300_000;

/** The newest report of each gateway worker. */
export class WorkerReports<T> {
  readonly #newest = new Map<string, { readonly report: T; readonly atMs: number }>();

  receive(worker: string, report: T, nowMs: number): void {
    this.#newest.set(worker, { report, atMs: nowMs });
  }

  /** Of those heard of lately. */
  present(nowMs: number): { readonly worker: string; readonly report: T }[] {
    return this.#known(nowMs).flatMap(([worker, { report, atMs }]) => (nowMs - atMs < PRESENT_MS ? [{ worker, report }] : []));
  }

  /** @param others workers that are known from elsewhere: they answer when they have reported here */
  presence(nowMs: number, others: readonly string[] = []): WorkerPresence[] {
    const known = new Map(this.#known(nowMs));
    return [...new Set([...known.keys(), ...others])].sort().map((worker) => {
      const atMs = known.get(worker)?.atMs ?? null;
      return { worker, isAnswering: atMs !== null && nowMs - atMs < PRESENT_MS, lastReportAt: atMs };
    });
  }

  #known(nowMs: number): [string, { readonly report: T; readonly atMs: number }][] {
    for (const [worker, { atMs }] of this.#newest) if (nowMs - atMs >= REMEMBERED_MS) this.#newest.delete(worker);
    return [...this.#newest];
  }
}
