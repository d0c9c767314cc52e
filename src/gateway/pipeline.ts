import { toPlimsollError } from '../kernel/errors.ts';
import type { Call } from './call.ts';
import type { GatewayContext } from './gateway-context.ts';
import { answerRepeated, finishIdempotent } from './idempotency/repeat-answer.ts';
import { wantsOutputCheck } from './output/output-rules.ts';
import { planRoute } from './routing/plan-route.ts';
import { mirrorCall } from './routing/shadow.ts';
import { sendAnswer, sendFailure } from './send-answer.ts';
import { admit } from './stages/admit.ts';
import { authenticate } from './stages/authenticate.ts';
import { answerFromCache } from './stages/cache.ts';
import { guardOutput } from './stages/guard-output.ts';
import { infer } from './stages/infer.ts';
import { open } from './stages/open.ts';
import { receive } from './stages/receive.ts';
import { record } from './stages/record.ts';
import { route } from './stages/route.ts';
import { settle } from './stages/settle.ts';

/** The stages of a call that lead to an answer, in order. @throws PlimsollError from whichever stage ends the call */
async function runStages(call: Call, context: GatewayContext): Promise<void> {
  call.enterStage('authenticate');
  authenticate(call, context);
  call.enterStage('receive');
  await receive(call, context);
  if (call.request.headers['idempotency-key'] !== undefined && (await answerRepeated(call, context))) return;
  call.enterStage('route');
  route(call);
  // A kept answer would say nothing of the model that is asked for a purpose of ours.
  const cacheSettings = call.operation === 'chat' && call.purpose === null ? call.caller?.feature.cache : undefined;
  if (cacheSettings) {
    call.enterStage('cache');
    if (await answerFromCache(call, cacheSettings, context)) return;
  }
  call.enterStage('admit');
  const waiting = admit(call, context);
  if (waiting !== null) await waiting;
  // Another model than the one that was asked for: its answer is this call's alone.
  if (call.downgradedFrom !== null) context.cache.giveUp(call);
  const planning = planRoute(call, context);
  if (planning !== null) await planning;
  await open(call, context);
  call.enterStage('infer');
  await infer(call, context);
  if (!wantsOutputCheck(call)) return;
  call.enterStage('guard-output');
  await guardOutput(call, context);
}

/**
 * Takes a call through its stages. Whatever happens in them, the call is settled exactly once, its row is with the operating system
 * before the client can have the whole answer, and it is recorded. Never rejects.
 */
export async function runPipeline(call: Call, context: GatewayContext): Promise<void> {
  try {
    await runStages(call, context);
  } catch (thrown) {
    call.leaveStage('error');
    call.error = toPlimsollError(thrown);
  }
  if (call.flight !== null) context.cache.land(call);
  try {
    settle(call, context);
    if (call.outcome !== null) await context.journal.written();
  } catch (thrown) {
    // Without its ledger row an answer may not be completed.
    call.error = toPlimsollError(thrown);
    call.answer = null;
  }
  finishIdempotent(call, context);
  if (call.error === null && call.isClientGone) {
    // The answer was complete and is paid for; only its delivery failed. The row stands as it is.
    call.response.destroy();
  } else if (call.error === null) sendAnswer(call);
  else sendFailure(call, call.error, context);
  record(call, context);
  if (call.cache !== null) context.cache.finish(call);
  if (call.purpose === null) mirrorCall(call, context);
}
