import { PlimsollError } from '../../kernel/errors.ts';
import type { Call } from '../call.ts';
import { streamHead } from '../response-headers.ts';
import type { Flight, Follower, Landing } from './flight.ts';

/** What a follower learnt: how the flight ended, or why it left before that. */
export type FollowerOutcome =
  | { readonly kind: 'landed'; readonly landing: Landing }
  | { readonly kind: 'left'; readonly error: PlimsollError };

/** A call that waits for the answer of an equal one. A stream in the same form is passed on as it comes. */
export class WaitingCall implements Follower {
  readonly #call: Call;
  readonly #flight: Flight;
  readonly #maxBehindBytes: number;
  readonly #isSameStream: boolean;
  #resolve: (outcome: FollowerOutcome) => void = () => {};
  /** Bytes have gone to the client. */
  hasStarted = false;

  /** @param maxBehindBytes most that is held for a client that does not read */
  constructor(call: Call, flight: Flight, maxBehindBytes: number) {
    this.#call = call;
    this.#flight = flight;
    this.#maxBehindBytes = maxBehindBytes;
    this.#isSameStream = flight.isSameStream(call);
  }

  wait(): Promise<FollowerOutcome> {
    const { landing } = this.#flight;
    if (landing !== null) return Promise.resolve({ kind: 'landed', landing });
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#call.running = this;
      for (const piece of this.#flight.join(this)) this.onPiece(piece);
    });
  }

  onPiece(bytes: Buffer): void {
    if (!this.#isSameStream) return;
    const call = this.#call;
    const { response, cache } = call;
    if (!this.hasStarted) {
      this.hasStarted = true;
      if (cache !== null) cache.model = this.#flight.model;
      call.ttftMs ??= call.elapsedMs();
      if (!call.isClientGone) response.writeHead(200, streamHead(call, this.#flight.model));
    }
    call.keepCopy(bytes);
    if (call.isClientGone || response.writableEnded) return;
    response.write(bytes);
    if (response.writableLength > this.#maxBehindBytes)
      this.fail(new PlimsollError('client_closed', `The client is more than ${this.#maxBehindBytes} bytes behind its answer.`));
  }

  onLanding(landing: Landing): void {
    this.#finish({ kind: 'landed', landing });
  }

  /** The call's own client left, or the gateway stops. */
  fail(error: PlimsollError): void {
    this.#flight.leave(this);
    this.#finish({ kind: 'left', error });
  }

  #finish(outcome: FollowerOutcome): void {
    if (this.#call.running === this) this.#call.running = null;
    this.#resolve(outcome);
  }
}
