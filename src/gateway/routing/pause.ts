import type { Clock } from '../../kernel/clock.ts';
import type { PlimsollError } from '../../kernel/errors.ts';
import type { Call } from '../call.ts';

/** Waits; ends at once when the client leaves or the gateway stops. @throws PlimsollError why it ended early */
export function pause(call: Call, delayMs: number, clock: Clock): Promise<void> {
  if (delayMs <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(delayMs, () => {
      call.running = null;
      resolve();
    });
    call.running = {
      fail(error: PlimsollError) {
        timer.cancel();
        call.running = null;
        reject(error);
      },
    };
  });
}
