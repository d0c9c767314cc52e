import { PlimsollError } from '../../kernel/errors.ts';
import type { Call } from '../call.ts';
import type { Admission, AdmissionRequest } from './admission.ts';
import { Refusal } from './refusal.ts';
import type { Reservation } from './reservation.ts';
import { lineFull, lineOf, rankOf, type Waiter, type WaitingLine, waitedInVain } from './waiting-line.ts';

const DEFAULT_PRIORITY = 5;

/** A call in a waiting line. Leaves it when there is room, when its time is up, or when its client leaves. */
class WaitingCall implements Waiter {
  readonly rank: number;
  line: WaitingLine | null = null;
  readonly #call: Call;
  readonly #admission: Admission;
  readonly #request: AdmissionRequest;
  readonly #resolve: () => void;
  readonly #reject: (error: PlimsollError) => void;
  readonly #timer: { cancel(): void };
  #last: Refusal;
  #isOver = false;

  constructor(
    call: Call,
    admission: Admission,
    request: AdmissionRequest,
    refusal: Refusal,
    resolve: () => void,
    reject: (error: PlimsollError) => void,
  ) {
    this.#call = call;
    this.#admission = admission;
    this.#request = request;
    this.#last = refusal;
    this.#resolve = resolve;
    this.#reject = reject;
    const { maxWaitMs, maxLength } = refusal.rule.queue ?? { maxWaitMs: 0, maxLength: 0 };
    this.rank = rankOf(refusal.nowMs, call.caller?.feature.priority ?? DEFAULT_PRIORITY, maxWaitMs);
    this.#timer = admission.clock.setTimer(maxWaitMs, () => this.fail(waitedInVain(this.#last, maxWaitMs)));
    call.running = this;
    const line = lineOf(refusal.counter, admission);
    if (line.join(this, maxLength)) line.wait(refusal);
    else this.resolve(lineFull(refusal));
  }

  attempt(line: WaitingLine): Reservation | Refusal {
    const outcome = this.#admission.reserve(this.#request, line);
    if (outcome instanceof Refusal) this.#last = outcome;
    return outcome;
  }

  resolve(outcome: Reservation | PlimsollError): void {
    this.#isOver = true;
    this.#timer.cancel();
    this.#call.running = null;
    if (outcome instanceof PlimsollError) {
      if (outcome.code !== 'client_closed' && outcome.code !== 'not_ready') {
        this.#admission.countRefusal(this.#last);
        this.#call.refusal = this.#last;
      }
      this.#reject(outcome);
      return;
    }
    this.#call.reservation = outcome;
    this.#resolve();
  }

  /** The client left, the gateway stops, or the time is up. */
  fail(error: PlimsollError): void {
    if (this.#isOver) return;
    const { line } = this;
    // Settled first: leaving may let others in, and this one must not be among them.
    this.resolve(error);
    line?.leave(this);
  }
}

/**
 * Waits until the call fits. Its reservation then stands in the call.
 * @throws PlimsollError of the limit when the line is full or the time is up; `client_closed` when the client leaves
 */
export function waitForRoom(call: Call, admission: Admission, request: AdmissionRequest, refusal: Refusal): Promise<void> {
  if (call.isClientGone)
    return Promise.reject(new PlimsollError('client_closed', 'The client closed the connection before there was room.'));
  return new Promise((resolve, reject) => {
    new WaitingCall(call, admission, request, refusal, resolve, reject);
  });
}
