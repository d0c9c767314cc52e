import type { LeaseExchange, LeaseHolder, LeaseReport, LeaseSource } from '../gateway/admission/lease-source.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { ChildContext } from './child-process.ts';

/** A supervisor that is longer silent is stopped or gone. */
const ANSWER_MS = 1_000;

/** Borrows from the supervisor, over the fork channel. */
export function supervisorLeaseSource(context: ChildContext, holder: LeaseHolder): LeaseSource {
  const waiting = new Map<number, (exchange: LeaseExchange) => void>();
  let nextId = 1;
  let recalled: (keys: readonly string[]) => void = () => {};
  context.onMessage((message) => {
    if (message.type === 'lease.recall' && message.writer === holder.writer) recalled(message.keys);
    else if (message.type === 'lease.reply' && message.writer === holder.writer) {
      waiting.get(message.id)?.(message.exchange);
      waiting.delete(message.id);
    }
  });
  return {
    // The supervisor sees its workers end.
    leaseMs: Number.POSITIVE_INFINITY,
    exchange(reports: readonly LeaseReport[], isComplete: boolean) {
      const id = nextId++;
      return new Promise<LeaseExchange>((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new PlimsollError('store_unavailable', `The supervisor has been silent for ${ANSWER_MS} ms`));
        }, ANSWER_MS);
        waiting.set(id, (exchange) => {
          clearTimeout(timer);
          resolve(exchange);
        });
        context.send({ type: 'lease.exchange', id, holder, reports, isComplete });
      });
    },
    onRecall(listener) {
      recalled = listener;
    },
    close: async () => {},
  };
}
