import type { Admission } from './admission.ts';
import { Refusal } from './refusal.ts';

/** Longest that a call asks around; what is short after that is refused. */
const LONGEST_MS = 2_000;

/**
 * Borrows what is lacking and tries again, until it fits or nobody has it. Each try is one synchronous step; others may have been faster.
 * @param attempt throws when the call has ended meanwhile
 * @throws PlimsollError `not_ready` when nobody can be asked
 */
export async function borrowFor<T>(refusal: Refusal, attempt: () => T | Refusal, admission: Admission): Promise<T | Refusal> {
  const endMs = admission.clock.monotonicMs() + LONGEST_MS;
  let outcome: T | Refusal = refusal;
  while (outcome instanceof Refusal && outcome.isShort && admission.clock.monotonicMs() < endMs) {
    await admission.borrow(outcome);
    outcome = attempt();
  }
  return outcome;
}
