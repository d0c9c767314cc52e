import { LeaseAuthority } from '../gateway/admission/lease-authority.ts';
import type { LeaseExchange, LeaseHolder, LeaseReport } from '../gateway/admission/lease-source.ts';
import { newUuidV7 } from '../kernel/ids.ts';
import type { FromChild, ToChild } from './process-messages.ts';

/** A gateway worker, as the supervisor reaches it. */
interface Worker {
  send(message: ToChild): void;
}

/** A worker that has said nothing for so long after the start is not waited for. */
const JOIN_MS = 15_000;

/**
 * The supervisor's side of limits that the workers of one machine keep together. It is the right place for them: it lives as long as any worker,
 * needs neither control nor a store, and knows at once when one has died. It begins empty and lends nothing until every worker has told what it
 * restored from its journal.
 */
export class LeaseDesk {
  readonly #authority = new LeaseAuthority();
  readonly #id = newUuidV7(Date.now());
  readonly #workers = new Map<string, Worker>();
  readonly #awaited = new Set<string>();
  readonly #nowMs: () => number;
  readonly #startMs: number;

  /** @param nowMs monotonic */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
  }

  /** Told before a worker is started for the first time. */
  expect(writer: string): void {
    // Later ones begin with an empty journal, or say what they have used when they come; nobody stands still for them.
    if (this.#workers.size === 0) this.#awaited.add(writer);
  }

  answer({ id, holder, reports }: Extract<FromChild, { type: 'lease.exchange' }>, worker: Worker): void {
    this.#workers.set(holder.writer, worker);
    this.#awaited.delete(holder.writer);
    worker.send({ type: 'lease.reply', id, exchange: this.#exchange(holder, reports) });
  }

  #exchange(holder: LeaseHolder, reports: readonly LeaseReport[]): LeaseExchange {
    const nowMs = this.#nowMs();
    const settlingMs = this.#awaited.size === 0 ? 0 : Math.max(0, this.#startMs + JOIN_MS - nowMs);
    const heard = settlingMs === 0 ? reports : reports.map((report) => ({ ...report, want: 0 }));
    const { answers, recalls } = this.#authority.exchange(holder, heard, nowMs);
    for (const [writer, keys] of recalls) this.#workers.get(writer)?.send({ type: 'lease.recall', keys });
    if (settlingMs === 0) return { answers, sourceId: this.#id, settlingMs };
    const wanting = answers.map((answer, index) => ({ ...answer, isContended: (reports[index]?.want ?? 0) > 0 }));
    return { answers: wanting, sourceId: this.#id, settlingMs };
  }

  /** The process of a worker has ended: its calls are over. */
  workerEnded(writer: string): void {
    this.#authority.leave(writer, this.#nowMs());
  }
}
