import { LeaseAuthority } from '../gateway/admission/lease-authority.ts';
import type { LeaseExchange } from '../gateway/admission/lease-source.ts';
import type { Clock } from '../kernel/clock.ts';
import { newUuidV7 } from '../kernel/ids.ts';
import type { FromChild, ToChild } from './process-messages.ts';

/** A worker, as the supervisor reaches it. */
interface Worker {
  readonly writer: string;
  send(message: ToChild): void;
}

/**
 * Who has said nothing for so long after the first one spoke is not waited for: its process cannot start. Longer than a machine under load takes to
 * read a journal, since what is lent too early may be spent twice.
 */
const JOIN_MS = 60_000;

/**
 * The supervisor's side of limits that the workers of one machine keep together. It is the right place for them: it lives as long as any worker,
 * needs neither control nor a store, and knows at once when one has died. It begins empty, and lends nothing until all who have counted here before
 * have told what is in their journals.
 */
export class LeaseDesk {
  readonly #authority = new LeaseAuthority({ leaseMs: Number.POSITIVE_INFINITY, settlingMs: 0 });
  readonly #id = newUuidV7(Date.now());
  readonly #workers = new Map<string, Worker>();
  readonly #awaited: Set<string>;
  /** By writer, its process that spoke last, and the one that has ended: words of that one may still come. */
  readonly #speaking = new Map<string, string>();
  readonly #ended = new Map<string, string>();
  readonly #clock: Clock;
  #hasHeard = false;

  /** @param writers with a journal from an earlier run */
  constructor(clock: Clock, writers: readonly string[]) {
    this.#clock = clock;
    this.#awaited = new Set(writers);
    if (writers.length > 0) this.#authority.lendFrom(Number.POSITIVE_INFINITY);
  }

  /** @param worker where the message came from: the holder itself, or who speaks for one that is not run any more: heard only while nothing is known of it */
  answer({ id, holder, reports, isComplete }: Extract<FromChild, { type: 'lease.exchange' }>, worker: Worker): void {
    if (this.#ended.get(holder.writer) === holder.incarnation) return;
    const reply = (exchange: LeaseExchange): void => worker.send({ type: 'lease.reply', writer: holder.writer, id, exchange });
    if (worker.writer !== holder.writer && !this.#awaited.has(holder.writer)) {
      reply({ answers: [], sourceId: this.#id, settlingMs: 0 });
      return;
    }
    this.#speaking.set(holder.writer, holder.incarnation);
    const nowMs = this.#clock.monotonicMs();
    this.#workers.set(holder.writer, worker);
    if (!this.#hasHeard && this.#awaited.size > 0) this.#authority.lendFrom(nowMs + JOIN_MS);
    this.#hasHeard = true;
    const { answers, recalls, settlingMs } = this.#authority.exchange(holder, reports, isComplete, nowMs);
    // Who asked meanwhile asks again soon.
    if (isComplete && this.#awaited.delete(holder.writer) && this.#awaited.size === 0) this.#authority.lendFrom(nowMs);
    for (const [writer, keys] of recalls) this.#workers.get(writer)?.send({ type: 'lease.recall', writer, keys });
    reply({ answers, sourceId: this.#id, settlingMs });
  }

  /** The process of a worker has ended: its calls are over. */
  workerEnded(writer: string): void {
    this.#ended.set(writer, this.#speaking.get(writer) ?? '');
    this.#authority.leave(writer, this.#clock.monotonicMs());
  }
}
