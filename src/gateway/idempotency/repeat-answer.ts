import { createHash } from 'node:crypto';
import { PlimsollError } from '../../kernel/errors.ts';
import type { Call } from '../call.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { headerText, streamHead } from '../response-headers.ts';
import { checkLabel } from '../stages/authenticate.ts';
import type { KeptAnswer, Waiter } from './idempotency-store.ts';

const HEADER = 'idempotency-key';

/** Two requests with the same fingerprint ask for the same thing. */
function fingerprintOf(call: Call): string {
  const hash = createHash('sha256');
  for (const part of [call.dialect.name, call.request.url ?? '', call.caller?.feature.name ?? '']) hash.update(`${part}\u0000`);
  return hash.update(call.body?.bytes ?? '').digest('base64');
}

/** Gives a kept answer to a call; the call then needs no provider. Its record costs nothing and names the call that paid. */
function repeat(call: Call, answer: KeptAnswer): void {
  call.isRepeat = true;
  call.parentCallId = answer.callId;
  call.ttftMs = call.elapsedMs();
  call.answerHeaders.push('x-plimsoll-idempotent-replay', 'true');
  if (!answer.isStream) {
    if (answer.model !== null) call.answerHeaders.push('x-plimsoll-model', headerText(answer.model));
    call.answer = { kind: 'json', body: answer.body };
    return;
  }
  if (!call.isClientGone) call.response.writeHead(200, streamHead(call, answer.model));
  call.answer = { kind: 'stream', content: answer.body, lastBytes: null };
}

/** Waits for the answer of the call that leads. @throws PlimsollError when this call's own client leaves, or the gateway stops */
function waitFor(call: Call, waiters: Set<Waiter>): Promise<KeptAnswer | null> {
  return new Promise((resolve, reject) => {
    const waiter: Waiter = {
      resolve(answer) {
        call.running = null;
        resolve(answer);
      },
    };
    waiters.add(waiter);
    call.running = {
      fail(error) {
        waiters.delete(waiter);
        call.running = null;
        reject(error);
      },
    };
  });
}

/**
 * Answers a request whose idempotency key was used before, with the same answer; while the first one still runs it is waited for. When the first
 * one fails, one of those who wait takes its place.
 * @returns false when this call has to be answered itself; its answer is then kept
 * @throws PlimsollError `conflict` when the key stands for another request
 */
export async function answerRepeated(call: Call, context: GatewayContext): Promise<boolean> {
  const key = call.request.headers[HEADER];
  if (typeof key !== 'string' || key === '' || call.caller === null) return false;
  if (call.dialect.operation?.mayAnswerBytes === true) {
    call.warnings.push('the idempotency-key has no effect: sound and images are not kept');
    return false;
  }
  const id = `${call.caller.key.id}\u0000${checkLabel(HEADER, key)}`;
  const fingerprint = fingerprintOf(call);
  const { idempotency } = context;
  for (;;) {
    const begun = idempotency.begin(id, fingerprint, call);
    switch (begun.kind) {
      case 'conflict':
        throw new PlimsollError(
          'conflict',
          `The idempotency-key "${key}" was used with another request. Use a new key for a new request.`,
          {
            details: { param: HEADER },
          },
        );
      case 'lead':
        call.idempotencyId = id;
        if (call.body?.isStream === true) call.copy = [];
        return false;
      case 'answer':
        idempotency.repeats++;
        repeat(call, begun.answer);
        return true;
      case 'wait': {
        const { leader } = begun;
        leader.followers++;
        let answer: KeptAnswer | null;
        try {
          answer = await waitFor(call, begun.waiters);
        } finally {
          unfollow(leader);
        }
        if (answer === null) continue;
        idempotency.repeats++;
        repeat(call, answer);
        return true;
      }
      default:
        return begun satisfies never;
    }
  }
}

/** A call whose client left went on for those who waited; when the last of them leaves too, nobody needs it. */
function unfollow(leader: Call): void {
  leader.followers--;
  if (leader.isAbandoned)
    leader.running?.fail(
      new PlimsollError('client_closed', 'Everybody who waited for the answer closed the connection before it was complete.'),
    );
}

/** Keeps the answer of a call that leads, or makes way for the next one when it failed. Runs once the call is settled. */
export function finishIdempotent(call: Call, context: GatewayContext): void {
  const { idempotencyId: id, answer } = call;
  if (id === null) return;
  call.idempotencyId = null;
  if (call.error !== null || answer === null) {
    context.idempotency.finish(id, null);
    return;
  }
  const parts = answer.kind === 'json' ? [answer.body] : [...(call.copy ?? []), answer.content, answer.lastBytes];
  context.idempotency.finish(id, {
    callId: call.callId,
    model: call.attempts.at(-1)?.model ?? call.cache?.model ?? null,
    isStream: answer.kind === 'stream',
    body: Buffer.concat(parts.filter((part) => part !== null)),
  });
}
